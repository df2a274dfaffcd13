import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider, { type JWK } from 'oidc-provider';
import type { Settings } from './messages';
import { errorPage } from './pages';

/** The claims that each scope stands for (OpenID Connect Core section 5.4; `groups` as identity providers commonly have it). */
const CLAIMS = { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'], groups: ['groups'] };

const HOUR = 60 * 60;

/** An OpenID provider for one confidential client. Everything is made at run time and kept in memory. */
export function createProvider(issuer: string, { clientId, clientSecret, redirectUri, people }: Settings): Provider {
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        client_name: 'MCP authorization server',
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    jwks: { keys: [signingKey()] },
    scopes: Object.keys(CLAIMS),
    claims: CLAIMS,
    // As the identity providers of companies do it, the ID token itself has the claims of the scopes.
    conformIdTokenClaims: false,
    async findAccount(_ctx, sub) {
      const person = people.find(({ claims }) => claims.sub === sub);
      if (!person) return undefined;
      const { username, claims } = person;
      return {
        accountId: sub,
        claims: async () => ({ ...claims, groups: [...claims.groups], email: username, email_verified: true }),
      };
    },
    // The client belongs to the same company as the people: nobody is asked.
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({ clientId, accountId: oidc.session!.accountId });
      grant.addOIDCScope(Object.keys(CLAIMS).join(' '));
      await grant.save();
      return grant;
    },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: false } },
    pkce: { required: () => false },
    cookies: {
      keys: [randomBytes(32).toString('base64url')],
      // Cookies do not tell ports apart: other servers on 127.0.0.1 get them too.
      names: { session: 'demo_idp_session', interaction: 'demo_idp_interaction', resume: 'demo_idp_resume' },
    },
    ttl: {
      AccessToken: HOUR,
      AuthorizationCode: 60,
      Grant: 8 * HOUR,
      IdToken: HOUR,
      Interaction: HOUR,
      Session: 8 * HOUR,
    },
    renderError(ctx, { error, error_description }) {
      ctx.type = 'html';
      ctx.body = errorPage(error_description ?? error);
    },
  });
  provider.on('server_error', (_ctx, error) => console.error('The demo identity provider:', error));
  return provider;
}

/** RS256, the algorithm that every OpenID client takes (OpenID Connect Core section 15.1). */
function signingKey(): JWK {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...(privateKey.export({ format: 'jwk' }) as JWK), alg: 'RS256', use: 'sig' };
}
