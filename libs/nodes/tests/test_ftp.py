"""FTP and SFTP against real servers: pyftpdlib's, vsftpd and OpenSSH's."""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import ThreadedFTPServer
from weft_kit.testing.certificates import self_signed
from weft_kit.testing.remote import FtpServer, SshServer
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.cases import evaluate, has_expressions
from weft_node_sdk.testing.fake import Cancelled, FakeContext
from weft_nodes.ftp import by_ftp, connection, remote

CATALOGUE = Catalogue.load()
pytestmark = pytest.mark.integration
BIG = os.urandom(3_000_001)
FILE = {"json": {"a": 1}, "binary": {"data": {"id": "x", "fileName": "x.bin"}}}


class Implicit(TLS_FTPHandler):  # type: ignore[misc]  # no types
    """TLS from the start."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.secure_connection(self.ssl_context)

    def handle(self) -> None:
        """The greeting waits until the handshake is done."""

    def handle_ssl_established(self) -> None:
        super().handle()


class Server:
    """An FTP server in a thread, all of a folder is its user's."""

    def __init__(self, folder: Path, certificate: Path | None = None, *, implicit: bool = False) -> None:
        users = DummyAuthorizer()
        users.add_user("weft", "geheim", str(folder), perm="elradfmwMT")
        base = (Implicit if implicit else TLS_FTPHandler) if certificate else FTPHandler
        more = {"certfile": str(certificate), "tls_control_required": True, "tls_data_required": True}
        handler = type(
            "Handler",
            (base,),
            {"authorizer": users, "auth_failed_timeout": 0.05, **(more if certificate else {})},
        )
        self._server = ThreadedFTPServer(("127.0.0.1", 0), handler, ioloop=IOLoop())
        self.secret = {
            "host": "127.0.0.1",
            "port": self._server.address[1],
            "username": "weft",
            "password": "geheim",
        }
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"timeout": 0.1})
        self._thread.start()

    def close(self) -> None:
        self._server.close_all()
        self._thread.join()


@pytest.fixture
def folder(tmp_path: Path, ssh_server: SshServer, request: pytest.FixtureRequest) -> Path:
    """What is `/r` at the FTP server."""
    path = tmp_path / "root" / "r"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def ftp(folder: Path) -> Iterator[dict[str, Any]]:
    server = Server(folder.parent)
    yield server.secret
    server.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    pem, key = self_signed(tmp_path)
    pem.write_text(key.read_text() + pem.read_text())
    return pem


@pytest.fixture
def ftps(folder: Path, certificate: Path) -> Iterator[dict[str, Any]]:
    server = Server(folder.parent, certificate)
    yield {**server.secret, "tls": "explicit", "allowUnauthorizedCerts": True}
    server.close()


@pytest.fixture
def vsftpd(folder: Path, tmp_path: Path) -> Iterator[dict[str, Any]]:
    server = FtpServer(tmp_path / "vsftpd")
    server.start()
    secret = {"host": "localhost", "port": server.port, "username": "anonymous", "password": server.password}
    yield {**secret, "tls": "explicit", "allowUnauthorizedCerts": True}
    server.kill()


@pytest.fixture
def sftp(ssh_server: SshServer) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": ssh_server.port,
        "username": ssh_server.user,
        "privateKey": ssh_server.key,
    }


class Place:
    """A protocol, and where `folder` is by it."""

    def __init__(self, protocol: str, secret: dict[str, Any], root: str) -> None:
        self.protocol, self.secret, self.root = protocol, secret, root

    def node(self, operation: str, items: Any = ({"json": {}},), **given: Any) -> FakeContext:
        options = {name: given.pop(name) for name in ("on_error", "cancel_after") if name in given}
        ctx = FakeContext(
            CATALOGUE.fill_defaults("ftp", 1, {"protocol": self.protocol, "operation": operation, **given}),
            [list(items)],
            type="ftp",
            credentials={self.protocol: self.secret},
            evaluate_value=evaluate if has_expressions(given) else None,
            refused_hosts=frozenset({"inside"}),
            **options,
        )
        ctx.stored["x"] = BIG
        return ctx

    async def run(self, operation: str, items: Any = ({"json": {}},), **given: Any) -> list[Any]:
        return await run(self.node(operation, items, **given))


