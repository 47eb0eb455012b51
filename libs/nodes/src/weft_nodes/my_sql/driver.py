"""The driver's connection, and what MariaDB says of its columns beyond their types.

MariaDB keeps JSON as text and tells so in its extended metadata, to a client that asks for them:
https://mariadb.com/docs/server/reference/clientserver-protocol/4-server-response-packets/result-set-packets
"""

import struct
from typing import Any, Final

from asyncmy.connection import Connection
from asyncmy.constants import FIELD_TYPE
from asyncmy.protocol import FieldDescriptorPacket, MysqlPacket

_EXTENDED_METADATA: Final = 1 << 3
"""Of the capabilities beyond MySQL's 32."""
_PLACE: Final = 28
"""Where they stand in what a client says first, behind its flags."""
_MYSQL: Final = 1
"""The flag of a client that knows nothing of them."""
_FORMAT: Final = 1


class Driver(Connection):
    """A column of MariaDB's that holds JSON has MySQL's type for it."""

    _extended = False

    def write_packet(self, payload: bytes) -> None:
        offered = getattr(self, "_mariadb_ext_caps", 0) & _EXTENDED_METADATA
        if offered and not self._extended:
            flags, wanted = struct.unpack_from("<I", payload)[0], struct.unpack_from("<I", payload, _PLACE)[0]
            said = struct.pack("<I", flags & ~_MYSQL), struct.pack("<I", wanted | _EXTENDED_METADATA)
            payload = said[0] + payload[4:_PLACE] + said[1] + payload[_PLACE + 4 :]
            # the request for TLS is the same without what comes behind
            self._extended = len(payload) > _PLACE + 4
        super().write_packet(payload)

    async def read_packet(self, packet_type: type[Any] = MysqlPacket) -> Any:
        if packet_type is not FieldDescriptorPacket or not self._extended:
            return await super().read_packet(packet_type)  # type: ignore[no-untyped-call]
        data: bytes = (await super().read_packet()).get_all_data()  # type: ignore[no-untyped-call]
        start = 0
        for _ in range(6):
            start = _text(data, start)[1]
        more, end = _text(data, start)
        field = FieldDescriptorPacket(data[:start] + data[end:], self._encoding)  # type: ignore[attr-defined]
        at = 0
        while at < len(more):
            kind, (held, at) = more[at], _text(more, at + 1)
            if kind == _FORMAT and held == b"json":
                field.type_code = FIELD_TYPE.JSON
        return field


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    """A text behind its length, and where it ends."""
    size, at = data[at], at + 1
    if size in _WIDTHS:
        width = _WIDTHS[size]
        size, at = int.from_bytes(data[at : at + width], "little"), at + width
    return data[at : at + size], at + size


_WIDTHS: Final = {0xFC: 2, 0xFD: 3, 0xFE: 8}
