import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Template } from '../../local/template/assembly';
import { FEATURE_FLAGS } from '../lib/feature-flags';
import { applyStacks } from './apply';
import committed from './kept-resources.json';
import { identities, losses } from './replacement';
import {
  addServersElsewhere,
  addVariants,
  exampleStack,
  FLAGS,
  type TemplateJson,
  VARIANTS,
  VariantStack,
} from './variants';

let example: TemplateJson;
/** By the name of the variant. */
const variants = new Map<string, TemplateJson>();

beforeAll(async () => {
  const app = new App({ context: { ...FLAGS } });
  await exampleStack(app);
  const stacks = addVariants(app);
  const assembly = app.synth();
  example = assembly.getStackByName('McpOidcAuth').template;
  for (const [name, stack] of stacks) variants.set(name, assembly.getStackByName(stack.stackName).template);
});

const apply = (template: TemplateJson) => applyStacks([{ name: 'Stack', template: template as Template }]);
const plain = () => variants.get('no prop')!;

/** A copy that a test may change. */
function changed(template: TemplateJson, change: (resources: Record<string, Loose>) => void): TemplateJson {
  const copy = structuredClone(template);
  change(copy.Resources as Record<string, Loose>);
  return copy;
}
// biome-ignore lint/suspicious/noExplicitAny: what is broken in a template is of no type
type Loose = any;

function idOf({ Resources }: TemplateJson, prefix: string): string {
  const found = Object.keys(Resources).filter((id) => new RegExp(`^${prefix}[0-9A-F]{8}$`).test(id));
  if (found.length !== 1) throw new Error(`${found.length} resources are called ${prefix}`);
  return found[0]!;
}

describe('applied as CloudFormation does', () => {
  test('every resource of every variant finds what it refers to, in an order without a cycle', () => {
    for (const [name, template] of [['the example', example] as const, ...variants]) {
      expect(() => apply(template), name).not.toThrow();
      expect(apply(template)[0], name).toHaveLength(Object.keys(template.Resources).length);
    }
  });

  test('so does that of MCP servers in other stacks and other apps', () => {
    const app = new App({ context: { ...FLAGS } });
    const { auth } = new VariantStack(app, 'AuthStack');
    addServersElsewhere(app, auth);
    const stacks = app.synth().stacks.map(({ stackName, template }) => ({ name: stackName, template }));
    expect(applyStacks(stacks)).toHaveLength(3);
    const withoutIt = stacks.filter(({ name }) => name !== 'AuthStack');
    expect(() => applyStacks(withoutIt)).toThrow('Stack AuthStack of this assembly has no output');
  });

  test('the outputs of the example say what they are for', () => {
    // CDK's own for REST APIs (`<id>Endpoint<hash>`) says nothing.
    const ours = Object.entries(example.Outputs ?? {}).filter(([name]) => !/Endpoint[0-9A-F]{8}$/.test(name));
    expect(ours.length).toBeGreaterThan(3);
    for (const [name, { Description }] of ours) expect(Description, name).toMatch(/\.$/);
  });

  test('a cycle is refused: an authorizer that is told the URL of the stage that waits for it', () => {
    const synthesize = (validate: boolean) => {
      const app = new App({ context: { ...FLAGS, '@aws-cdk/core:validateAgainstDefaultRules': validate } });
      const api = new VariantStack(app, 'Cyclic').node.findChild('RestApi') as RestApi;
      const authorizer = api.node.findChild('McpOidcAuth').node.findChild('AuthorizerFunction') as LambdaFunction;
      authorizer.addEnvironment('URL', api.url);
      return app.synth().getStackByName('Cyclic').template;
    };
    expect(() => apply(synthesize(false))).toThrow(/depend on each other: .*AuthorizerFunction.*DeploymentStage/);
    expect(() => synthesize(true)).toThrow('Circular Dependencies');
  });

  test.each<[string, (resources: Record<string, Loose>) => void, RegExp]>([
    [
      'a Ref',
      (all) => delete all[idOf(plain(), 'AuthTable')],
      /refers to AuthTable\w+, which is neither|no attribute Arn/,
    ],
    [
      'an attribute',
      (all) => {
        all[idOf(plain(), 'AuthProvider')].Properties.Role['Fn::GetAtt'][1] = 'RoleArn';
      },
      /has no attribute RoleArn/,
    ],
    [
      'a variable of Fn::Sub',
      (all) => {
        all[idOf(plain(), 'AuthProvider')].Properties.Description = { 'Fn::Sub': 'Of \u0024{AWS::Stack}' };
      },
      /refers to AWS::Stack/,
    ],
    [
      'a DependsOn',
      (all) => {
        all[idOf(plain(), 'AuthProvider')].DependsOn = ['AuthPolicy'];
      },
      /depends on AuthPolicy, which is not there/,
    ],
    [
      'a resource type',
      (all) => {
        all[idOf(plain(), 'AuthTable')].Type = 'AWS::DynamoDB::WorldTable';
      },
      /no resource type AWS::DynamoDB::WorldTable/,
    ],
  ])('%s that is not there is refused', (_, change, message) => {
    expect(() => apply(changed(plain(), change))).toThrow(message);
  });

  test('an import of what no stack exports is refused', () => {
    const app = new App({ context: { '@aws-cdk/core:defaultCrossStackReferences': 'strong' } });
    const producer = new Stack(app, 'Producer');
    const api = new RestApi(producer, 'Api');
    api.root.addMethod('GET');
    new CfnOutput(new Stack(app, 'Consumer'), 'Id', { value: api.restApiId });
    const [first, second] = app.synth().stacks.map(({ stackName, template }) => ({ name: stackName, template }));
    expect(applyStacks([first!, second!])).toHaveLength(2);
    expect(() => applyStacks([second!, first!])).toThrow('No stack of this assembly exports');
  });
});

