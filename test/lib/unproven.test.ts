import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROUTES } from '../../lib/contract';
import { assumptionChecks } from '../../smoke/assumptions';
import { Deployment } from '../../smoke/deployment';
import { protect } from './rest-template';
import { newStack, ofType, restApi } from './synth';

/** What docs/local.md calls unproven: nothing may depend on it. */
describe('nothing depends on', () => {
  test('which of two routes is taken, what a slash at the end means, or how a path is written', () => {
    for (const { path, methods } of ROUTES) {
      expect(methods).not.toContain('ANY');
      expect(path).toMatch(/^(\/|(\/[a-z._-]+)+(\/\{\w+\})?)$/);
      const others = ROUTES.filter((other) => other.path !== path).map((other) => other.path);
      // A parameter matches any segment.
      const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
      expect(others.filter((other) => pattern.test(other))).toEqual([]);
    }
  });

  test('headers that a gateway response would take from an authorizer’s context', () => {
    const stack = newStack();
    protect(stack, {}, restApi(stack));
    const responses = ofType(stack, 'AWS::ApiGateway::GatewayResponse');
    expect(responses).toHaveLength(4);
    for (const [, { Properties }] of responses) expect(JSON.stringify(Properties)).not.toContain('context.');
  });

  test('the type of the response to an authorizer that fails', () => {
    const stack = newStack();
    protect(stack, {}, restApi(stack));
    const [failure, configuration] = ['AUTHORIZER_FAILURE', 'AUTHORIZER_CONFIGURATION_ERROR'].map((type) => {
      const [, response] = ofType(stack, 'AWS::ApiGateway::GatewayResponse').find(
        ([, { Properties }]) => Properties.ResponseType === type,
      )!;
      const { ResponseType, ...said } = response.Properties;
      return said;
    });
    expect(failure).toEqual(configuration);
    expect(failure.StatusCode).toBe('503');
  });
});

test('docs/local.md says of every assumption that smoke looks at what happens if it is wrong', () => {
  const docs = readFileSync(join(__dirname, '..', '..', 'docs', 'local.md'), 'utf8');
  const [, section = ''] = docs.split('## What is unproven');
  const named = [...section.matchAll(/^\| .* \| (.*) \| (.+) \|$/gm)].map(([, , line]) => line);
  const deployment = new Deployment('https://auth.example.com', 'https://mcp.example.com', fetch);
  expect(named.slice(2)).toEqual(assumptionChecks(deployment).map(({ name }) => name));
});
