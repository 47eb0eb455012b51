"""Files of items: where they lie, and that they go through in chunks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from weft_contracts.messages import NodeFailed

Make = Callable[..., Any]
Node = Callable[..., Any]


async def test_files_go_through_in_chunks(make: Make, a_node: Node) -> None:
    """What is small lies in the item, the rest in the store; what is not stored leaves nothing."""
    world = make(a_node("A"))
    seen: list[Any] = []

    async def chunks() -> AsyncIterator[bytes]:
        for number in range(3):
            yield bytes([number]) * 400_000

    async def copies(ctx: Any) -> Any:
        small = await ctx.store_binary(b"abc", mime_type="text/plain", file_name="a.txt")
        large = await ctx.write_binary(chunks(), mime_type="video/mp4", file_name="b.mp4")
        ctx.items[0]["binary"] = {"small": small, "large": large}
        async with ctx.open_binary(0, "large") as reader:
            seen.append([len(chunk) async for chunk in reader])
            seen.append([len(chunk) async for chunk in reader])
            reader.file.seek(399_999)
            seen.append(await reader.read(2))
        seen.extend(
            [
                small,
                large,
                await ctx.read_binary(0, "large") == bytes(400_000) + b"\1" * 400_000 + b"\2" * 400_000,
            ]
        )
        async with ctx.create_binary() as writer:
            file = await writer.open_file()
            await asyncio.to_thread(file.write, b"by a library")
            named = await writer.store(mime_type="text/plain")
            seen.append([named["bytes"], "id" in named])
        async with ctx.create_binary() as writer:
            await writer.write(bytes(1_000_000))
        return [[]]

    world.replace("A", copies)
    await world.walk()
    again, twice, middle, small, large, same, library = seen
    assert again == twice
    assert sum(again) == 1_200_000
    assert max(again) <= 256 * 1024
    assert middle == b"\0\1"
    about = {"mimeType": "text/plain", "fileName": "a.txt", "fileExtension": "txt", "fileType": "text"}
    about |= {"fileSize": "3 B", "bytes": 3}
    assert small == {**about, "data": "YWJj"}
    assert large["bytes"] == 1_200_000
    assert large["id"].startswith("e1/files/")
    assert same
    assert library == [12, True]
    files = [path for path in world.outside.blobs.folder.rglob("*") if path.is_file()]
    assert sorted(path.stat().st_size for path in files) == [12, 1_200_000]


async def test_many_small_files_do_not_swell_the_items(make: Make, a_node: Node) -> None:
    world = make(a_node("A"))
    entries: list[dict[str, Any]] = []

    async def makes(ctx: Any) -> Any:
        entries.extend([await ctx.store_binary(bytes(4096), mime_type="x/y") for _ in range(20)])
        return [[]]

    world.replace("A", makes)
    await world.walk()
    assert ["data" in entry for entry in entries] == [True] * 16 + [False] * 4


@pytest.mark.parametrize(
    "key", ["e1/trigger", "e1/0123456789abcdef/0/d1", "../../etc/passwd", "e1/files/none"]
)
async def test_an_item_names_files_only(make: Make, a_node: Node, key: str) -> None:
    """The rest of the store is not for whoever writes an id into an item."""
    world = make(a_node("A"))
    for each in ("e1/trigger", "e1/0123456789abcdef/0/d1"):
        await world.outside.blobs.put(each, b"secret")

    async def reads(ctx: Any) -> Any:
        ctx.items[0]["binary"] = {"f": {"id": key}}
        return [[{"json": {"read": (await ctx.read_binary(0, "f")).decode()}}]]

    world.replace("A", reads)
    failed = (await world.walk())[-1]
    assert isinstance(failed, NodeFailed)


async def test_a_file_beyond_the_limit_is_refused(make: Make, a_node: Node) -> None:
    world = make(a_node("A"))
    world.outside.file_max_bytes = 10_000

    async def makes(ctx: Any) -> Any:
        await ctx.store_binary(bytes(10_001), mime_type="x/y")

    world.replace("A", makes)
    failed = (await world.walk())[-1]
    assert failed.error.code == "TOO_LARGE"
    assert "WEFT_FILE_MAX_BYTES" in failed.error.description