describe('an update', () => {
  /** What the constructs make, in a stack that has more than that. */
  const ours = (template: TemplateJson) =>
    Object.fromEntries(Object.entries(identities(template)).filter(([id]) => /^Auth|McpOidcAuth/.test(id)));

  test('between any two variants loses no table, secret, log, API or function behind custom resources', {
    timeout: 60_000,
  }, () => {
    // There and back: what the way to the plain variant and the way from it leave in place, every way through it does.
    const found = [...variants].flatMap(([name, template]) => [
      ...losses(plain(), template).map((loss) => `no prop -> ${name}: ${loss}`),
      ...losses(template, plain()).map((loss) => `${name} -> no prop: ${loss}`),
    ]);
    expect(found).toEqual([]);
  });

  test('from the last release replaces nothing of the kind: the committed list is what users have deployed', () => {
    // What is missing here would be deleted at a user's next deployment, and what differs replaced: change the code, not the list.
    expect(identities(example)).toEqual(committed.example);
    const all = [...variants.values()].map(ours);
    expect(Object.assign({}, ...all)).toEqual(committed.construct);
    for (const found of all) expect(found).toMatchObject(ours(plain()));
  });

  test.each(FEATURE_FLAGS)('of an app to %s replaces nothing of the kind', (_, context) => {
    const app = new App({ context });
    const { stackName } = new VariantStack(app, 'Flags', VARIANTS['every prop']);
    const { template } = app.synth().getStackByName(stackName);
    expect(apply(template)[0]).toContain(idOf(template, 'AuthTable'));
    expect(ours(template)).toEqual(ours(variants.get('every prop')!));
  });

  test('keeps what it takes away or replaces, unless removalPolicy says otherwise', () => {
    for (const [name, template] of variants) {
      const kept = name === 'removalPolicy' || name === 'every prop' ? 'Delete' : 'Retain';
      for (const id of [idOf(template, 'AuthTable'), idOf(template, 'AuthKeySetResource')]) {
        const { DeletionPolicy, UpdateReplacePolicy } = template.Resources[id]!;
        expect([name, id, DeletionPolicy, UpdateReplacePolicy]).toEqual([name, id, kept, kept]);
      }
    }
  });

  const table = () => idOf(plain(), 'AuthTable');

  test.each<[string, (resources: Record<string, Loose>) => void, RegExp]>([
    [
      'other keys of the table',
      (all) => {
        all[table()].Properties.KeySchema[1].AttributeName = 'range';
      },
      /AuthTable\w+ .*WILL_REPLACE/,
    ],
    [
      'another logical id of the table',
      (all) => {
        all.AuthStore12345678 = all[table()];
        delete all[table()];
      },
      /AuthTable\w+ .*WILL_(DESTROY|ORPHAN)/,
    ],
    [
      'another type of table',
      (all) => {
        all[table()].Type = 'AWS::DynamoDB::Table';
      },
      /AuthTable\w+ .*WILL_REPLACE/,
    ],
    [
      'a name for the secret',
      (all) => {
        all[idOf(plain(), 'AuthKeySetResource')].Properties.Name = 'keys';
      },
      /AuthKeySetResource\w+ .*WILL_REPLACE/,
    ],
    [
      'another protocol of the API',
      (all) => {
        all[idOf(plain(), 'AuthFrontDoorApi')].Properties.ProtocolType = 'WEBSOCKET';
      },
      /AuthFrontDoorApi\w+ .*WILL_REPLACE/,
    ],
    [
      'another function behind the custom resources',
      (all) => {
        all[idOf(plain(), 'AuthOnDeploy')].Properties.FunctionName = 'on-deploy';
      },
      /AuthOnDeploy\w+ .*WILL_REPLACE/,
    ],
  ])('%s is noticed, between variants and between releases', (_, change, loss) => {
    const broken = changed(plain(), change);
    expect(losses(plain(), broken).join('\n')).toMatch(loss);
    expect(ours(broken)).not.toEqual(committed.construct);
  });
});
