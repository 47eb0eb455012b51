"""How an envelope becomes bytes: a JSON header, then the payloads' bytes, untouched.

Layout: 4 bytes big-endian length of the header, the header, the bytes of payload 0, of payload 1, …
In the header a payload stands as `{"codec", "size", "ref", "at", "length"}`, `at` counted from the header's end.
"""

import struct
from typing import Any

import msgspec

from weft_contracts.messages import Envelope, Signal
from weft_contracts.payload import Payload

_LENGTH = struct.Struct(">I")


def _encode(value: object) -> bytes:
    chunks: list[bytes] = []
    filled = 0

    def hoist(part: object) -> Any:
        nonlocal filled
        if isinstance(part, Payload):
            at, length = filled, len(part.data)
            chunks.append(part.data)
            filled += length
            return {"codec": part.codec, "size": part.size, "ref": part.ref, "at": at, "length": length}
        raise NotImplementedError(f"{type(part)} is not a message part")

    header = msgspec.json.encode(value, enc_hook=hoist)
    return b"".join((_LENGTH.pack(len(header)), header, *chunks))


def _decode(data: bytes, kind: Any) -> Any:
    (length,) = _LENGTH.unpack_from(data)
    start = 4 + length

    def lower(expected: type, part: Any) -> Any:
        if expected is not Payload:
            raise NotImplementedError(f"{expected} is not a message part")
        begin = start + part["at"]
        end = begin + part["length"]
        if not start <= begin <= end <= len(data):
            raise msgspec.DecodeError("a payload lies outside the message")
        return Payload(part["codec"], data[begin:end], part["size"], part["ref"])

    return msgspec.json.decode(memoryview(data)[4:start], type=kind, dec_hook=lower)


def encode(envelope: Envelope) -> bytes:
    """The bytes of an envelope, for a broker or an outbox row."""
    return _encode(envelope)


def decode(data: bytes) -> Envelope:
    """Raises msgspec.ValidationError or DecodeError where the bytes are no envelope."""
    envelope: Envelope = _decode(data, Envelope)
    return envelope


def encode_signal(signal: Signal) -> bytes:
    """The bytes of a best-effort signal."""
    return _encode(signal)


def decode_signal(data: bytes) -> Signal:
    signal: Signal = _decode(data, Signal)
    return signal
