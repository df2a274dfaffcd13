import type { Stack } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import type { CustomDomainProps } from 'mcp-oidc-auth';
import { describe, expect, test } from 'vitest';
import { configOf, idOf, newAuth, newStack, ofType } from './synth';

function withDomain(stack: Stack, props: Partial<CustomDomainProps> = {}) {
  return newAuth(stack, {
    customDomain: {
      domainName: 'auth.example.com',
      certificate: Certificate.fromCertificateArn(
        stack,
        'Certificate',
        'arn:aws:acm:eu-west-1:111122223333:certificate/a',
      ),
      ...props,
    },
  });
}

const zone = (stack: Stack) =>
  HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z1', zoneName: 'example.com' });

describe('a custom domain', () => {
  test('becomes the issuer, and the execute-api endpoint is switched off', () => {
    const stack = newStack();
    const auth = withDomain(stack);
    expect(auth.issuer).toBe('https://auth.example.com');
    expect(configOf(stack, 'AuthProvider').issuer).toBe('https://auth.example.com');
    expect(ofType(stack, 'AWS::ApiGatewayV2::Api')[0]?.[1].Properties.DisableExecuteApiEndpoint).toBe(true);
    expect(ofType(stack, 'AWS::ApiGatewayV2::ApiMapping')[0]?.[1]).toMatchObject({
      DependsOn: expect.arrayContaining([idOf(stack, 'AWS::ApiGatewayV2::Stage')]),
      Properties: { DomainName: { Ref: idOf(stack, 'AWS::ApiGatewayV2::DomainName') }, Stage: '$default' },
    });
    expect(ofType(stack, 'AWS::Route53::RecordSet')).toEqual([]);
  });

  test('gets an alias record in its hosted zone', () => {
    const stack = newStack();
    withDomain(stack, { hostedZone: zone(stack) });
    const domain = idOf(stack, 'AWS::ApiGatewayV2::DomainName');
    expect(ofType(stack, 'AWS::Route53::RecordSet')[0]?.[1].Properties).toMatchObject({
      Name: 'auth.example.com.',
      Type: 'A',
      AliasTarget: {
        DNSName: { 'Fn::GetAtt': [domain, 'RegionalDomainName'] },
        HostedZoneId: { 'Fn::GetAtt': [domain, 'RegionalHostedZoneId'] },
      },
    });
  });

  test.each(['https://auth.example.com', 'auth.example.com/', 'Auth.example.com', 'localhost'])(
    'cannot be %s',
    (domainName) => {
      expect(() => withDomain(newStack(), { domainName })).toThrow(
        `McpOidcAuth: customDomain.domainName must be a lower-case host such as 'auth.example.com', got '${domainName}'.`,
      );
    },
  );

  test('must be in its hosted zone', () => {
    const stack = newStack();
    expect(() => withDomain(stack, { domainName: 'auth.example.org', hostedZone: zone(stack) })).toThrow(
      "McpOidcAuth: customDomain.domainName must be in the hosted zone 'example.com', got 'auth.example.org'.",
    );
  });
});

test('without a custom domain the execute-api endpoint is the issuer', () => {
  const stack = newStack();
  newAuth(stack);
  expect(ofType(stack, 'AWS::ApiGatewayV2::Api')[0]?.[1].Properties.DisableExecuteApiEndpoint).toBe(false);
});
