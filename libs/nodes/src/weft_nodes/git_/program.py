"""The program `git`, kept from running others: a repository's settings are checked before it reads them, hooks, helpers
and editors are off, and it goes by https and ssh alone, to addresses that were checked. docs/decisions/0007 says why.
"""

import asyncio
import fcntl
import os
import shlex
import stat
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from weft_node_sdk.context import NodeRunError, OpenFolder, RunContext

from weft_nodes.git_ import settings
from weft_nodes.git_.address import Address
from weft_nodes.network.secret_folder import secret_folder
from weft_nodes.ssh_ import client, process

_SECONDS: Final = 3600.0
_WAIT_SECONDS: Final = 60.0
"""For other runs to be done with a repository."""
_OFF: Final = (
    "safe.bareRepository=explicit",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.editor=false",
    "credential.helper=",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "push.gpgSign=false",
    "log.showSignature=false",
    "merge.verifySignatures=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "gc.auto=0",
    "maintenance.auto=false",
    "init.templateDir=",
    "http.followRedirects=false",
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=60",
    "core.protectNTFS=true",
    "core.protectHFS=true",
)
_LENDING: Final = ("commondir", "objects/info/alternates", "objects/info/http-alternates")
"""Files of a repository that make it a part of another one."""
_NEEDS: Final = {
    "could not read Username": "The repository's server wants a user and a password",
    "Authentication failed": "The repository's server does not accept the credential",
    "Please tell me who you are": "Git does not know who commits: set user.name and user.email first",
    "update url base from redirection": "The repository has moved: use the address that it redirects to",
}


