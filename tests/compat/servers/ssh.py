"""SSH: commands and files, by OpenSSH."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from weft_kit.testing.remote import SshServer

from tests.compat.cases.build import Case, node
from tests.compat.cases.files import BYTES, SEEN, TEXT_FILE
from tests.compat.servers.served import HOST, Served, asked, chain

HOME = "/compat-home"
"""Stands for the server's folder."""


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    server = SshServer(folder / "ssh")
    server.start()
    home = server.home / "files"

    def reset() -> None:
        shutil.rmtree(home, ignore_errors=True)
        (home / "sub").mkdir(parents=True)
        (home / "a.txt").write_text("Zoë\n")
        (home / "b.json").write_text('{"a": 1}')

    secret = {
        "host": HOST,
        "port": server.port,
        "username": server.user,
        "privateKey": server.key,
        "passphrase": "",
    }
    try:
        names = {HOME: str(home), "/compat-user": str(server.home)}
        # the shell's line numbers
        yield Served({"sshPrivateKey": secret}, reset, names, [(r"sh: \d+: ", "sh: ")])
    finally:
        server.kill()


def _node(parameters: Mapping[str, Any], name: str = "Node", **extra: Any) -> dict[str, Any]:
    given = {"authentication": "privateKey", **parameters}
    return asked("ssh", "sshPrivateKey", 1, given, name, **extra)


def _command(text: str, folder: str = "/", **extra: Any) -> dict[str, Any]:
    return _node({"command": text, "cwd": folder}, **extra)


def cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    commands: dict[str, tuple[str, str]] = {
        "text": ("echo hello", "/"),
        "lines": ("printf 'one\\ntwo\\n\\n'", "/"),
        "spaces": ("printf '  a  '", "/"),
        "both outputs": ("echo out; echo err >&2", "/"),
        "code": ("exit 3", "/"),
        "not there": ("no-such-command-here", "/"),
        "folder": ("pwd", f"{HOME}/sub"),
        "folder with a tilde": ("cd files && ls", "~"),
        "folder not there": ("pwd", "/no/such/folder"),
        "expression": ("=echo {{ $json.n }} '{{ $json.t }}'", "/"),
        "pipe": ("printf 'b\\na\\n' | sort | head -1", "/"),
        "quotes": ('echo "it\'s" \'a "b"\' $HOME_NONE', "/"),
        "unicode": ("printf 'Zo\\303\\253'", "/"),
        "nothing": ("true", "/"),
        "two lines": ("cd /\npwd", HOME),
        "input": ("cat", "/"),
        "killed": ("kill -9 $$", "/"),
    }
    for name, (text, folder) in commands.items():
        if name == "input":
            continue  # waits for ever in n8n
        found[f"command {name}"] = chain(_command(text, folder), rows=[{"n": 5, "t": "x y"}])
    many = _command("=echo {{ $json.n }}; exit {{ $json.n }}")
    found["command for items"] = chain(many, rows=[{"n": 0}, {"n": 1}])
    for name, path, options in (
        ("a file", f"{HOME}/a.txt", {}),
        ("json", f"{HOME}/b.json", {}),
        ("named", f"{HOME}/a.txt", {"fileName": "c.md"}),
        ("nothing", f"{HOME}/none", {}),
    ):
        for on_error in ("stopWorkflow", "continueRegularOutput"):
            if on_error != "stopWorkflow" and name != "nothing":
                continue
            given = {"resource": "file", "operation": "download", "path": path, "options": options}
            download = _node(given, onError=on_error)
            found[f"download {name} {on_error}"] = chain(download, SEEN, rows=[{"n": 1}])
    cat = _node({"command": f"cat {HOME}/sub/*; ls {HOME}/sub"}, "Cat")
    for name, source, path, options in (
        ("a file", TEXT_FILE, f"{HOME}/sub", {}),
        ("bytes", BYTES, f"{HOME}/sub", {}),
        ("named", TEXT_FILE, f"{HOME}/sub", {"fileName": "n.txt"}),
        ("into nothing", TEXT_FILE, f"{HOME}/none", {}),
        ("no file", node("File", "noOp", 1, {}, 1), f"{HOME}/sub", {}),
    ):
        given = {"resource": "file", "operation": "upload", "path": path, "options": options}
        upload = _node(given, onError="continueRegularOutput")
        found[f"upload {name}"] = chain(source, upload, cat, rows=[{"n": 1}])
    return found
