"""A credential is connected in Chromium, at a provider of sign-ins on this machine."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.harness.embedded import Embedded
from tests.harness.oauth_provider import KEY, Provider

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
FRONTEND = Path(__file__).parent.parent.parent / "frontend"


def test_a_credential_is_connected(tmp_path: Path) -> None:
    with Provider() as provider:
        weft = Embedded(tmp_path / "home", allow=f"127.0.0.1:{provider.port}")
        weft.environment["WEFT_PUBLIC_URL"] = weft.base
        provider.client.redirect_uris = [f"{weft.base}/rest/oauth2-credential/callback"]
        try:
            weft.start()
            env = {
                **os.environ,
                "WEFT_SERVER": weft.base,
                "WEFT_PROVIDER": provider.base,
                "WEFT_PROVIDER_KEY": KEY,
                "CI": "true",
            }
            done = subprocess.run(
                ["npx", "playwright", "test", "e2e/services/"],
                cwd=FRONTEND,
                env=env,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:] + weft.tail()
        finally:
            weft.stop()
            weft.close()
