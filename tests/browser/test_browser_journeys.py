"""The journeys of frontend/e2e in Chromium, against a real embedded server."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.harness.embedded import Embedded

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
FRONTEND = Path(__file__).parent.parent.parent / "frontend"


@pytest.mark.parametrize(
    "files", ["e2e/[0-9]", "e2e/editor/", "e2e/barriers/"], ids=["pages", "editor", "barriers"]
)
def test_journeys(tmp_path: Path, files: str) -> None:
    """`files`: a pattern of Playwright's; the editor's journeys sign in themselves, each test once."""
    weft = Embedded(tmp_path / "home", WEFT_SIGN_INS_PER_MINUTE="600")
    try:
        weft.start()
        env = {**os.environ, "WEFT_SERVER": weft.base, "CI": "true"}
        command = ["npx", "playwright", "test", files]
        done = subprocess.run(command, cwd=FRONTEND, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:] + weft.tail()
    finally:
        weft.stop()
        weft.close()
