"""Large payloads, by reference (claim check)."""

from typing import Protocol

CLAIM_CHECK_BYTES = 256 * 1024
"""A payload with more encoded bytes than this travels as a reference."""


class BlobStore(Protocol):
    async def put(self, key: str, data: bytes) -> None:
        """Returns when the blob is on disk (fsync); a row may name it from then on."""

    async def get(self, key: str) -> bytes:
        """Raises WeftError NOT_FOUND."""

    async def delete(self, key: str) -> None: ...
