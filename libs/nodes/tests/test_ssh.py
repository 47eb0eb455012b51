"""SSH against OpenSSH's server."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from weft_kit.testing.remote import SshServer
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.cases import evaluate, has_expressions
from weft_node_sdk.testing.fake import Cancelled, FakeContext
from weft_nodes.ssh_ import check, process
from weft_nodes.ssh_.client import Said, login_of, prepared, private_key
from weft_nodes.ssh_.node import command_in

CATALOGUE = Catalogue.load()
pytestmark = pytest.mark.integration
BIG = os.urandom(3_000_001)


@pytest.fixture
def secret(ssh_server: SshServer) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": ssh_server.port,
        "username": ssh_server.user,
        "privateKey": ssh_server.key,
    }


@pytest.fixture
def password(ssh_server: SshServer, secret: dict[str, Any]) -> dict[str, Any]:
    if not ssh_server.has_passwords:
        pytest.skip("sshd checks passwords for root only")
    return {**secret, "privateKey": "", "password": ssh_server.password}


@pytest.fixture
def home(ssh_server: SshServer, request: pytest.FixtureRequest) -> Path:
    folder = ssh_server.home / request.node.name
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Secrets are gone when the node is done."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


def node(secret: dict[str, Any], items: Any = ({"json": {}},), **given: Any) -> FakeContext:
    options = {name: given.pop(name) for name in ("on_error", "stored") if name in given}
    kind = "sshPrivateKey" if secret.get("privateKey") else "sshPassword"
    given = {"authentication": "privateKey" if secret.get("privateKey") else "password", **given}
    ctx = FakeContext(
        CATALOGUE.fill_defaults("ssh", 1, given),
        [list(items)],
        type="ssh",
        credentials={kind: secret},
        evaluate_value=evaluate if has_expressions(given) else None,
        on_error=options.get("on_error", "stopWorkflow"),
        refused_hosts=frozenset({"inside"}),
    )
    ctx.stored.update(options.get("stored", {}))
    return ctx


async def run(ctx: FakeContext) -> list[Any]:
    outputs = await CATALOGUE.implementation("ssh")(ctx)
    assert isinstance(outputs, list)
    items: list[Any] = outputs[0]
    return items


async def execute(secret: dict[str, Any], command: str, **given: Any) -> Any:
    (item,) = await run(node(secret, command=command, **given))
    return item["json"]


async def test_a_command_s_output_and_exit_code(secret: dict[str, Any]) -> None:
    assert await execute(secret, "echo out é; echo err >&2; pwd") == {
        "code": 0,
        "signal": None,
        "stdout": "out é\n/",
        "stderr": "err",
    }
    # as the client's own failures exit
    assert (await execute(secret, "exit 255"))["code"] == 255
    killed = await execute(secret, "kill -9 $$")
    assert (killed["code"], killed["signal"]) == (None, "unknown")
    with pytest.raises(NodeRunError, match="ended before the command did"):
        await execute(secret, "kill -9 $PPID; sleep 600")
    assert (await execute(secret, "exit 3", cwd="/tmp"))["code"] == 3


async def test_the_working_folder(secret: dict[str, Any], home: Path) -> None:
    folder = home / "a 'b' $c"
    folder.mkdir()
    assert (await execute(secret, "pwd", cwd=str(folder)))["stdout"] == str(folder)
    if secret["username"] == "weft":
        assert (await execute(secret, "pwd", cwd=f"~/{home.name}/{folder.name}"))["stdout"] == str(folder)
    missing = await execute(secret, "echo on", cwd="/no such; echo x")
    assert (missing["code"], missing["stdout"]) == (0, "on")
    assert "/no such; echo x" in missing["stderr"]


def test_a_folder_is_one_word_of_the_shell() -> None:
    assert command_in("", "ls") == "ls"
    assert command_in("~", "ls") == "cd ~\nls"
    assert command_in("~/a b", "ls") == "cd ~/'a b'\nls"
    assert command_in("$(x)", "ls") == "cd '$(x)'\nls"


async def test_a_password_signs_in(password: dict[str, Any]) -> None:
    assert (await execute(password, "echo in"))["stdout"] == "in"
    with pytest.raises(NodeRunError, match="does not accept the credential") as caught:
        await execute({**password, "password": "wrong"}, "echo in")
    assert caught.value.code == "AUTHENTICATION_FAILED"
    assert "wrong" not in caught.value.description


async def test_a_locked_key_signs_in(secret: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "locked"
    path.write_text(secret["privateKey"])
    path.chmod(0o600)
    await asyncio.to_thread(
        subprocess.run,
        ["ssh-keygen", "-q", "-p", "-P", "", "-N", "let $me in", "-f", str(path)],
        check=True,
    )
    locked = {**secret, "privateKey": path.read_text(), "passphrase": "let $me in"}
    assert (await execute(locked, "echo in"))["stdout"] == "in"
    with pytest.raises(NodeRunError, match="the passphrase is not its own"):
        await execute({**locked, "passphrase": "other"}, "echo in")
    with pytest.raises(NodeRunError, match="needs its passphrase"):
        await execute({**locked, "passphrase": ""}, "echo in")
    assert (await execute({**secret, "passphrase": "not needed"}, "echo in"))["stdout"] == "in"
    with pytest.raises(NodeRunError, match="can't be read"):
        await execute({**secret, "privateKey": "no key"}, "echo in")


@pytest.mark.parametrize("phrase", ["", "let $me in"])
async def test_keys_of_other_formats(secret: dict[str, Any], phrase: str) -> None:
    key = serialization.load_ssh_private_key(secret["privateKey"].encode(), None)
    locked = (
        serialization.BestAvailableEncryption(phrase.encode()) if phrase else serialization.NoEncryption()
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked).decode()
    assert (await execute({**secret, "privateKey": pem, "passphrase": phrase}, "echo in"))["stdout"] == "in"


async def test_keys_that_fields_have_bent(secret: dict[str, Any]) -> None:
    whole = secret["privateKey"]
    for bent in (
        whole.replace("\n", " "),
        whole.replace("\n", "\\n"),
        whole.replace("\n", "\r\n"),
        whole.strip(),
    ):
        assert (await execute({**secret, "privateKey": bent}, "echo in"))["stdout"] == "in"
    assert private_key("") == ""


async def test_the_server_s_key_is_checked_where_it_is_given(
    secret: dict[str, Any], ssh_server: SshServer
) -> None:
    right = (ssh_server.folder / "host.pub").read_text()
    other = (ssh_server.folder / "client.pub").read_text()
    assert (await execute({**secret, "hostKey": right}, "echo in"))["stdout"] == "in"
    with pytest.raises(NodeRunError, match="Host key verification failed"):
        await execute({**secret, "hostKey": other}, "echo in")


async def test_the_machine_s_environment_stays_here(
    secret: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEFT_SECRET", "x")
    assert "WEFT" not in (await execute(secret, "env"))["stdout"]


async def test_where_nothing_listens_and_where_nobody_may_go(secret: dict[str, Any]) -> None:
    with pytest.raises(NodeRunError, match="Connection refused"):
        await execute({**secret, "port": 1}, "true")
    with pytest.raises(NodeRunError) as caught:
        await execute({**secret, "host": "inside"}, "true")
    assert caught.value.code == "ADDRESS_REFUSED"
    with pytest.raises(NodeRunError, match="names no host"):
        await execute({**secret, "host": " "}, "true")


async def test_a_server_that_says_nothing(secret: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the connection and is silent: once before the keys, once after them."""
    monkeypatch.setattr("weft_nodes.ssh_.node._SECONDS", 0.3)
    silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    with pytest.raises(NodeRunError) as caught:
        await execute({**secret, "port": port}, "true")
    assert caught.value.code == "TIMEOUT"
    with pytest.raises(NodeRunError) as caught:
        await run(node({**secret, "port": port}, resource="file", operation="download", path="x"))
    assert caught.value.code == "TIMEOUT"
    silent.close()
    async with prepared(node(secret), login_of(secret)) as client:
        await process.finished(client.command("true"), env=client.env, name="It")
        assert client.said() == Said([], is_in=True, exited=True, killed=False)


