import type { errors, Provider } from 'oidc-provider';
import { logEvent } from './log';
import { currentUnitOfWork } from './unit-of-work';

/** Every decision of the engine's as an event with a stable name. */
export function logDecisions(provider: Provider): void {
  provider.on('registration_create.success', (_ctx, client) =>
    logEvent('client.registered', { clientId: client.clientId }),
  );
  provider.on('registration_create.error', (_ctx, error) => logEvent('client.refused', describe(error)));
  provider.on('authorization.error', (ctx, error) => {
    const { client_id: clientId, redirect_uri: redirectUri } = ctx.oidc.params ?? {};
    logEvent('authorization.refused', { clientId, redirectUri, ...describe(error) });
  });
  provider.on('interaction.started', (ctx) =>
    logEvent('sign_in.started', { clientId: ctx.oidc.client?.clientId, resource: ctx.oidc.params?.resource }),
  );
  provider.on('grant.success', (ctx) => {
    const fields = {
      grantType: ctx.oidc.params?.grant_type,
      clientId: ctx.oidc.client?.clientId,
      sub: ctx.oidc.account?.accountId,
    };
    // Nobody gets the tokens before what they stand for is stored.
    currentUnitOfWork.getStore()?.afterwards(() => logEvent('token.issued', fields));
  });
  provider.on('grant.error', (ctx, error) =>
    logEvent('token.refused', { clientId: ctx.oidc.client?.clientId, ...describe(error) }),
  );
  provider.on('grant.revoked', (ctx) => {
    const { RefreshToken, AuthorizationCode } = ctx.oidc.entities;
    const sub = (RefreshToken ?? AuthorizationCode)?.accountId;
    logEvent('grant.revoked', { clientId: ctx.oidc.client?.clientId, sub });
  });
}

function describe(error: errors.OIDCProviderError): Record<string, unknown> {
  return { error: error.error, description: error.error_description, detail: error.error_detail };
}
