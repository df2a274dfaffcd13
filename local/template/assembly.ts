import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json, JsonObject } from '../json';
import { StartError } from '../start-error';

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: JsonObject;
  readonly DependsOn?: string | string[];
  readonly Condition?: string;
}

export interface Template {
  readonly Parameters?: Record<string, JsonObject>;
  readonly Mappings?: Record<string, Record<string, JsonObject>>;
  readonly Conditions?: Record<string, Json>;
  readonly Resources?: Record<string, TemplateResource>;
  readonly Outputs?: Record<string, { readonly Value: Json; readonly Export?: { readonly Name: Json } }>;
}

export interface AssemblyStack {
  readonly name: string;
  readonly template: Template;
  /** The directory or file of an asset by its object key in the assets bucket. */
  readonly assets: ReadonlyMap<string, string>;
}

interface Artifact {
  readonly type: string;
  readonly dependencies?: string[];
  readonly properties?: { readonly templateFile?: string; readonly file?: string; readonly stackName?: string };
}

interface AssetManifest {
  readonly files: Record<
    string,
    {
      readonly source: { readonly path?: string };
      readonly destinations: Record<string, { readonly objectKey: string }>;
    }
  >;
}

/**
 * Reads a cloud assembly (`cdk.out`): its stacks, those that others depend on first.
 *
 * @throws StartError where the directory holds no assembly or nests one.
 */
export function loadAssembly(directory: string): AssemblyStack[] {
  const manifestFile = join(directory, 'manifest.json');
  if (!existsSync(manifestFile)) {
    throw new StartError(`${directory} holds no cloud assembly (no manifest.json). Synthesize the app first.`);
  }
  const artifacts = (readJson(manifestFile) as { artifacts?: Record<string, Artifact> }).artifacts ?? {};
  const stacks = new Map<string, AssemblyStack>();

  const visit = (id: string, below: readonly string[]): void => {
    const artifact = artifacts[id];
    if (!artifact || stacks.has(id)) return;
    if (below.includes(id)) throw new StartError(`The stacks depend on each other: ${[...below, id].join(' -> ')}`);
    for (const dependency of artifact.dependencies ?? []) visit(dependency, [...below, id]);
    if (artifact.type === 'cdk:cloud-assembly') {
      throw new StartError(`The assembly nests another one (${id}). Only stacks directly in the app can be run.`);
    }
    if (artifact.type === 'aws:cloudformation:stack') stacks.set(id, loadStack(directory, id, artifact, artifacts));
  };
  for (const id of Object.keys(artifacts)) visit(id, []);
  if (stacks.size === 0) throw new StartError(`The assembly in ${directory} has no stack.`);
  return [...stacks.values()];
}

function loadStack(
  directory: string,
  id: string,
  artifact: Artifact,
  artifacts: Record<string, Artifact>,
): AssemblyStack {
  const assets = new Map<string, string>();
  for (const dependency of artifact.dependencies ?? []) {
    const manifest = artifacts[dependency];
    if (manifest?.type !== 'cdk:asset-manifest') continue;
    const { files } = readJson(join(directory, manifest.properties?.file ?? '')) as AssetManifest;
    for (const { source, destinations } of Object.values(files)) {
      for (const { objectKey } of Object.values(destinations))
        assets.set(objectKey, join(directory, source.path ?? ''));
    }
  }
  const template = readJson(join(directory, artifact.properties?.templateFile ?? '')) as Template;
  return { name: artifact.properties?.stackName ?? id, template, assets };
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
