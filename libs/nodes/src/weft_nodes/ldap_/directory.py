"""A client of LDAP version 3 (RFC 4511); docs/decisions/0008 says why it is ours."""

import asyncio
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from weft_node_sdk.context import NodeRunError

from weft_nodes.ldap_ import ber, filters

MAX_ENTRIES: Final = 100_000
_MAX_MESSAGE: Final = 64 * 1024 * 1024
_MAX_FOUND: Final = 256 * 1024 * 1024
"""Bytes of all entries of a search."""
CONNECT_SECONDS: Final = 10.0
_START_TLS: Final = "1.3.6.1.4.1.1466.20037"
_PAGES: Final = "1.2.840.113556.1.4.319"
SCOPES: Final = {"base": 0, "one": 1, "sub": 2}
CHANGES: Final = {"add": 0, "delete": 1, "replace": 2}
_SUCCESS, _SIZE_LIMIT, _FALSE, _TRUE = 0, 4, 5, 6
_TEXTS: Final = {
    1: "Operations error",
    2: "Protocol error",
    3: "Time limit exceeded",
    4: "Size limit exceeded",
    8: "Stronger authentication required",
    10: "The entry is at another server",
    11: "Administrative limit exceeded",
    13: "Confidentiality required",
    16: "No such attribute",
    17: "Undefined attribute type",
    18: "Inappropriate matching",
    19: "Constraint violation",
    20: "Attribute or value exists",
    21: "Invalid attribute syntax",
    32: "No such object",
    34: "Invalid DN",
    49: "Invalid credentials",
    50: "Insufficient access rights",
    51: "Busy",
    52: "Unavailable",
    53: "The server is unwilling to perform it",
    64: "Naming violation",
    65: "Object class violation",
    66: "Not allowed on an entry that has others below it",
    67: "Not allowed on a part of the DN",
    68: "Entry already exists",
    71: "Affects several servers",
}


