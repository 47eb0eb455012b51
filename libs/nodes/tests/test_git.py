"""Git against repositories that are served by HTTP and SSH."""

import asyncio
import base64
import fcntl
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from weft_kit.testing.remote import SshServer
from weft_node_runner.adapters.files import AllowedFiles
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer, NodeRunError
from weft_node_sdk.testing.cases import evaluate, has_expressions
from weft_node_sdk.testing.fake import Cancelled, FakeContext
from weft_nodes.git_ import address, program, settings

CATALOGUE = Catalogue.load()
pytestmark = pytest.mark.integration
SECRET = {"username": "weft", "password": "geheim"}


def git(folder: Path, *words: str) -> str:
    """As a person would, at the command line."""
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout


class Handler(BaseHTTPRequestHandler):
    """`git http-backend` behind basic authentication below /private; /moved leads to /public."""

    root: Path

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self.serve()

    def do_POST(self) -> None:
        self.serve()

    def serve(self) -> None:
        path, _, query = self.path.partition("?")
        wanted = base64.b64encode(":".join(SECRET.values()).encode()).decode()
        if path.startswith("/private") and self.headers.get("Authorization") != f"Basic {wanted}":
            return self.answer(401, [("WWW-Authenticate", 'Basic realm="git"')], b"")
        if path.startswith("/moved"):
            return self.answer(301, [("Location", self.path.replace("/moved", "/public"))], b"")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_USER": "weft",
        }
        words = ["git", "http-backend"]
        out = subprocess.run(words, input=body, env=env, capture_output=True, check=False).stdout
        head, _, rest = out.partition(b"\r\n\r\n")
        headers = [
            (name, value) for name, _, value in (line.partition(": ") for line in head.decode().split("\r\n"))
        ]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        return self.answer(status, [each for each in headers if each[0] != "Status"], rest)

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """Bare repositories `public.git` and `private.git` with one commit on `main`."""
    root = tmp_path / "served"
    seed = tmp_path / "seed"
    seed.mkdir()
    git(seed, "init", "-q")
    (seed / "README.md").write_text("hi\n")
    git(seed, "add", ".")
    git(seed, "commit", "-qm", "First: one")
    root.mkdir()
    for name in ("public", "private"):
        git(root, "clone", "-q", "--bare", str(seed), f"{name}.git")
        git(root / f"{name}.git", "config", "http.receivepack", "true")
    return root