async def run(ctx: FakeContext) -> list[Any]:
    outputs = await CATALOGUE.implementation("ftp")(ctx)
    assert isinstance(outputs, list)
    items: list[Any] = outputs[0]
    return items


@pytest.fixture(params=["ftp", "ftps", "vsftpd", "sftp"])
def place(request: pytest.FixtureRequest, folder: Path) -> Place:
    secret = request.getfixturevalue(request.param)
    protocol = "sftp" if request.param == "sftp" else "ftp"
    return Place(protocol, secret, "/r" if request.param in {"ftp", "ftps"} else str(folder))


async def test_files_go_there_and_come_back(place: Place, folder: Path) -> None:
    path = f"{place.root}/new/dir/é b.bin"
    assert await place.run("upload", [FILE], path=path) == [{**FILE, "pairedItem": {"item": 0}}]
    assert (folder / "new/dir/é b.bin").read_bytes() == BIG
    down = place.node("download", [FILE], path=path, binaryPropertyName="back")
    (item,) = await run(down)
    assert item["json"] == {"a": 1}
    assert item["binary"]["data"] == FILE["binary"]["data"]
    entry = item["binary"]["back"]
    assert (entry["fileName"], entry["bytes"]) == ("é b.bin", len(BIG))
    assert down.stored[entry["id"]] == BIG


async def test_a_text_is_a_file(place: Place, folder: Path) -> None:
    for text in ("é\n", ""):
        await place.run("upload", path=f"{place.root}/t.txt", binaryData=False, fileContent=text)
        assert (folder / "t.txt").read_text() == text
        down = place.node("download", path=f"{place.root}/t.txt")
        (item,) = await run(down)
        assert item["binary"]["data"]["mimeType"] == "text/plain"
        assert down.stored[item["binary"]["data"]["id"]] == text.encode()


async def test_a_folder_is_listed(place: Place, folder: Path) -> None:
    (folder / "a b.txt").write_text("hello")
    (folder / "a b.txt").chmod(0o640)
    os.utime(folder / "a b.txt", (1_700_000_000, 1_700_000_000))
    (folder / "sub/deep").mkdir(parents=True)
    (folder / "sub/é").write_text("")
    (folder / "link").symlink_to("sub")
    found = {item["json"]["path"]: item["json"] for item in await place.run("list", path=place.root)}
    assert set(found) == {f"{place.root}/{name}" for name in ("a b.txt", "sub", "link")}
    file = found[f"{place.root}/a b.txt"]
    assert (file["type"], file["name"], file["size"]) == ("-", "a b.txt", 5)
    assert file["rights"] == {"user": "rw", "group": "r", "other": ""}
    exact = datetime.fromtimestamp(1_700_000_000, UTC)
    if place.protocol == "ftp":
        # a long listing of another year has no time
        assert file["modifyTime"] == f"{exact:%Y-%m-%d}T00:00:00.000Z"
        assert file["acl"] is False
    else:
        assert file["modifyTime"] == f"{exact:%Y-%m-%dT%H:%M:%S}.000Z"
        assert file["longname"].startswith("-rw-r-----")
    assert found[f"{place.root}/sub"]["type"] == "d"
    assert found[f"{place.root}/link"]["type"] == "l"


async def test_a_tree_is_listed_level_by_level(place: Place, folder: Path) -> None:
    (folder / "sub/deep").mkdir(parents=True)
    (folder / "sub/deep/c").write_text("")
    (folder / "sub/b").write_text("")
    (folder / "up").symlink_to("..")
    items = await place.run("list", path=f"{place.root}/", recursive=True)
    paths = [item["json"]["path"].removeprefix(place.root) for item in items]
    assert sorted(paths) == ["/sub", "/sub/b", "/sub/deep", "/sub/deep/c", "/up"]
    assert paths.index("/sub") < paths.index("/sub/b") < paths.index("/sub/deep/c")
    assert all(item["pairedItem"] == {"item": 0} for item in items)
    assert await place.run("list", path=f"{place.root}/sub/deep/") == [
        {"json": {**items[-1]["json"]}, "pairedItem": {"item": 0}}
    ]


