"""OpenSSH's client as a child process; docs/decisions/0010 says why.

Everything that it needs lies in a folder of one call: the secrets, readable by us alone, and the known hosts. It
reads no configuration and no keys of the machine, asks nobody, and connects to the address that was checked.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from weft_node_sdk.context import NodeRunError, Outbound
from weft_node_sdk.values import to_text

from weft_nodes.network.ports import port_of
from weft_nodes.network.secret_folder import secret_folder
from weft_nodes.ssh_.process import environment

_ALIAS: Final = "server"
"""The server's name among the known hosts of a call."""
ASKPASS: Final = Path(__file__).with_name("askpass.sh")
"""Prints a secret from WEFT_ASKPASS_FOLDER. A part of the package: temporary folders may hold no programs."""
_OPTIONS: Final = (
    f"HostKeyAlias={_ALIAS}",
    "GlobalKnownHostsFile=/dev/null",
    "UpdateHostKeys=no",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "AddKeysToAgent=no",
    "NumberOfPasswordPrompts=1",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "ControlMaster=no",
    "ControlPath=none",
    "RequestTTY=no",
    "EscapeChar=none",
    "LogLevel=ERROR",
    # that it is in, how the command ended (its exit code does not tell), why a tunnel leads nowhere
    "LogVerbose=*:client_input_channel_req():*,*:ssh_userauth2():*,*:channel_input_open_failure():*",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=4",
)
_VERBOSE: Final = re.compile(r"(?:debug\d: )?\w+\.c:\w+\(\):\d+ \(pid=\d+\): (.*)")
_PEM: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.+?)-----END \1-----", re.DOTALL)


@dataclass(frozen=True)
class Login:
    """Where and as whom. `host_key`: what the server must show, as in known_hosts; empty: any."""

    host: str
    port: int
    user: str
    password: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    host_key: str = ""


def login_of(secret: Mapping[str, Any]) -> Login:
    """From the fields of a credential. Raises NodeRunError where it can't be one."""

    def text(name: str) -> str:
        return str(to_text(secret.get(name) or ""))

    host = text("host").strip()
    if not host:
        raise NodeRunError("The credential names no host", code="CREDENTIAL_INVALID")
    return Login(
        host,
        port_of(secret.get("port"), 22),
        text("username"),
        text("password"),
        private_key(text("privateKey")),
        text("passphrase"),
        text("hostKey").strip(),
    )


def private_key(given: str) -> str:
    """A private key as OpenSSH wants it: forms that fields make of its lines (one line, spaces) are mended."""
    text = given.strip().replace("\\n", "\n").replace("\r\n", "\n")
    found = _PEM.fullmatch(text)
    if found and "\n" not in found.group(2).strip():
        kind, body = found.group(1), "\n".join(found.group(2).split())
        text = f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----"
    return f"{text}\n" if text else ""