@pytest.fixture
def url(served: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Served", (Handler,), {"root": served}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Secrets are gone when the node is done."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    """The folder that nodes may use."""
    return tmp_path / "allowed"


class Node:
    """The node with an allowed folder."""

    def __init__(self, allowed: Path) -> None:
        self.allowed = allowed
        self.connected: list[tuple[str, int]] = []

    def context(
        self, operation: str, items: Any = ({"json": {}},), version: float = 1.1, **given: Any
    ) -> FakeContext:
        options = {name: given.pop(name) for name in ("on_error", "cancel_after", "serve") if name in given}
        given = {"operation": operation, "repositoryPath": "repository", **given}
        ctx = FakeContext(
            CATALOGUE.fill_defaults("git", version, given),
            [list(items)],
            version=version,
            type="git",
            credentials={"gitPassword": SECRET},
            evaluate_value=evaluate if has_expressions(given) else None,
            refused_hosts=frozenset({"inside"}),
            **{"serve": lambda _: HttpAnswer(200, "OK", [], b""), **options},
        )
        ctx.files = AllowedFiles([self.allowed])
        return ctx

    async def run(self, operation: str, items: Any = ({"json": {}},), **given: Any) -> list[Any]:
        ctx = self.context(operation, items, **given)
        outputs = await CATALOGUE.implementation("git")(ctx)
        assert isinstance(outputs, list)
        self.connected = ctx.connected
        return [item["json"] for item in outputs[0]]


@pytest.fixture
async def node(allowed: Path, url: str) -> Node:
    """With a clone of the public repository, in which somebody may commit."""
    node = Node(allowed)
    assert await node.run("clone", sourceRepository=f"{url}/public.git") == [{"success": True}]
    await node.run("addConfig", key="user.name", value="Grace")
    await node.run("addConfig", key="user.email", value="grace@example.org")
    return node


async def status(node: Node, **given: Any) -> dict[str, Any]:
    """What there is to say."""
    (found,) = await node.run("status", **given)
    return {name: held for name, held in found.items() if held}


async def test_a_clone_knows_where_it_comes_from(node: Node, url: str) -> None:
    assert (node.allowed / "repository/README.md").read_text() == "hi\n"
    assert [path.name for path in node.allowed.iterdir()] == ["repository"]
    assert await node.run("listConfig") == [
        {
            "_file": ".git/config",
            "core.repositoryformatversion": "0",
            "core.filemode": "true",
            "core.bare": "false",
            "core.logallrefupdates": "true",
            "remote.origin.url": f"{url}/public.git",
            "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*",
            "branch.main.remote": "origin",
            "branch.main.merge": "refs/heads/main",
            "user.name": "Grace",
            "user.email": "grace@example.org",
        }
    ]
    (commit,) = await node.run("log")
    assert len(commit["hash"]) == 40
    assert commit["date"].startswith("20")
    del commit["hash"], commit["date"]
    assert commit == {
        "message": "First: one",
        "refs": "HEAD -> main, origin/main, origin/HEAD",
        "body": "",
        "author_name": "Ada",
        "author_email": "ada@example.org",
    }
    assert await status(node) == {"current": "main", "tracking": "origin/main"}


async def test_a_clone_takes_no_folder_that_is_in_use(node: Node, url: str) -> None:
    with pytest.raises(NodeRunError, match="is there already"):
        await node.run("clone", sourceRepository=f"{url}/public.git")
    (node.allowed / "empty").mkdir()
    await node.run("clone", sourceRepository=f"{url}/public.git", repositoryPath="empty/")
    await node.run("clone", sourceRepository=f"{url}/public.git", repositoryPath=f"{node.allowed}/new/deep")
    (node.allowed / "link").symlink_to("/tmp")
    with pytest.raises(NodeRunError, match="is there already"):
        await node.run("clone", sourceRepository=f"{url}/public.git", repositoryPath="link")
    assert sorted(path.name for path in node.allowed.iterdir()) == ["empty", "link", "new", "repository"]


async def test_work_is_shown_added_and_committed(node: Node) -> None:
    folder = node.allowed / "repository"
    for name in ("gone", "old", "changed"):
        (folder / name).write_text(f"{name}\n" * 9)
    await node.run("add", pathsToAdd="gone, old,changed")
    await node.run("commit", message="Base")
    (folder / "gone").unlink()
    git(folder, "mv", "old", "é new")
    (folder / "changed").write_text("x")
    (folder / "both").write_text("1")
    git(folder, "add", "both")
    (folder / "both").write_text("2")
    (folder / "d").mkdir()
    (folder / "d/f").write_text("")
    (folder / "n").write_text("")
    assert await status(node) == {
        "not_added": ["d/f", "n"],
        "created": ["both"],
        "deleted": ["gone"],
        "modified": ["both", "changed"],
        "renamed": [{"from": "old", "to": "é new"}],
        "files": [
            {"path": "both", "index": "A", "working_dir": "M"},
            {"path": "changed", "index": " ", "working_dir": "M"},
            {"path": "gone", "index": " ", "working_dir": "D"},
            {"path": "é new", "index": "R", "working_dir": " ", "from": "old"},
            {"path": "d/f", "index": "?", "working_dir": "?"},
            {"path": "n", "index": "?", "working_dir": "?"},
        ],
        "staged": ["both"],
        "ahead": 1,
        "current": "main",
        "tracking": "origin/main",
    }
    assert await node.run("commit", message="Second: two\n\nbody é\nmore") == [{"success": True}]
    latest, base = await node.run("log", limit=2)
    assert (latest["message"], latest["body"], latest["author_name"]) == (
        "Second: two",
        "body é\nmore\n",
        "Grace",
    )
    assert base["message"] == "Base"
    await node.run("commit", message="One of them", options={"pathsToAdd": "n"})
    assert (await status(node))["not_added"] == ["d/f"]
    assert [each["message"] for each in await node.run("log", returnAll=True, options={"file": "n"})] == [
        "One of them"
    ]
    assert await node.run("log", options={"file": "nowhere"}) == []
    await node.run("add", pathsToAdd=".")
    assert set(await status(node, repositoryPath="repository/d")) == {
        "created", "deleted", "modified", "files", "staged", "ahead", "current", "tracking"
    }  # fmt: skip
    with pytest.raises(NodeRunError, match="did not match any files"):
        await node.run("add", pathsToAdd="none")


async def test_nothing_to_commit_is_no_failure(node: Node) -> None:
    before = await node.run("log")
    assert await node.run("commit", message="none") == [{"success": True}]
    assert await node.run("log") == before


async def test_branches(node: Node, served: Path) -> None:
    folder = node.allowed / "repository"
    assert await node.run("switchBranch", branchName="feature/a") == [
        {"success": True, "branch": "feature/a"}
    ]
    (folder / "a").write_text("x")
    await node.run("commit", message="On it", options={"pathsToAdd": "a"})
    await node.run("switchBranch", branchName="main")
    assert not (folder / "a").exists()
    with pytest.raises(NodeRunError, match="no branch 'none'"):
        await node.run("switchBranch", branchName="none", options={"createBranch": False})
    with pytest.raises(NodeRunError, match="no name of a branch"):
        await node.run("switchBranch", branchName="--orphan")
    (folder / "README.md").write_text("changed")
    await node.run("switchBranch", branchName="again", options={"startPoint": "feature/a", "force": True})
    assert (folder / "a").exists()
    assert (folder / "README.md").read_text() == "hi\n"
    await node.run("switchBranch", branchName="follows", options={"setUpstream": True})
    assert await status(node) == {"current": "follows", "tracking": "origin/follows"}
    (folder / "b").write_text("x")
    await node.run("commit", message="There", options={"branch": "feature/a", "pathsToAdd": "b"})
    assert (await status(node))["current"] == "feature/a"
    moves = await node.run("reflog", limit=2)
    assert moves[0] | {"hash": ""} == {
        "hash": "",
        "ref": "HEAD@{0}",
        "action": "commit",
        "message": "There",
        "raw": f"{moves[0]['hash']} HEAD@{{0}}: commit: There",
    }
    assert moves[1]["action"] == "checkout"
    (clone,) = await node.run("reflog", returnAll=True, options={"reference": "main"})
    assert clone["action"] == "clone"
    git(served / "public.git", "branch", "theirs", "main")
    await node.run("fetch")
    await node.run("switchBranch", branchName="theirs")
    assert await status(node) == {"current": "theirs", "tracking": "origin/theirs"}


async def test_work_goes_to_the_server_and_comes_back(
    node: Node, served: Path, url: str, allowed: Path
) -> None:
    folder = allowed / "repository"
    (folder / "a").write_text("x")
    await node.run("commit", message="Mine", options={"pathsToAdd": "a"})
    await node.run("push")
    assert node.connected[0][0] == "127.0.0.1"
    assert "Mine" in git(served / "public.git", "log", "--format=%s", "main")
    await node.run("tag", name="v1")
    await node.run("pushTags")
    assert git(served / "public.git", "tag").strip() == "v1"
    await node.run("push", options={"branch": "other"})
    assert await status(node) == {"current": "other", "tracking": "origin/other"}
    await node.run("push", options={"targetRepository": f"{url}/private.git"}, authentication="gitPassword")
    assert "Mine" in git(served / "private.git", "log", "--format=%s", "other")
    await node.run("clone", sourceRepository=f"{url}/public.git", repositoryPath="second")
    await node.run("switchBranch", branchName="main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "Later")
    await node.run("push")
    await node.run("fetch", repositoryPath="second")
    assert (await status(node, repositoryPath="second"))["behind"] == 1
    await node.run("pull", repositoryPath="second")
    assert (await node.run("log", repositoryPath="second", limit=1))[0]["message"] == "Later"
    git(folder, "switch", "-qc", "lost")
    with pytest.raises(NodeRunError, match="no upstream branch"):
        await node.run("push")
    with pytest.raises(NodeRunError, match="tag 'v1' already exists"):
        await node.run("tag", name="v1")


async def test_a_credential_opens_a_repository_and_is_not_kept(url: str, allowed: Path) -> None:
    node = Node(allowed)
    source = f"{url}/private.git"
    with pytest.raises(NodeRunError, match="wants a user and a password"):
        await node.run("clone", sourceRepository=source)
    await node.run("clone", sourceRepository=source, authentication="gitPassword")
    for operation in ("fetch", "pull", "push"):
        await node.run(operation, authentication="gitPassword")
        with pytest.raises(NodeRunError, match="wants a user"):
            await node.run(operation)
    assert not [path for path in allowed.rglob("*") if path.is_file() and b"geheim" in path.read_bytes()]
    wrong = source.replace("//", "//weft:falsch@")
    with pytest.raises(NodeRunError, match="does not accept the credential") as caught:
        await node.run("clone", sourceRepository=wrong, repositoryPath="second")
    assert "falsch" not in f"{caught.value.message}{caught.value.description}"
    await node.run("clone", sourceRepository=source.replace("//", "//weft:geheim@"), repositoryPath="third")


async def test_by_ssh(
    ssh_server: SshServer, served: Path, allowed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not ssh_server.has_passwords:
        pytest.skip("sshd checks passwords for root only")
    node = Node(allowed)
    monkeypatch.setitem(SECRET, "password", ssh_server.password)
    source = f"ssh://weft@127.0.0.1:{ssh_server.port}{served}/public.git"
    await node.run("clone", sourceRepository=source, authentication="gitPassword")
    assert node.connected == [("127.0.0.1", ssh_server.port)]
    await node.run("push", options={"branch": "new"}, authentication="gitPassword")
    assert "new" in git(served / "public.git", "branch")
    with pytest.raises(NodeRunError, match="does not accept the credential"):
        await node.run("fetch")


@pytest.mark.parametrize(
    "source",
    [
        "ext::sh -c touch% /tmp/pwned",
        "file:///etc",
        "/etc",
        "../served/public.git",
        "git://example.org/a.git",
        "--upload-pack=touch x",
        "ssh://-oProxyCommand=x/a",
        "-oProxyCommand=x:a",
        "https://example.org\\@inside/a",
        "https://a@b@inside/a",
        "https://example.org?@inside/a",
        "https://example.org#@inside/a",
        "fd::3",
        "",
    ],
)
async def test_other_ways_are_refused(allowed: Path, source: str) -> None:
    with pytest.raises(NodeRunError) as caught:
        await Node(allowed).run("clone", sourceRepository=source)
    assert caught.value.code == "GIT_REFUSED"


def test_addresses_are_read_as_git_reads_them() -> None:
    found = address.parsed("git@example.org:owner/a.git")
    assert (found.scheme, found.host, found.port, found.user) == ("ssh", "example.org", 22, "git")
    found = address.parsed("https://me:p%40ss@example.org:8443/a.git")
    assert (found.host, found.port, found.user, found.password) == ("example.org", 8443, "me", "p@ss")
    assert "p%40ss" not in repr(found)
    assert address.parsed("https://[2001:db8::1]/a").host == "2001:db8::1"


async def test_hosts_are_checked(allowed: Path) -> None:
    for source in ("http://inside/a.git", "ssh://inside/a.git", "me@inside:a.git"):
        with pytest.raises(NodeRunError) as caught:
            await Node(allowed).run("clone", sourceRepository=source)
        assert caught.value.code == "ADDRESS_REFUSED"


async def test_the_host_that_git_would_go_to_is_checked(node: Node) -> None:
    """A branch that names two remotes follows the last."""
    await node.run("addConfig", key="remote.other.url", value="http://inside/a.git", version=1)
    appended = {"value": "other", "options": {"mode": "append"}, "version": 1}
    await node.run("addConfig", key="branch.main.remote", **appended)
    for operation in ("fetch", "pull", "push", "pushTags"):
        with pytest.raises(NodeRunError) as caught:
            await node.run(operation)
        assert caught.value.code == "ADDRESS_REFUSED"


async def test_redirects_stay_at_their_server(url: str, allowed: Path) -> None:
    node = Node(allowed)

    def moved(place: str) -> Any:
        def serve(request: Any) -> HttpAnswer:
            if "/moved" not in request.url:
                return HttpAnswer(200, "OK", [], b"")
            location = place + "/public.git/info/refs?service=git-upload-pack"
            return HttpAnswer(301, "Moved", [("Location", location)], b"")

        return serve

    source = f"{url}/moved.git"
    await node.run("clone", sourceRepository=source, serve=moved(""))
    assert (await node.run("listConfig"))[0]["remote.origin.url"] == f"{url}/public.git"
    with pytest.raises(NodeRunError, match="has moved to https://elsewhere"):
        await node.run("clone", sourceRepository=source, repositoryPath="b", serve=moved("https://elsewhere"))
    with pytest.raises(NodeRunError, match="301"):
        await node.run("clone", sourceRepository=source, repositoryPath="c")


@pytest.mark.parametrize("path", ["..", "/etc", "repository/../../x", "repository/.Git", "up/seed", ""])
async def test_folders_elsewhere_are_refused(node: Node, tmp_path: Path, path: str) -> None:
    (node.allowed / "up").symlink_to(tmp_path)
    for operation in ("status", "clone"):
        with pytest.raises(NodeRunError) as caught:
            await node.run(operation, repositoryPath=path, sourceRepository="https://example.org/a")
        assert caught.value.code in {"FILE_REFUSED", "FILE_ERROR"}


async def test_no_repository_is_looked_for_above(tmp_path: Path, allowed: Path) -> None:
    git(tmp_path, "init", "-q")
    (allowed / "plain").mkdir(parents=True)
    with pytest.raises(NodeRunError, match="is no Git repository"):
        await Node(allowed).run("status", repositoryPath="plain")
    with pytest.raises(NodeRunError, match="does not exist"):
        await Node(allowed).run("status", repositoryPath="none")


@pytest.mark.parametrize(
    "setting",
    [
        "core.fsmonitor",
        "core.sshCommand",
        "core.hooksPath",
        "core.worktree",
        "core.pager",
        "diff.external",
        "filter.x.clean",
        "merge.x.driver",
        "credential.helper",
        "alias.status",
        "include.path",
        "includeIf.gitdir:/.path",
        "url.ext::x.insteadOf",
        "remote.origin.uploadpack",
        "remote.origin.vcs",
        "remote.origin.pushurl",
        "remote.pushDefault",
        "gpg.program",
        "gc.recentObjectsHook",
        "submodule.x.update",
        "http.proxy",
        "extensions.worktreeConfig",
    ],
)
async def test_settings_that_reach_further_are_refused(node: Node, setting: str) -> None:
    with pytest.raises(NodeRunError) as caught:
        await node.run("addConfig", key=setting, value="x", version=1)
    assert caught.value.code == "GIT_REFUSED"
    git(node.allowed / "repository", "config", setting, "/nonexistent")
    with pytest.raises(NodeRunError, match="is not allowed"):
        await node.run("status")


async def test_nothing_of_a_repository_is_run(node: Node, tmp_path: Path) -> None:
    folder = node.allowed / "repository"
    witness = tmp_path / "witness"
    for hook in ("pre-commit", "post-checkout", "pre-push", "reference-transaction", "post-commit"):
        path = folder / ".git/hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {witness}\n")
        path.chmod(0o755)
    (folder / "a").write_text("x")
    await node.run("commit", message="Mine", options={"pathsToAdd": "a"})
    await node.run("switchBranch", branchName="b")
    await node.run("push", options={"branch": "main"})
    assert not witness.exists()


async def test_parts_of_other_repositories_are_refused(node: Node, tmp_path: Path) -> None:
    folder = node.allowed / "repository"
    (folder / ".git/objects/info/alternates").write_text(f"{tmp_path}/seed/.git/objects\n")
    with pytest.raises(NodeRunError, match="part of another"):
        await node.run("log")
    (node.allowed / "linked").mkdir()
    (node.allowed / "linked/.git").write_text(f"gitdir: {tmp_path}/seed/.git\n")
    with pytest.raises(NodeRunError, match="lies elsewhere"):
        await node.run("log", repositoryPath="linked")


def test_names_of_settings_are_read_as_git_reads_them() -> None:
    settings.check("Remote.My.Origin.URL")
    settings.check("branch.feature/a.merge")
    with pytest.raises(NodeRunError):
        settings.check("Core.SSHCommand")


async def test_settings_stay_as_they_were_checked_while_git_is_at_work(
    node: Node, allowed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a parallel run could name another server between the check of its address and Git's going there."""
    monkeypatch.setattr(program, "_WAIT_SECONDS", 0.2)
    change = {"key": "remote.origin.url", "value": "http://inside/a.git"}
    other = os.open(allowed / "repository" / ".git", os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_SH)  # a run that reads or goes to the server
        assert (await status(node))["current"] == "main"
        with pytest.raises(NodeRunError, match="another run"):
            await node.run("addConfig", **change)
        fcntl.flock(other, fcntl.LOCK_EX)  # a run that changes settings
        with pytest.raises(NodeRunError, match="another run"):
            await node.run("push")
        monkeypatch.setattr(program, "_WAIT_SECONDS", 60.0)
        waiting = asyncio.create_task(node.run("addConfig", **change))
        await asyncio.sleep(0)
        assert not waiting.done()
        fcntl.flock(other, fcntl.LOCK_UN)
        assert await waiting == [{"success": True}]
    finally:
        os.close(other)
    with pytest.raises(NodeRunError) as caught:
        await node.run("push")
    assert caught.value.code == "ADDRESS_REFUSED"


async def test_settings(node: Node) -> None:
    await node.run("addConfig", key="user.name", value="Second", options={"mode": "append"})
    assert (await node.run("listConfig"))[0]["user.name"] == ["Grace", "Second"]
    await node.run("addConfig", key="user.name", value="Only")
    assert (await node.run("listConfig"))[0]["user.name"] == "Only"
    await node.run("addConfig", key="pull.rebase", value="true", version=1)
    with pytest.raises(NodeRunError, match="none of the choices"):
        await node.run("addConfig", key="pull.rebase", value="true")
    with pytest.raises(NodeRunError, match="address is not one of"):
        await node.run("addConfig", key="remote.origin.url", value="ext::sh -c x")
    assert await node.run("userSetup") == []


async def test_a_remote_s_name_is_no_option(node: Node, url: str) -> None:
    name = "--upload-pack=touch x"
    await node.run("addConfig", key=f"remote.{name}.url", value=f"{url}/public.git", version=1)
    await node.run("addConfig", key="branch.main.remote", value=name, version=1)
    for operation in ("fetch", "pull", "push", "pushTags"):
        with pytest.raises(NodeRunError, match="no name of a remote"):
            await node.run(operation)


async def test_errors_are_the_item_s(node: Node) -> None:
    items = [{"json": {"n": name}} for name in ("v1", "", "v2")]
    found = await node.run("tag", items, name="={{ $json.n }}", on_error="continueRegularOutput")
    assert [found[0], found[2]] == [{"success": True}] * 2
    assert "no name of a tag" in found[1]["error"]
    assert git(node.allowed / "repository", "tag").split() == ["v1", "v2"]


async def test_who_commits_must_be_known(url: str, allowed: Path) -> None:
    node = Node(allowed)
    await node.run("clone", sourceRepository=f"{url}/public.git")
    (allowed / "repository/a").write_text("x")
    with pytest.raises(NodeRunError, match="does not know who commits"):
        await node.run("commit", message="x", options={"pathsToAdd": "a"})


async def test_a_cancelled_clone_leaves_nothing(allowed: Path) -> None:
    silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    ctx = Node(allowed).context("clone", sourceRepository=f"http://127.0.0.1:{port}/a.git", cancel_after=3)
    with pytest.raises(Cancelled):
        await CATALOGUE.implementation("git")(ctx)
    silent.close()
    assert list(allowed.iterdir()) == []
