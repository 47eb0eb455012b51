"""The journeys of frontend/e2e in Chromium, against a real embedded server."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.harness.embedded import Embedded

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
FRONTEND = Path(__file__).parent.parent.parent / "frontend"


def test_journeys(tmp_path: Path) -> None:
    weft = Embedded(tmp_path / "home")
    try:
        weft.start()
        env = {**os.environ, "WEFT_SERVER": weft.base, "CI": "true"}
        done = subprocess.run(
            ["npx", "playwright", "test"], cwd=FRONTEND, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:] + weft.tail()
    finally:
        weft.stop()
        weft.close()