async def test_names_of_other_encodings(vsftpd: dict[str, Any], sftp: dict[str, Any], folder: Path) -> None:
    (folder / os.fsdecode(b"caf\xe9")).write_text("x")
    for protocol, secret, name in (("ftp", vsftpd, "café"), ("sftp", sftp, "caf\ufffd")):
        (item,) = await Place(protocol, secret, "").run("list", path=str(folder))
        assert item["json"]["name"] == name


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"-rw-r--r--   1 root  root  5 Nov 03 2020 a b", "a b"),
        (b"-rw-r--r--+  1 root  root  5 Nov 03 2020 with rights", "with rights"),
        (b"-rw-r--r--.  1 root  root  5 Nov 03 2020 labelled", "labelled"),
        (b"drwxrwSr-T   1 root  root  5 Nov 03 2020 bits", "bits"),
        (b"crw-rw-rw-   1 root  root  0 Nov 03 2020 null", "null"),
        (b"10/30/2020  03:04 PM  <DIR>  Windows", "Windows"),
        (b"10/30/2020  03:04 PM   1,024 w.txt", "w.txt"),
        (b"total 12", ""),
        (b"", ""),
    ],
)
def test_lines_of_listings(line: bytes, name: str) -> None:
    path, _ = by_ftp.client_with().parse_list_line(line + b"\r\n")
    assert path.name == name


def test_a_line_that_is_not_understood_is_not_lost() -> None:
    with pytest.raises(ValueError, match="parsers"):
        by_ftp.client_with().parse_list_line(b"something else entirely\r\n")