async def test_output_has_a_limit(secret: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MAX_OUTPUT", 1000)
    with pytest.raises(NodeRunError) as caught:
        await execute(secret, "yes")
    assert caught.value.code == "TOO_LARGE"


async def test_a_cancelled_run_ends_the_connection(secret: dict[str, Any], home: Path) -> None:
    class Cancelling(FakeContext):
        async def checkpoint(self) -> None:
            if (home / "begun").exists():
                raise Cancelled

    given = vars(node(secret, command=f"echo $$ > {home}/begun; while echo on; do sleep 0.05; done"))
    names = ("given", "inputs", "type", "credentials")
    with pytest.raises(Cancelled):
        await run(Cancelling(**{name: given[name] for name in names}))
    pid = int((home / "begun").read_text())
    async with asyncio.timeout(60):
        while Path(f"/proc/{pid}").exists():
            await asyncio.sleep(0.02)


async def test_files_go_there_and_come_back(secret: dict[str, Any], home: Path) -> None:
    given = {"json": {"a": 1}, "binary": {"data": {"id": "x", "fileName": "../é b.bin"}}}
    up = node(secret, [given], resource="file", operation="upload", path=f"{home}/new/dir", stored={"x": BIG})
    assert [item["json"] for item in await run(up)] == [{"success": True}]
    assert (home / "new/dir/é b.bin").read_bytes() == BIG
    down = node(
        secret,
        [given],
        resource="file",
        operation="download",
        path=f"{home}/new/dir/é b.bin",
        binaryPropertyName="back",
        options={"fileName": "n.csv"},
    )
    (item,) = await run(down)
    assert item["json"] == {"a": 1}
    entry = item["binary"]["back"]
    assert item["binary"]["data"] == given["binary"]["data"]
    assert (entry["fileName"], entry["mimeType"], entry["bytes"]) == ("n.csv", "text/csv", len(BIG))
    assert down.stored[entry["id"]] == BIG


async def test_one_connection_moves_all_files(password: dict[str, Any], home: Path) -> None:
    items = [{"json": {"n": index}, "binary": {"data": {"id": "x"}}} for index in range(5)]
    up = node(
        password,
        items,
        resource="file",
        operation="upload",
        path=str(home),
        options={"fileName": "={{ $json.n }}"},
        stored={"x": b""},
    )
    await run(up)
    assert sorted(path.name for path in home.iterdir()) == ["0", "1", "2", "3", "4"]
    assert len(up.connected) == 1


async def test_a_path_from_the_home(secret: dict[str, Any], ssh_server: SshServer) -> None:
    if not ssh_server.has_passwords:
        pytest.skip("the account's home is its own")
    (ssh_server.home / "here.txt").write_text("x")
    ctx = node(secret, resource="file", operation="download", path="~/here.txt")
    (item,) = await run(ctx)
    assert item["binary"]["data"]["fileName"] == "here.txt"


async def test_errors_are_the_item_s(secret: dict[str, Any], home: Path) -> None:
    (home / "there").write_text("x")
    items = [{"json": {"p": f"{home}/{name}"}} for name in ("none", "there")]
    ctx = node(
        secret,
        [*items, {"json": {"p": str(home)}}, {"json": {"p": "a\nb"}}],
        resource="file",
        operation="download",
        path="={{ $json.p }}",
        on_error="continueRegularOutput",
    )
    missing, there, folder, broken = await run(ctx)
    assert missing["json"]["error"] == f"No such file: '{home}/none'"
    assert "binary" in there
    assert "The server could not do it" in folder["json"]["error"]
    assert "line break" in broken["json"]["error"]
    assert len(ctx.connected) == 1


async def test_credentials_are_tried(secret: dict[str, Any], password: dict[str, Any]) -> None:
    ctx = node(secret)
    for good in (secret, password):
        await check.check(ctx, good)
        await check.check_files(ctx, good)
    for tried in (check.check, check.check_files):
        with pytest.raises(NodeRunError, match="does not accept"):
            await tried(ctx, {**password, "password": "wrong"})
