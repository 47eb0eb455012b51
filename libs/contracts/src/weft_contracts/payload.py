"""Item data on its way between services: opaque, compressed bytes, or a reference to the blob store."""

from typing import Final

RAW_JSON: Final = 0
ZSTD_JSON: Final = 1
BINARY: Final = 2


class Payload:
    """Encoded node output, `[[item, …] per output]` as JSON, or the bytes of a response body.

    `data` holds the bytes (`codec` says how they are coded) unless `ref` names the blob that does
    (claim check). `size` is the length in bytes before compression. Orchestrator and engine never decode it.
    A plain class, not a struct, so that the wire codec can carry `data` outside the JSON header.
    """

    __slots__ = ("codec", "data", "ref", "size")

    def __init__(self, codec: int, data: bytes, size: int, ref: str = "") -> None:
        self.codec = codec
        self.data = data
        self.size = size
        self.ref = ref

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Payload) and (self.codec, self.data, self.size, self.ref) == (
            other.codec,
            other.data,
            other.size,
            other.ref,
        )

    def __hash__(self) -> int:
        return hash((self.codec, self.data, self.size, self.ref))

    def __repr__(self) -> str:
        return f"Payload(codec={self.codec}, bytes={len(self.data)}, size={self.size}, ref={self.ref!r})"


EMPTY: Final = Payload(RAW_JSON, b"[]", 2)