class Git:
    """Git in one folder. `inner`: how to get from there to the work tree's top, as `../`."""

    def __init__(
        self,
        ctx: RunContext,
        folder: OpenFolder,
        home: str,
        inner: str | None,
        more: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
    ) -> None:
        """`more`: of the environment. `secrets`: what no message may show."""
        self._ctx = ctx
        self._folder = folder
        self._home = home
        self._inner = inner
        self._secrets = secrets
        self._env = process.environment(
            HOME=home,
            GIT_CONFIG_NOSYSTEM="1",
            GIT_CONFIG_GLOBAL=os.devnull,
            GIT_ATTR_NOSYSTEM="1",
            GIT_TERMINAL_PROMPT="0",
            GIT_ALLOW_PROTOCOL="http:https:ssh",
            GIT_SSH_COMMAND="false",
            GIT_ASKPASS="false",
            GIT_PAGER="cat",
            GIT_EDITOR="false",
            GIT_MERGE_AUTOEDIT="no",
        ) | dict(more or {})

    async def run(self, *words: str, accepted: Sequence[int] = (0,)) -> process.Finished:
        """Raises NodeRunError for an exit code that is not `accepted`."""
        place = []
        if self._inner is not None:
            place = [f"--git-dir={self._inner}.git", f"--work-tree={self._inner or '.'}"]
        off = [word for setting in _OFF for word in ("-c", setting)]
        done = await process.finished(
            ["git", *place, *off, *words],
            env=self._env,
            name="Git",
            seconds=_SECONDS,
            checkpoint=self._ctx.checkpoint,
            cwd=self._folder.cwd,
        )
        if done.code not in accepted:
            raise self._failure(done)
        return done

    async def text(self, *words: str) -> str:
        done = await self.run(*words)
        return done.out.decode("utf-8", "replace")

    @asynccontextmanager
    async def reaching(self, address: Address, secret: Mapping[str, Any]) -> AsyncIterator["Git"]:
        """Git that can go to one server, with a user and a password (`username`, `password`) if there are any. Raises
        NodeRunError where the address is refused."""
        user = str(secret.get("username") or "") or address.user
        password = str(secret.get("password") or "") or address.password
        secrets = [each for each in (password, address.password) if each]

        def git(more: Mapping[str, str]) -> Git:
            return Git(self._ctx, self._folder, self._home, self._inner, more, secrets)

        if address.scheme == "ssh":
            login = client.Login(address.host, address.port, user or "git", password)
            async with client.prepared(self._ctx, login) as ssh:
                words = shlex.join(["ssh", *ssh.options, "-o", f"HostName={ssh.address}"])
                try:
                    yield git({**ssh.env, "GIT_SSH_COMMAND": words, "GIT_SSH_VARIANT": "ssh"})
                except NodeRunError as error:
                    raise (ssh.failure() or error) from None
            return
        resolved = await self._ctx.connect_address(address.host, address.port)
        place = f"[{resolved}]" if ip_address(resolved).version == 6 else resolved
        more = _setting("http.curloptResolve", f"{address.host}:{address.port}:{place}")
        if secret.get("username") or secret.get("password"):
            more |= _asked(Path(self._home), user, password)
        yield git(more)

    def _failure(self, done: process.Finished) -> NodeRunError:
        said = done.err.decode("utf-8", "replace").strip() or done.out.decode("utf-8", "replace").strip()
        for secret in self._secrets:
            said = said.replace(secret, "***")
        lines = [line for line in said.splitlines() if not line.startswith("hint:")]
        last = next(
            (line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else ""
        )
        text = next((ours for theirs, ours in _NEEDS.items() if theirs in said), f"Git: {last}")
        return NodeRunError(text, description="\n".join(lines), code="GIT_FAILED")


def _setting(name: str, value: str) -> dict[str, str]:
    """A setting by environment: the words of a command are for all to see."""
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": name, "GIT_CONFIG_VALUE_0": value}


def _asked(folder: Path, user: str, password: str) -> dict[str, str]:
    for name, text in (("username", user), ("password", password)):
        (folder / name).touch(0o600)
        (folder / name).write_text(f"{text}\n")
    return {"GIT_ASKPASS": str(client.ASKPASS), "WEFT_ASKPASS_FOLDER": str(folder)}


def _kind(folder: OpenFolder, path: str) -> int:
    """A file's type, links not followed; 0 where there is none."""
    try:
        return stat.S_IFMT(os.stat(path, dir_fd=folder.handle, follow_symlinks=False).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _top(folder: OpenFolder) -> str:
    """The way up to the folder that holds `.git`, not above what the installation allows. Raises NodeRunError."""
    for steps in range(folder.depth + 1):
        up = "../" * steps
        kind = _kind(folder, f"{up}.git")
        if kind == stat.S_IFDIR:
            lending = any(_kind(folder, f"{up}.git/{name}") for name in _LENDING)
            if lending or _kind(folder, f"{up}.git/config") not in {0, stat.S_IFREG}:
                raise NodeRunError("The repository is a part of another one", code="GIT_REFUSED")
            return up
        if kind:
            raise NodeRunError("The folder's repository lies elsewhere", code="GIT_REFUSED")
    raise NodeRunError(f"The folder '{folder.path}' is no Git repository", code="GIT_FAILED")


@asynccontextmanager
async def _held(ctx: RunContext, folder: OpenFolder, top: str, *, alone: bool) -> AsyncIterator[None]:
    """Others may be in the repository, too, unless `alone`. Raises NodeRunError where they are in it for too long."""
    place = os.open(f"{top}.git", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder.handle)
    try:
        until = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                fcntl.flock(place, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    text = "The repository's settings can't be changed or read while another run is at work in it"
                    raise NodeRunError(text, code="GIT_FAILED") from None
            await asyncio.sleep(0.05)
            await ctx.checkpoint()
        yield
    finally:
        os.close(place)


@asynccontextmanager
async def bare(ctx: RunContext, folder: OpenFolder) -> AsyncIterator[Git]:
    """Git in a folder that is no repository."""
    with secret_folder() as home:
        yield Git(ctx, folder, home, None)


@asynccontextmanager
async def repository(
    ctx: RunContext, path: str, *, configures: bool = False
) -> AsyncIterator[tuple[Git, list[tuple[str, str]]]]:
    """Git in a repository, and the repository's settings: nobody changes them meanwhile, as Git reads them again.
    `configures`: to change them. Raises NodeRunError where `path` is none, or has settings that are not let
    through."""
    async with ctx.files.folder(path) as folder:
        top = _top(folder)
        async with _held(ctx, folder, top, alone=configures):
            with secret_folder() as home:
                listing = await Git(ctx, folder, home, None).run(
                    f"--git-dir={home}/none",
                    "config",
                    "--file",
                    f"{top}.git/config",
                    "--no-includes",
                    "--list",
                    "-z",
                )
                held = settings.parsed(listing.out)
                for name, _ in held:
                    settings.check(name)
                yield Git(ctx, folder, home, top), held