async def test_a_list_has_a_limit(place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MAX_ENTRIES", 3)
    for name in "abcd":
        (folder / name).write_text("")
    with pytest.raises(NodeRunError) as caught:
        await place.run("list", path=place.root)
    assert caught.value.code == "TOO_LARGE"


async def test_a_file_is_renamed(place: Place, folder: Path) -> None:
    (folder / "a").write_text("x")
    given = {"oldPath": f"{place.root}/a", "newPath": f"{place.root}/new/dir/b"}
    with pytest.raises(NodeRunError):
        await place.run("rename", **given)
    assert await place.run("rename", **given, options={"createDirectories": True}) == [
        {"json": {"success": True}, "pairedItem": {"item": 0}}
    ]
    assert (folder / "new/dir/b").read_text() == "x"


async def test_files_and_folders_are_deleted(place: Place, folder: Path) -> None:
    (folder / "a").write_text("x")
    (folder / "full/deep").mkdir(parents=True)
    (folder / "full/deep/c").write_text("")
    (folder / "full/kept").symlink_to(folder)
    (folder / "empty").mkdir()
    await place.run("delete", path=f"{place.root}/a")
    await place.run("delete", path=f"{place.root}/empty", options={"folder": True})
    with pytest.raises(NodeRunError):
        await place.run("delete", path=f"{place.root}/full", options={"folder": True})
    await place.run("delete", path=f"{place.root}/full", options={"folder": True, "recursive": True})
    assert list(folder.iterdir()) == []


async def test_errors_are_the_item_s(place: Place, folder: Path) -> None:
    (folder / "there").write_text("x")
    ctx = place.node(
        "download",
        [{"json": {"p": f"{place.root}/{name}"}} for name in ("none", "there", "", "a\r\nDELE there")],
        path="={{ $json.p }}",
        on_error="continueRegularOutput",
    )
    missing, there, itself, broken = await run(ctx)
    assert f"'{place.root}/none'" in missing["json"]["error"]
    assert ctx.stored[there["binary"]["data"]["id"]] == b"x"
    assert "error" in itself["json"]
    assert "line break" in broken["json"]["error"]
    assert (folder / "there").exists()
    assert len(ctx.connected) == 1
    (upload,) = await place.run("upload", path=f"{place.root}/n", on_error="continueRegularOutput")
    assert upload["json"]["error"] == "The item has no file 'data'"


async def test_a_run_goes_on_after_its_connection_broke(place: Place, folder: Path) -> None:
    (folder / "big").write_bytes(BIG)
    ctx = place.node(
        "download", [{"json": {}}] * 2, path=f"{place.root}/big", on_error="continueRegularOutput"
    )
    ctx.most_bytes = 100_000
    for item in await run(ctx):
        assert "larger than 100000 bytes" in item["json"]["error"]
    assert len(ctx.connected) == 2


async def test_a_cancel_ends_a_transfer(place: Place, folder: Path) -> None:
    (folder / "big").write_bytes(BIG)
    with pytest.raises(Cancelled):
        await run(place.node("download", path=f"{place.root}/big", cancel_after=4))


async def test_who_may_not_come_in(place: Place) -> None:
    place.secret = {**place.secret, "username": "other", "password": "wrong", "privateKey": ""}
    with pytest.raises(NodeRunError) as caught:
        await place.run("list", path="/")
    assert caught.value.code == "AUTHENTICATION_FAILED"
    assert "wrong" not in f"{caught.value.message} {caught.value.description}"
    place.secret = {**place.secret, "port": 1}
    with pytest.raises(NodeRunError) as caught:
        await place.run("list", path="/")
    assert caught.value.code == "CONNECTION_ERROR"
    place.secret = {**place.secret, "host": "inside"}
    with pytest.raises(NodeRunError) as caught:
        await place.run("list", path="/")
    assert caught.value.code == "ADDRESS_REFUSED"


async def test_certificates_are_checked(ftps: dict[str, Any]) -> None:
    with pytest.raises(NodeRunError, match=r"(?i)certificate verify failed"):
        await Place("ftp", {**ftps, "allowUnauthorizedCerts": False}, "/r").run("list", path="/")


async def test_a_server_may_demand_tls(ftps: dict[str, Any]) -> None:
    with pytest.raises(NodeRunError, match=r"SSL|TLS"):
        await Place("ftp", {**ftps, "tls": "none"}, "/r").run("list", path="/")


async def test_tls_from_the_start(folder: Path, certificate: Path) -> None:
    server = Server(folder.parent, certificate, implicit=True)
    (folder / "a").write_text("x")
    try:
        place = Place("ftp", {**server.secret, "tls": "implicit", "allowUnauthorizedCerts": True}, "/r")
        assert [item["json"]["name"] for item in await place.run("list", path="/r")] == ["a"]
    finally:
        server.close()


async def test_a_server_s_answers_have_limits(folder: Path) -> None:
    """It greets without end."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while True:
                writer.write(b"220-and so on\r\n" * 100)
                await writer.drain()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    secret = {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1]}
    with pytest.raises(NodeRunError, match="it is too long"):
        await Place("ftp", secret, "/").run("list", path="/")
    server.close()
    with pytest.raises(NodeRunError, match="is no port"):
        await Place("ftp", {**secret, "port": "x"}, "/").run("list", path="/")


@pytest.mark.parametrize("kilobytes", [1, 256])
async def test_parts_of_a_file_are_asked_for_ahead(
    sftp: dict[str, Any], folder: Path, kilobytes: int
) -> None:
    (folder / "big").write_bytes(BIG)
    options = {"enableConcurrentReads": True, "maxConcurrentReads": 3, "chunkSize": kilobytes}
    ctx = Place("sftp", sftp, "").node("download", path=str(folder / "big"), options=options)
    (item,) = await run(ctx)
    assert ctx.stored[item["binary"]["data"]["id"]] == BIG


async def test_credentials_are_tried(ftp: dict[str, Any], ftps: dict[str, Any]) -> None:
    ctx = Place("ftp", ftp, "/").node("list")
    for good in (ftp, ftps):
        await connection.check(ctx, good)
        with pytest.raises(NodeRunError, match="530"):
            await connection.check(ctx, {**good, "password": "wrong"})
