import base64
import json
import os
import urllib.parse
import urllib.request

ISSUER = os.environ.get("OIDC_BASE_URL", "http://localhost:4001")
CREDENTIAL = f"{os.environ.get('CLIENT_ID')}:{os.environ.get('CLIENT_SECRET')}"


def introspect(token: str) -> bool:
    """Whether the authorization server says that the token is active. Raises where it says nothing: that is no verdict."""
    request = urllib.request.Request(
        f"{ISSUER}/introspect",
        data=urllib.parse.urlencode({"token": token}).encode(),
        headers={"Authorization": f"Basic {base64.b64encode(CREDENTIAL.encode()).decode()}"},
    )
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.load(response)["active"]
