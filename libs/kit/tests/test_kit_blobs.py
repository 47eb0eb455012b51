import asyncio
import os
from pathlib import Path

import pytest
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_kit.blobs import is_file
from weft_kit.blobs.folder import FolderBlobs


async def test_put_get_delete(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "new" / "blobs")
    await blobs.put("a", b"1")
    await blobs.put("a", b"2")
    await blobs.put("b", b"")
    assert [await blobs.get("a"), await blobs.get("b")] == [b"2", b""]
    await blobs.delete("a")
    await blobs.delete("a")
    with pytest.raises(WeftError) as caught:
        await blobs.get("a")
    assert caught.value.code is ErrorCode.NOT_FOUND


@pytest.mark.parametrize("key", ["../../etc/passwd", "/etc/passwd", "a/b", ".", "", "\0", "x" * 5000])
async def test_no_key_chooses_a_path(tmp_path: Path, key: str) -> None:
    blobs = FolderBlobs(tmp_path / "blobs")
    await blobs.put(key, b"data")
    assert await blobs.get(key) == b"data"
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert file.is_relative_to(tmp_path / "blobs")
    assert file.stat().st_mode & 0o777 == 0o600


async def test_many_writers_of_one_key_leave_one_whole_blob(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    versions = [bytes([number]) * 10_000 for number in range(20)]
    await asyncio.gather(*(blobs.put("k", version) for version in versions))
    assert await blobs.get("k") in versions
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


async def test_bytes_and_name_are_synced_before_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    blobs = FolderBlobs(tmp_path / "blobs")
    await blobs.put("k", b"data")
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    *folders, scratch, last = synced
    assert Path(scratch).parent == file.parent
    assert last == str(file.parent)
    assert folders == [str(tmp_path), str(tmp_path / "blobs"), str(file.parent.parent)]


async def test_a_file_is_written_in_pieces_and_read_anywhere(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    writer = await blobs.create("g/files/a")
    for piece in (b"one", b"two"):
        writer.file.write(piece)
    with pytest.raises(WeftError):
        await blobs.get("g/files/a")
    await writer.commit()
    await writer.discard()
    async with blobs.open("g/files/a") as file:
        file.seek(2)
        assert file.read() == b"etwo"
    with pytest.raises(WeftError) as caught:
        async with blobs.open("g/files/b"):
            pass
    assert caught.value.code is ErrorCode.NOT_FOUND


async def test_what_is_discarded_was_never_there(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    writer = await blobs.create("k")
    writer.file.write(b"data")
    await writer.discard()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_a_group_goes_as_a_whole_with_what_a_crash_left(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    one, two = new_id(), new_id()
    for key in (f"{one}/a", f"{one}/files/b", f"{two}/a"):
        await blobs.put(key, b"1")
    crashed = await blobs.create(f"{one}/c")
    crashed.file.write(b"half")
    await blobs.delete_group(one)
    await blobs.delete_group(one)
    assert await blobs.get(f"{two}/a") == b"1"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


async def test_groups_are_found_by_their_age(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    old, young = new_id(), new_id()
    for key in (f"{old}/a", f"{young}/a", "no id/a"):
        await blobs.put(key, b"1")
    (folder,) = tmp_path.glob(f"*/{old}")
    os.utime(folder, (1000, 1000))
    assert [each async for found in blobs.groups(2000) for each in found] == [old]
    assert [each async for found in blobs.groups(2000, since=1001) for each in found] == []


async def test_files_that_nothing_names_go_and_payloads_stay(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    for key in ("g/files/a", "g/files/b", "g/trigger", "h/files/b"):
        await blobs.put(key, b"1")
    (await blobs.create("g/files/c")).file.close()
    await blobs.retain_files("g", ["g/files/a", "g/files/none"])
    await blobs.retain_files("none", [])
    for key in ("g/files/a", "g/trigger", "h/files/b"):
        assert await blobs.get(key) == b"1"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 3


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("g/files/a", True),
        ("g/trigger", False),
        ("g/files/", False),
        ("/files/a", False),
        ("g/files/a/b", False),
        ("g/x/files/a", False),
        ("g/files/files/a", False),
    ],
)
def test_only_files_of_items_are_files(key: str, expected: bool) -> None:
    assert is_file(key) is expected


async def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    blobs = FolderBlobs(tmp_path)
    await blobs.put("other", b"1")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        await blobs.put("other", b"2")
    monkeypatch.undo()
    assert await blobs.get("other") == b"1"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
