"""Nodes that talk to servers give here what they gave in n8n against the same servers, or servers/known.json says why
not."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.compat import goldens
from tests.compat.servers import GROUPS, known
from tests.compat.servers.run import differences

pytestmark = pytest.mark.integration
KNOWN = known()


def may_mount() -> bool:
    words = ["unshare", "--mount", "true"]
    return os.geteuid() == 0 and subprocess.run(words, check=False).returncode == 0


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.timeout(600)
async def test_a_group_runs_as_in_n8n(group: str, tmp_path: Path) -> None:
    if group in {"ssh", "ftp"} and not may_mount():
        pytest.skip("sshd's files belong to root, who wants a mount namespace: CAP_SYS_ADMIN is missing")
    if group == "amqp":
        pytest.importorskip("proton", reason="weft-nodes[amqp] is not installed")
    found = await differences(group, tmp_path)
    unlike = KNOWN.get(group, {})
    assert {name: lines for name, lines in found.items() if name not in unlike} == {}
    assert [name for name in unlike if name not in found] == []


def test_every_recording_is_of_the_case_as_it_is() -> None:
    stale = [
        f"{group} / {name}"
        for group, found in GROUPS.items()
        for name, case in found.cases.items()
        if goldens.read(group).get(name, {}).get("of") != goldens.mark(case)
    ]
    assert stale == []


def test_known_cases_have_reasons() -> None:
    assert all(len(reason) > 10 for cases in KNOWN.values() for reason in cases.values())
    assert set(KNOWN) <= set(GROUPS)
