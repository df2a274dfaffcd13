// What is in the bundles, beside them: assets/sbom.cdx.json for machines (CycloneDX), assets/THIRD-PARTY-LICENSES.txt for people.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @param {import('esbuild').Metafile[]} metafiles of the bundles that are published */
export function describeBundles(metafiles) {
  const outputs = Object.assign({}, ...metafiles.map(({ outputs }) => outputs));
  const bom = billOfMaterials({
    inputs: Object.assign({}, ...metafiles.map(({ inputs }) => inputs)),
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([path, { inputs, ...output }]) => [path, { ...output, inputs: files(inputs) }]),
    ),
  });
  writeFileSync('assets/THIRD-PARTY-LICENSES.txt', licences(bom.components));
  // The texts are in the other file.
  for (const component of [bom.metadata.component, ...bom.components]) delete component.evidence;
  writeFileSync('assets/sbom.cdx.json', `${JSON.stringify(bom, null, 2)}\n`);
}

/** Without what a plugin has put there, which is of no package. */
function files(inputs) {
  return Object.fromEntries(Object.entries(inputs).filter(([path]) => !path.startsWith('lean:')));
}

/** Of every package that has left code in an output, with the texts of its licence as evidence. */
function billOfMaterials(metafile) {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oidc-auth-'));
  try {
    const file = join(directory, 'metafile.json');
    writeFileSync(file, JSON.stringify(metafile));
    const options = ['--gather-license-texts', '--output-reproducible', '--validate', '--mc-type', 'library'];
    const command = join('node_modules', '.bin', 'cyclonedx-esbuild');
    // What it says while it works would stand between the lines of the build.
    const stdio = ['ignore', 'pipe', 'pipe'];
    return JSON.parse(execFileSync(command, [...options, file], { stdio, maxBuffer: 2 ** 26 }));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Each text once, below the names of all packages that bring it. */
function licences(components) {
  const sections = new Map();
  for (const component of components) {
    const { name, group, version } = component;
    const section = text(component);
    const heading = `${group ? `${group}/` : ''}${name} ${version}`;
    sections.set(section, (sections.get(section) ?? new Set()).add(heading));
  }
  return [
    'The bundles in assets/ contain code of the packages below, each under its own licence.',
    'mcp-oidc-auth itself is under the licence in LICENSE.',
    ...[...sections].map(([section, headings]) => `${'='.repeat(80)}\n${[...headings].join('\n')}\n\n${section}`),
    '',
  ].join('\n\n');
}

function text({ licenses, evidence, author, externalReferences = [] }) {
  const declared = licenses.map(({ license, expression }) => expression ?? license.id ?? license.name).join(', ');
  const files = (evidence?.licenses ?? []).map(({ license }) =>
    Buffer.from(license.text.content, license.text.encoding)
      .toString()
      .replace(/^\s*\n|\s+$/g, ''),
  );
  if (files.length > 0) return [`Licence: ${declared}`, ...files].join('\n\n');
  const { url } = externalReferences.find(({ type }) => type === 'vcs') ?? {};
  return `Licence: ${declared}, as its package.json says. It brings no text. By ${author ?? 'its contributors'}, ${url}`;
}
