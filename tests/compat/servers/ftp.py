"""FTP: files by SFTP, by OpenSSH, and by FTP."""

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import ThreadedFTPServer
from weft_kit.testing.remote import SshServer

from tests.compat.cases.build import Case, node
from tests.compat.cases.files import BYTES, SEEN, TEXT_FILE
from tests.compat.servers.served import HOST, Served, asked, chain

HOME = "/compat-home"
"""Stands for the servers' folder, by SFTP; by FTP it is the root."""


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    ssh = SshServer(folder / "ssh")
    ssh.start()
    home = ssh.home / "files"
    home.mkdir()
    users = DummyAuthorizer()
    users.add_user("weft", "secret", str(home), perm="elradfmwMT")
    handler = type("Handler", (FTPHandler,), {"authorizer": users})
    ftp = ThreadedFTPServer((HOST, 0), handler, ioloop=IOLoop())
    thread = threading.Thread(target=ftp.serve_forever, kwargs={"timeout": 0.1})
    thread.start()

    def reset() -> None:
        for each in home.iterdir():
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        (home / "sub" / "deep").mkdir(parents=True)
        (home / "a.txt").write_text("Zoë\n")
        (home / "b.json").write_text('{"a": 1}')
        (home / "sub" / "c.txt").write_text("c")

    sftp = {
        "host": HOST,
        "port": ssh.port,
        "username": ssh.user,
        "privateKey": ssh.key,
        "password": "",
        "passphrase": "",
    }
    plain = {"host": HOST, "port": ftp.address[1], "username": "weft", "password": "secret"}
    times = (r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"', '"<time>"')
    when = (r"[A-Z][a-z]{2} +\d+ \d\d:\d\d ", "<when> ")
    try:
        yield Served({"sftp": sftp, "ftp": plain}, reset, {HOME: str(home)}, [times, when], ["Node", "List"])
    finally:
        ftp.close_all()
        thread.join()
        ssh.kill()


def _node(
    protocol: str, version: float, parameters: Mapping[str, Any], name: str = "Node", **extra: Any
) -> dict[str, Any]:
    return asked("ftp", protocol, version, {"protocol": protocol, **parameters}, name, **extra)


def cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for protocol, root in (("sftp", HOME), ("ftp", "")):
        end, on = f" {protocol} v1", {"onError": "continueRegularOutput"}
        everything = {"operation": "list", "path": root or "/", "recursive": True}
        seen = _node(protocol, 1, everything, "List", executeOnce=True)
        for name, path, recursive in (
            ("top", root or "/", False),
            ("folder", f"{root}/sub", False),
            ("all", root or "/", True),
            ("nothing", f"{root}/none", False),
        ):
            given = {"operation": "list", "path": path, "recursive": recursive}
            found[f"list {name}{end}"] = chain(_node(protocol, 1, given, **on))
        for name, path in (
            ("a file", f"{root}/a.txt"),
            ("json", f"{root}/b.json"),
            ("nothing", f"{root}/none"),
            ("a folder", f"{root}/sub"),
        ):
            given = {"operation": "download", "path": path}
            found[f"download {name}{end}"] = chain(_node(protocol, 1, given, **on), SEEN, rows=[{"n": 1}])
        for name, source, more in (
            (
                "text",
                node("File", "noOp", 1, {}, 1),
                {"path": f"{root}/new.txt", "binaryData": False, "fileContent": "=Zoë {{ $json.n }}"},
            ),
            ("file", TEXT_FILE, {"path": f"{root}/new.csv"}),
            ("bytes", BYTES, {"path": f"{root}/new.bin"}),
            ("over", TEXT_FILE, {"path": f"{root}/a.txt"}),
            ("into a new folder", TEXT_FILE, {"path": f"{root}/made/by/new.csv"}),
            ("no file", node("File", "noOp", 1, {}, 1), {"path": f"{root}/new.csv"}),
        ):
            upload = _node(protocol, 1, {"operation": "upload", **more}, **on)
            found[f"upload {name}{end}"] = chain(source, upload, seen, rows=[{"n": 1}])
        for name, old, new, options in (
            ("a file", f"{root}/a.txt", f"{root}/z.txt", {}),
            ("into a folder", f"{root}/a.txt", f"{root}/sub/z.txt", {}),
            ("into a new folder", f"{root}/a.txt", f"{root}/made/z.txt", {}),
            ("making folders", f"{root}/a.txt", f"{root}/made/z.txt", {"createDirectories": True}),
            ("nothing", f"{root}/none", f"{root}/z.txt", {}),
        ):
            given = {"operation": "rename", "oldPath": old, "newPath": new, "options": options}
            found[f"rename {name}{end}"] = chain(_node(protocol, 1, given, **on), seen, rows=[{"n": 1}])
        for name, path, options in (
            ("a file", f"{root}/a.txt", {}),
            ("nothing", f"{root}/none", {}),
            ("an empty folder", f"{root}/sub/deep", {"folder": True}),
            ("a full folder", f"{root}/sub", {"folder": True}),
            ("a folder with all", f"{root}/sub", {"folder": True, "recursive": True}),
        ):
            given = {"operation": "delete", "path": path, "options": options}
            found[f"delete {name}{end}"] = chain(_node(protocol, 1, given, **on), seen, rows=[{"n": 1}])
    return found
