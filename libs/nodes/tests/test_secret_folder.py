"""Folders of secrets outlive nobody."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from weft_nodes.network import secret_folder as module


def test_a_folder_of_a_killed_process_is_gone_with_the_next_ones_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = (
        "import os, signal\nfrom weft_nodes.network.secret_folder import secret_folder\n"
        "with secret_folder() as name:\n open(name + '/key', 'w').close()\n os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program], check=False, env={**os.environ, "TMPDIR": str(tmp_path)})
    (left,) = tmp_path.iterdir()
    assert (left / "key").exists()
    mine = tmp_path / f"weft-secret-{os.getpid()}-x"
    mine.mkdir()
    with module.secret_folder() as name:
        assert not left.exists()
        assert Path(name).stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == [mine]
