"""Identifiers: UUIDv7 strings, their deterministic form, and the shard an execution lives in.

Layout (RFC 9562, version 7): 48 bits of Unix milliseconds, 4 bits version, 12 bits, 2 bits variant, 62 bits.
The time part makes daily range partitions possible; the rest is random or, where the source of an
execution can repeat itself, a hash of the source, so that a repeat is the same execution.
"""

import hashlib
import os
import time
import uuid
from typing import Final

SHARDS: Final = 64

MOMENT_SECONDS: Final = 0.03
MOMENT_EXECUTIONS: Final = 64
"""How long, and for how many executions, a source stays with a shard."""

INSTANCE_PROJECT: Final = "00000000-0000-7000-8000-000000000001"
"""The project that exists before anybody has registered; the first owner takes it over as their own."""


def _layout(milliseconds: int, rest: bytes | bytearray) -> str:
    """Ten bytes of `rest` fill what the time, version and variant leave free."""
    value = (milliseconds & ((1 << 48) - 1)) << 80 | int.from_bytes(rest[:10], "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_id() -> str:
    """A fresh, time-ordered identifier."""
    return _layout(time.time_ns() // 1_000_000, os.urandom(10))


class ExecutionIds:
    """Fresh ids of executions. Those of one moment share a shard: their commands, results and events then travel in few
    batches, and the broker's work goes by partition and batch."""

    def __init__(self) -> None:
        self._shard = 0
        self._until = 0.0
        self._left = 0

    def new(self) -> str:
        now = time.monotonic()
        if now >= self._until or not self._left:
            self._shard = os.urandom(1)[0] % SHARDS
            self._until = now + MOMENT_SECONDS
            self._left = MOMENT_EXECUTIONS
        self._left -= 1
        rest = bytearray(os.urandom(10))
        rest[9] = rest[9] & ~(SHARDS - 1) | self._shard
        return _layout(time.time_ns() // 1_000_000, rest)


def derived_id(milliseconds: int, *source: str | int) -> str:
    """The identifier that every repeat of `source` at `milliseconds` gets."""
    text = "\x1f".join(str(part) for part in source)
    return _layout(milliseconds, hashlib.sha256(text.encode()).digest())


def id_milliseconds(identifier: str) -> int:
    """The Unix milliseconds in a UUIDv7."""
    return uuid.UUID(identifier).int >> 80


def shard_of(execution_id: str) -> int:
    """The shard of an execution: the low six bits of its id, which are random or a hash."""
    return int(execution_id[-2:], 16) % SHARDS