def _readable(login: Login) -> Login:
    """With the key in OpenSSH's own format: it reads some keys in no other one. Raises NodeRunError for a key that is
    none or stays locked, of which OpenSSH would only say that it was denied."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization as form

    data, phrase = login.private_key.encode(), login.passphrase.encode()
    if b"BEGIN OPENSSH" in data:
        load: Callable[..., Any] = form.load_ssh_private_key
    else:
        load = form.load_pem_private_key
    try:
        key = load(data, phrase or None)
        locked = form.BestAvailableEncryption(phrase) if phrase else form.NoEncryption()
        text = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, locked).decode()
    except UnsupportedAlgorithm:
        return login  # OpenSSH may know it
    except TypeError:
        if phrase:
            return _readable(replace(login, passphrase=""))  # which the key does not need
        text = "The private key is locked: the credential needs its passphrase"
    except ValueError:
        text = "The private key can't be read, or the passphrase is not its own"
    else:
        return replace(login, private_key=text)
    raise NodeRunError(text, code="CREDENTIAL_INVALID")


@dataclass(frozen=True)
class Client:
    """A prepared call. It holds as long as its folder."""

    folder: Path
    env: Mapping[str, str]
    options: tuple[str, ...]
    address: str

    def command(self, remote: str) -> list[str]:
        """The words that run a command of the remote shell."""
        return ["ssh", *self.options, "--", self.address, remote]

    def subsystem(self, name: str) -> list[str]:
        """The words that run a subsystem, `sftp`."""
        return ["ssh", *self.options, "-s", "--", self.address, name]

    def forward(self, target: str) -> list[str]:
        """The words that connect input and output to `host:port`, as the server sees it."""
        return ["ssh", *self.options, "-W", target, "--", self.address]

    def begin(self) -> None:
        """Forgets what was said before."""
        (self.folder / "log").write_bytes(b"")

    def said(self) -> "Said":
        """What the client itself says of the call."""
        lines = (self.folder / "log").read_text(errors="replace").splitlines()
        verbose = [found.group(1) for line in lines if (found := _VERBOSE.match(line))]
        errors = [
            line.strip().replace(f"{self.folder}/", "").replace(_ALIAS, "the server")
            for line in lines
            if line.strip() and not _VERBOSE.match(line)
        ]
        errors += [line for line in verbose if "open failed" in line]
        return Said(
            errors,
            is_in=any("Authenticated to" in line for line in verbose),
            exited=any("rtype exit-status" in line for line in verbose),
            killed=any("rtype exit-signal" in line for line in verbose),
        )

    def failure(self) -> NodeRunError | None:
        """What went wrong with the connection."""
        errors = self.said().errors
        if not errors:
            return None
        denied = any("Permission denied" in line for line in errors)
        return NodeRunError(
            "The SSH server does not accept the credential" if denied else f"SSH: {errors[-1]}",
            description="\n".join(errors),
            code="AUTHENTICATION_FAILED" if denied else "CONNECTION_ERROR",
        )


@dataclass(frozen=True)
class Said:
    """`is_in`: the server took the credential. `exited`, `killed`: how the command ended; neither while the connection
    did not bring word of it."""

    errors: list[str]
    is_in: bool
    exited: bool
    killed: bool


@asynccontextmanager
async def prepared(ctx: Outbound, login: Login, *, seconds: float = 10) -> AsyncIterator[Client]:
    """A client for one server. `seconds`: for a connection to be there. Raises NodeRunError where the address is
    refused."""
    address = await ctx.connect_address(login.host, login.port)
    if login.private_key:
        login = await asyncio.to_thread(_readable, login)
    with secret_folder() as name:
        folder = Path(name)
        _write(folder, login)
        ways = []
        if login.private_key:
            ways.append("publickey")
        if login.password:
            ways += ["password", "keyboard-interactive"]
        options = (
            *_OPTIONS,
            f"StrictHostKeyChecking={'yes' if login.host_key else 'accept-new'}",
            f"UserKnownHostsFile={folder}/known_hosts",
            f"IdentityFile={f'{folder}/key' if login.private_key else 'none'}",
            f"PreferredAuthentications={','.join(ways) or 'none'}",
            f"ConnectTimeout={max(1, round(seconds))}",
        )
        yield Client(
            folder,
            environment(
                HOME=name,
                WEFT_ASKPASS_FOLDER=name,
                SSH_ASKPASS=str(ASKPASS),
                SSH_ASKPASS_REQUIRE="force",
            ),
            (
                *("-F", "none", "-T", "-E", f"{folder}/log", "-p", str(login.port), "-l", login.user),
                *(word for option in options for word in ("-o", option)),
            ),
            address,
        )


def _write(folder: Path, login: Login) -> None:
    """The folder is ours alone already; OpenSSH wants that of the key, too."""
    parts = {
        "key": login.private_key,
        "password": f"{login.password}\n",
        "passphrase": f"{login.passphrase}\n",
        "known_hosts": f"{_ALIAS} {login.host_key}\n" if login.host_key else "",
        "log": "",
    }
    for name, text in parts.items():
        path = folder / name
        path.touch(0o600)
        path.write_text(text)