@dataclass(frozen=True)
class Entry:
    dn: str
    attributes: dict[str, list[bytes]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Result:
    code: int
    message: str
    cookie: bytes = b""

    def check(self, accepted: Sequence[int] = (_SUCCESS,)) -> int:
        """Raises NodeRunError for another code."""
        if self.code in accepted:
            return self.code
        text = _TEXTS.get(self.code, f"Result {self.code}")
        raise NodeRunError(
            f"LDAP: {text}" + (f": {self.message}" if self.message else ""),
            code="AUTHENTICATION_FAILED" if self.code in {8, 49} else "LDAP_ERROR",
        )


class Directory:
    """Calls of one connection, one at a time. `seconds`: for an answer to come. All raise NodeRunError; LDAP_ERROR
    where the next call may still work."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
        self._reader = reader
        self._writer = writer
        self.seconds = seconds
        self._last = 0
        self._size = 0

    async def bind(self, dn: str, password: str) -> None:
        """A name without a password would sign in nobody, and servers say yes to that."""
        if dn and not password:
            raise NodeRunError("The credential has no password", code="CREDENTIAL_INVALID")
        await self._result(ber.sequence(ber.integer(3), ber.octets(dn), ber.octets(password, 0x80), tag=0x60))

    async def search(
        self,
        base: str,
        text: str = "(objectclass=*)",
        *,
        scope: str = "sub",
        attributes: Iterable[str] = (),
        limit: int = 0,
        page: int = 0,
    ) -> list[Entry]:
        """Entries, no more than `limit` unless that is 0; `page`: so many are asked for at once."""
        if scope not in SCOPES:
            raise NodeRunError(f"The scope '{scope}' is not known")
        request = ber.sequence(
            ber.octets(base),
            ber.integer(SCOPES[scope], ber.ENUMERATED),
            ber.integer(0, ber.ENUMERATED),  # aliases stay what they are
            ber.integer(limit if not page else 0),
            ber.integer(0),
            ber.boolean(False),
            filters.encoded(text),
            ber.sequence(*map(ber.octets, attributes)),
            tag=0x63,
        )
        found: list[Entry] = []
        cookie = b""
        self._size = 0
        while True:
            size = min(page, limit - len(found)) if limit else page
            control = _paging(size, cookie) if page else b""
            result = await self._answers(request, control, found)
            result.check((_SUCCESS, _SIZE_LIMIT) if limit else (_SUCCESS,))
            cookie = result.cookie
            if not cookie or (limit and len(found) >= limit):
                return found[:limit] if limit else found

    async def add(self, dn: str, attributes: Mapping[str, Sequence[bytes]]) -> None:
        parts = ber.sequence(*(_attribute(name, values) for name, values in attributes.items()))
        await self._result(ber.sequence(ber.octets(dn), parts, tag=0x68))

    async def modify(self, dn: str, changes: Iterable[tuple[str, str, Sequence[bytes]]]) -> None:
        """`changes`: how (of CHANGES), attribute, values."""
        parts = [
            ber.sequence(ber.integer(CHANGES[how], ber.ENUMERATED), _attribute(name, values))
            for how, name, values in changes
        ]
        await self._result(ber.sequence(ber.octets(dn), ber.sequence(*parts), tag=0x66))

    async def delete(self, dn: str) -> None:
        await self._result(ber.octets(dn, 0x4A))

    async def rename(self, dn: str, name: str, parent: str) -> None:
        """`name`: its first part from now on; the old one goes. `parent`: empty where it stays."""
        moved = ber.octets(parent, 0x80) if parent else b""
        await self._result(ber.sequence(ber.octets(dn), ber.octets(name), ber.boolean(True), moved, tag=0x6C))

    async def compare(self, dn: str, name: str, held: bytes) -> bool:
        asked = ber.sequence(ber.octets(name), ber.octets(held))
        request = ber.sequence(ber.octets(dn), asked, tag=0x6E)
        return await self._result(request, (_FALSE, _TRUE)) == _TRUE

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """What the server has sent in the clear beyond its answer is dropped."""
        await self._result(ber.sequence(ber.octets(_START_TLS, 0x80), tag=0x77))
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport = await loop.start_tls(
            self._writer.transport,
            protocol,
            context,
            server_hostname=host,
            ssl_handshake_timeout=CONNECT_SECONDS,
        )
        assert transport is not None
        reader.set_transport(transport)
        self._reader, self._writer = reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    def close(self) -> None:
        if not self._writer.is_closing():
            self._send(b"\x42\x00", b"")  # unbind: nobody answers
        self._writer.close()

    async def _result(self, request: bytes, accepted: Sequence[int] = (_SUCCESS,)) -> int:
        return (await self._answers(request, b"", [])).check(accepted)

    async def _answers(self, request: bytes, control: bytes, found: list[Entry]) -> _Result:
        """Takes answers up to the last one; entries go to `found`."""
        self._send(request, control)
        while True:
            message = await self._message()
            self._size += len(message)
            if self._size > _MAX_FOUND:
                raise NodeRunError(f"More than {_MAX_FOUND} bytes were found", code="TOO_LARGE")
            try:
                if result := self._taken(message, found):
                    return result
            except ValueError:  # an answer of other parts
                raise NodeRunError("The server does not speak LDAP", code="PROTOCOL_ERROR") from None

    def _taken(self, message: bytes, found: list[Entry]) -> _Result | None:
        """The result, where the message is one."""
        (_, number), (tag, content), *more = ber.elements(message)
        controls = more[0][1] if more and more[0][0] == 0xA0 else b""
        if not ber.number(number):
            _result(content, b"").check()
            raise NodeRunError("The LDAP server has ended the connection", code="CONNECTION_ERROR")
        if ber.number(number) != self._last:
            return None
        if tag == 0x64:
            found.append(_entry(content))
            if len(found) > MAX_ENTRIES:
                raise NodeRunError(f"More than {MAX_ENTRIES} entries were found", code="TOO_LARGE")
        # references to other servers are not followed
        return None if tag in {0x64, 0x73, 0x79} else _result(content, controls)

    def _send(self, request: bytes, control: bytes) -> None:
        self._last += 1
        self._writer.write(ber.sequence(ber.integer(self._last), request, control))

    async def _message(self) -> bytes:
        """What is in the next message."""
        try:
            async with asyncio.timeout(self.seconds):
                head = await self._reader.readexactly(2)
                while (found := ber.header(head)) is None:
                    head += await self._reader.readexactly(1)
                _, start, end = found
                if end > _MAX_MESSAGE:
                    raise NodeRunError("The LDAP server's answer is too large", code="TOO_LARGE")
                return await self._reader.readexactly(end - start)
        except TimeoutError:
            text = f"The LDAP server did not answer in {self.seconds:g} seconds"
            raise NodeRunError(text, code="TIMEOUT") from None
        except (asyncio.IncompleteReadError, OSError) as error:
            raise NodeRunError(
                f"The LDAP server has ended the connection: {error}", code="CONNECTION_ERROR"
            ) from None


def _attribute(name: str, values: Sequence[bytes]) -> bytes:
    return ber.sequence(ber.octets(name), ber.sequence(*map(ber.octets, values), tag=ber.SET))


def _paging(size: int, cookie: bytes) -> bytes:
    """The control of RFC 2696, as the only one."""
    asked = ber.sequence(ber.integer(size), ber.octets(cookie))
    return ber.sequence(ber.sequence(ber.octets(_PAGES), ber.octets(asked)), tag=0xA0)


def _entry(content: bytes) -> Entry:
    (_, dn), (_, listed) = ber.elements(content)
    attributes: dict[str, list[bytes]] = {}
    for _, each in ber.elements(listed):
        (_, name), (_, values) = ber.elements(each)
        attributes[name.decode("utf-8", "replace")] = [held for _, held in ber.elements(values)]
    return Entry(dn.decode("utf-8", "replace"), attributes)


def _result(content: bytes, controls: bytes) -> _Result:
    (_, code), _, (_, message), *_ = ber.elements(content)
    cookie = b""
    for _, control in ber.elements(controls):
        name, *rest = (held for _, held in ber.elements(control))
        if name.decode("utf-8", "replace") == _PAGES and rest:
            (_, paged), *_ = ber.elements(rest[-1])
            _, (_, cookie) = ber.elements(paged)
    return _Result(ber.number(code), message.decode("utf-8", "replace").strip("\0 "), cookie)
