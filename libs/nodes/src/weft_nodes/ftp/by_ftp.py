"""A server of files by FTP, plain or with TLS."""

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from weft_node_sdk.context import NodeRunError, Outbound
from weft_node_sdk.values import to_text

from weft_nodes.ftp import remote
from weft_nodes.ftp.remote import Entry, moment, rights
from weft_nodes.network.ports import UNREACHABLE, port_of
from weft_nodes.network.tls import client_context

if TYPE_CHECKING:
    import aioftp

_MAX_LINES: Final = 1000
"""Of one answer."""
_NOT_EXECUTABLE: Final = bytes.maketrans(b"ST", b"--")
"""Set bits without the right to execute."""
_LEFT_OUT: Final = re.compile(rb"\s*(\S+ \d+\s*|.*\s\.{1,2}\s*)?")


def client_with(**options: Any) -> "aioftp.Client":
    """aioftp's client with some things of its own. Answers have a limit; the first sign of a long listing's line is
    kept; data come from the address that is connected to, whatever the server says of another one. A data connection
    shakes hands after the server has answered the command: before, most don't listen to it."""
    import aioftp
    from aioftp.common import SSLSessionBoundContext

    class Listing(aioftp.Client):
        lines = 0
        data: asyncio.StreamWriter | None = None

        async def _open_connection(
            self, host: str, port: int
        ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            if self._stream is None:
                return await super()._open_connection(host, port)
            opening = asyncio.open_connection(host, port)
            reader, writer = await asyncio.wait_for(opening, self.connection_timeout)
            self.data = writer
            return reader, writer

        async def command(self, *words: Any, **named: Any) -> Any:
            data, self.data = self.data, None
            try:
                answer = await super().command(*words, **named)
                control = self.stream.writer.get_extra_info("ssl_object")
                if data and control:
                    bound = SSLSessionBoundContext(
                        ssl.PROTOCOL_TLS_CLIENT, context=control.context, session=control.session
                    )
                    await asyncio.wait_for(data.start_tls(bound), self.connection_timeout)
            except BaseException:
                if data:
                    data.close()
                raise
            return answer

        async def parse_response(self) -> Any:
            self.lines = 0
            return await super().parse_response()

        async def parse_line(self) -> Any:
            self.lines += 1
            if self.lines > _MAX_LINES:
                raise ValueError("it is too long")
            return await super().parse_line()

        def parse_list_line(self, b: bytes) -> Any:
            try:
                b.decode()
            except UnicodeDecodeError:
                b = b.decode("cp1252", "replace").encode()
            return super().parse_list_line(b)

        def parse_list_line_unix(self, b: bytes) -> Any:
            sign, mode, mark = b[:1], b[1:10].translate(_NOT_EXECUTABLE), b[10:11]
            rest = b[11:] if mark in {b"+", b".", b"@"} else b[10:]
            path, info = super().parse_list_line_unix(sign + mode + rest)
            return path, {**info, "sign": sign.decode(), "acl": mark == b"+"}

    return Listing(
        **options,
        parse_list_line_custom=_no_entry,
        parse_list_line_custom_first=False,
        trust_server_pasv_ipv4_address=False,
    )


def _no_entry(b: bytes) -> Any:
    """For lines as `total 12`, and the folder itself and its parent: the lister leaves `.` out. Raises ValueError for
    others, which would be lost."""
    if _LEFT_OUT.fullmatch(b):
        return PurePosixPath("."), {"modify": "", "type": "unknown"}
    raise ValueError("a line of a listing")


@contextmanager
def _said(path: str = "") -> Iterator[None]:
    """Failures of the client in our words."""
    import aioftp

    try:
        yield
    except aioftp.StatusCodeError as error:
        code = str(error.received_codes[-1])
        said = error.info if isinstance(error.info, str) else " ".join(error.info)
        text = f"FTP: {code} {said.strip(' -')}" + (f" ('{path}')" if path else "")
        if code == "530":
            raise NodeRunError(text, code="AUTHENTICATION_FAILED") from None
        refused = code in {"450", "452", "550", "551", "552", "553", "500", "501", "502", "504"}
        raise NodeRunError(text, code="FILE_ERROR" if refused else "CONNECTION_ERROR") from None
    except TimeoutError:
        raise NodeRunError(
            "The FTP server did not answer in time", description=UNREACHABLE, code="TIMEOUT"
        ) from None
    except (OSError, ssl.SSLError, EOFError) as error:
        text = f"FTP: {error or 'the server has ended the connection'}"
        raise NodeRunError(text, description=UNREACHABLE, code="CONNECTION_ERROR") from None
    except (ValueError, LookupError) as error:
        raise NodeRunError(
            f"FTP: the server's answer can't be read: {error}", code="PROTOCOL_ERROR"
        ) from None


def _entry(path: PurePosixPath, info: Mapping[str, Any]) -> Entry:
    about: dict[str, Any] = {"type": info.get("sign") or ("d" if info["type"] == "dir" else "-")}
    about["name"] = path.name
    if mode := info.get("unix.mode"):
        about |= {"sticky": bool(mode & 0o1000), "rights": rights(mode), "acl": info["acl"]}
        about |= {"owner": info["unix.owner"], "group": info["unix.group"]}
    about["size"] = int(info.get("size") or 0)
    modified = datetime.strptime(info["modify"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    about["modifyTime"] = moment(modified.timestamp())
    if target := info.get("link_dst"):
        about["target"] = target
    return Entry(path.name, about["type"], about)


class ByFtp:
    """Implements Remote."""

    def __init__(self, client: "aioftp.Client") -> None:
        self._client = client

    async def entries(self, path: str) -> list[Entry]:
        found: list[Entry] = []
        with _said(path):
            async for each in self._client.list(_word(path), raw_command="LIST"):
                found.append(_entry(*each))
                if len(found) > remote.MAX_ENTRIES:
                    raise remote.too_many(path)
        return found

    async def read(self, path: str) -> AsyncGenerator[bytes, None]:
        with _said(path):
            async with self._client.download_stream(_word(path)) as stream:
                async for block in stream.iter_by_block(65536):
                    yield block

    async def write(self, path: str, chunks: AsyncIterable[bytes]) -> None:
        with _said(path):
            async with self._client.upload_stream(_word(path)) as stream:
                async for chunk in chunks:
                    await stream.write(chunk)

    async def rename(self, old: str, new: str) -> None:
        with _said(old):
            await self._client.rename(_word(old), _word(new))

    async def remove(self, path: str) -> None:
        with _said(path):
            await self._client.remove_file(_word(path))

    async def remove_folder(self, path: str) -> None:
        with _said(path):
            await self._client.remove_directory(_word(path))

    async def make_folder(self, path: str) -> None:
        with _said(path):
            await self._client.command(f"MKD {_word(path)}", "257")


def _word(path: str) -> str:
    """A path that no server takes for an option of `ls`."""
    return f"./{path}" if path.startswith("-") else path


@asynccontextmanager
async def connected(ctx: Outbound, secret: Mapping[str, Any], *, seconds: float) -> AsyncIterator[ByFtp]:
    """Signed in. `seconds`: for an answer to come. Raises NodeRunError."""

    def text(name: str) -> str:
        return str(to_text(secret.get(name) or ""))

    host, tls = text("host").strip(), text("tls") or "none"
    port = port_of(secret.get("port"), 21)
    address = await ctx.connect_address(host, port)
    context = (
        client_context(host, verify=secret.get("allowUnauthorizedCerts") is not True, shared=False)
        if tls != "none"
        else None
    )
    client = client_with(
        socket_timeout=seconds, connection_timeout=seconds, ssl=context if tls == "implicit" else None
    )
    try:
        with _said():
            await client.connect(address, port)
            if tls == "explicit":
                await client.upgrade_to_tls(context)
            elif tls == "implicit":
                await client.command("PBSZ 0", "200")
                await client.command("PROT P", "200")
            user, password = text("username") or "anonymous", text("password")
            if any(sign in user + password for sign in "\r\n\0"):
                raise NodeRunError("The credential holds a line break", code="CREDENTIAL_INVALID")
            await client.login(user, password)
        yield ByFtp(client)
    finally:
        client.close()
