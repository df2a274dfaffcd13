import asyncio
import os

import jwt
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer

ISSUER = os.environ.get("OIDC_BASE_URL", "http://localhost:4001")
BASE_URL = os.environ.get("MCP_BASE_URL", "http://localhost:3001")
AUDIENCE = f"{BASE_URL}/mcp"

# In seconds: how long the keys are kept, and how often an unknown kid is looked up at most.
keys = jwt.PyJWKClient(f"{ISSUER}/jwks", lifespan=600, cooldown_duration=30, timeout=5)


class Verifier(TokenVerifier):
    async def verify_token(self, token: str) -> AccessToken | None:
        try:
            claims = await asyncio.to_thread(verify, token)
        except jwt.PyJWKClientConnectionError:
            raise  # An outage is no verdict about the token.
        except jwt.PyJWTError:
            return None
        return AccessToken(
            token=token,
            client_id=claims["client_id"],
            scopes=claims.get("scope", "").split(),
            expires_at=claims["exp"],
            resource=claims["aud"],
            subject=claims["sub"],
            claims=claims,
        )


def verify(token: str) -> dict:
    # Or an ID token would pass.
    if jwt.get_unverified_header(token).get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("not an access token")
    claims = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token),
        algorithms=["RS256", "ES256"],
        issuer=ISSUER,
        audience=AUDIENCE,
        options={"require": ["exp", "iat", "jti", "sub", "client_id"], "strict_aud": True},
    )
    if "cnf" in claims:
        raise jwt.InvalidTokenError("bound to a key")
    return claims


server = MCPServer(
    "reports",
    token_verifier=Verifier(),
    auth=AuthSettings(
        issuer_url=ISSUER,
        resource_server_url=AUDIENCE,
        required_scopes=["reports:read"],
        validate_token_resource=True,
    ),
)


@server.tool()
def whoami() -> dict:
    """Says who is calling."""
    token = get_access_token()
    return {"sub": token.subject, "client_id": token.client_id, "scope": " ".join(token.scopes)}


if __name__ == "__main__":
    server.run(
        "streamable-http",
        host=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("PORT", "3001")),
        stateless_http=True,
    )
