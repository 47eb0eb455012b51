import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from weft_contracts.errors import WeftError
from weft_kit.blobs.folder import FolderBlobs
from weft_kit.blobs.sealing import CHUNK_BYTES, HEADER_BYTES, Sealing
from weft_kit.identity.secrets import MasterKey

SEALING = Sealing(MasterKey(SecretStr("m" * 32)))
places = st.integers(0, 3 * CHUNK_BYTES) | st.sampled_from([CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1])
steps = st.lists(
    st.tuples(st.just("seek"), places)
    | st.tuples(st.just("write"), st.sampled_from([1, 100, CHUNK_BYTES, 2 * CHUNK_BYTES + 7]))
    | st.tuples(st.just("read"), st.sampled_from([0, 1, 1000, 2 * CHUNK_BYTES, -1]))
    | st.tuples(st.just("truncate"), places)
    | st.tuples(st.just("flush"), st.just(0)),
    max_size=12,
)


def done(file: Any, what: str, number: int, letter: bytes) -> Any:
    if what == "seek":
        return file.seek(number)
    if what == "write":
        return file.write(letter * number)
    if what == "read":
        return file.read(number)
    return file.truncate(number) if what == "truncate" else file.flush()


@given(steps)
@settings(max_examples=150, deadline=None)
def test_a_sealed_file_behaves_as_a_plain_one(taken: list[tuple[str, int]]) -> None:
    raw, plain = io.BytesIO(), io.BytesIO()
    sealed = SEALING.create(raw, "k")
    for index, (what, number) in enumerate(taken):
        letter = bytes([65 + index])
        if what == "truncate" and number > len(plain.getvalue()):
            continue  # BytesIO does not grow
        assert done(sealed, what, number, letter) == done(plain, what, number, letter)
        assert sealed.tell() == plain.tell()
    sealed.finish()
    assert SEALING.unseal("k", raw.getvalue()) == plain.getvalue()


def test_lines_are_read_through_chunks() -> None:
    lines = [b"x" * 1000 + b"\n"] * 300
    file = SEALING.open(io.BytesIO(SEALING.seal("k", b"".join(lines))), "k")
    assert list(file) == lines
    file.seek(0)
    assert io.TextIOWrapper(file).read() == b"".join(lines).decode()  # type: ignore[type-var]


STORED = CHUNK_BYTES + 28


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data[:-STORED],
        lambda data: data[:HEADER_BYTES],
        lambda data: data[:40],
        lambda data: b"",
        lambda data: b"plain text",
        lambda data: data[:HEADER_BYTES] + data[HEADER_BYTES + STORED :],
        lambda data: data[:50] + bytes([data[50] ^ 1]) + data[51:],
        lambda data: data[:500] + bytes([data[500] ^ 1]) + data[501:],
        lambda data: (
            data[:HEADER_BYTES]
            + data[HEADER_BYTES + STORED : HEADER_BYTES + 2 * STORED]
            + data[HEADER_BYTES : HEADER_BYTES + STORED]
            + data[HEADER_BYTES + 2 * STORED :]
        ),
    ],
)
def test_what_was_changed_is_not_read(change: Any) -> None:
    sealed = SEALING.seal("k", b"a" * CHUNK_BYTES + b"b" * CHUNK_BYTES + b"c" * CHUNK_BYTES)
    with pytest.raises(WeftError, match=r"damaged|another"):
        SEALING.unseal("k", change(sealed))


async def test_a_folder_shows_nothing_and_older_blobs_stay_readable(tmp_path: Path) -> None:
    plain, sealed = FolderBlobs(tmp_path), FolderBlobs(tmp_path, SEALING)
    await plain.put("g/files/old", b"an older file")
    await sealed.put("g/files/new", b"a secret file")
    writer = await sealed.create("g/files/half")
    writer.file.write(b"a secret half")
    writer.file.flush()
    assert await sealed.get("g/files/old") == b"an older file"
    async with sealed.open("g/files/old") as file:
        assert file.read(8) == b"an older"
    held = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(held) == 3
    assert not [each for each in held if b"secret" in each]
    await writer.discard()


async def test_blobs_sealed_for_their_names_are_read_and_keep_their_key(tmp_path: Path) -> None:
    master, blobs = MasterKey(SecretStr("m" * 32)), FolderBlobs(tmp_path, SEALING)
    await blobs.put("g/a", b"text")
    (path,) = tmp_path.glob("*/*/*")
    sealed = path.read_bytes()
    key = master.open(f"blob {path.parent.name}/{path.name}", sealed[5:HEADER_BYTES])
    path.write_bytes(b"weft\x01" + master.seal("blob g/a", key) + sealed[HEADER_BYTES:])
    assert await blobs.get("g/a") == b"text"
    newer = FolderBlobs(tmp_path, Sealing(MasterKey(SecretStr("n" * 32), SecretStr("m" * 32))))
    assert await newer.rewrap() == (0, 1)
    assert await newer.get("g/a") == b"text"
