"""Files of items: whole, in parts, and never as a page of ours."""

from base64 import b64encode
from typing import Any

import pytest
from weft_contracts.ids import new_id
from weft_gateway.domain.download import Part, headers_of, part_of
from weft_kit.blobs.folder import FolderBlobs

from services.gateway.tests.gateway_world import Client, World, document

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
VIDEO = bytes(range(256)) * 4096


async def with_file(owner: Client, **entry: Any) -> str:
    """The address of the file of an execution whose first item has it."""
    pins = {"End": [{"json": {}}, {"json": {}, "binary": {"f": entry}}]}
    workflow = await owner.data("POST", "/workflows", json=document(pinData=pins))
    run = await owner.data("POST", f"/workflows/{workflow['id']}/execute?wait=60", json={})
    assert run["status"] == "success"
    return f"/executions/{run['id']}/files?node=End&item=1&name=f"


async def stored(world: World, owner: Client, data: bytes, **entry: Any) -> str:
    key = f"{new_id()}/files/{new_id()}"
    await FolderBlobs(world.home / "blobs").put(key, data)
    return await with_file(owner, id=key, **entry)


async def test_a_file_comes_whole_and_in_parts(world: World, owner: Client) -> None:
    address = await stored(world, owner, VIDEO, mimeType="video/mp4", fileName="a b.mp4")
    whole = await owner.get(address)
    assert (whole.status_code, whole.content) == (200, VIDEO)
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["content-length"] == str(len(VIDEO))
    assert whole.headers["accept-ranges"] == "bytes"
    for asked, start, end in (
        ("bytes=0-9", 0, 10),
        ("bytes=1000000-", 1_000_000, 1_048_576),
        ("bytes=-3", 1_048_573, 1_048_576),
        ("bytes=300000-99999999", 300_000, 1_048_576),
    ):
        part = await owner.get(address, headers={"Range": asked})
        assert (part.status_code, part.content) == (206, VIDEO[start:end])
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/1048576"
    beyond = await owner.get(address, headers={"Range": "bytes=1048576-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */1048576")
    several = await owner.get(address, headers={"Range": "bytes=0-1,5-6"})
    assert (several.status_code, len(several.content)) == (200, len(VIDEO))
    tag = whole.headers["etag"]
    assert (await owner.get(address, headers={"If-None-Match": tag})).status_code == 304
    for held, status in ((tag, 206), ('"other"', 200)):
        answer = await owner.get(address, headers={"Range": "bytes=0-9", "If-Range": held})
        assert answer.status_code == status


@pytest.mark.parametrize("view", ["", "&view=true"])
@pytest.mark.parametrize(
    "kind", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/HTML;charset=x", ""]
)
async def test_a_page_that_somebody_uploaded_runs_nowhere(owner: Client, kind: str, view: str) -> None:
    page = b"<script>alert(document.domain)</script>"
    name = 'x"\r\nSet-Cookie: a=b; /../é.html'
    data = b64encode(page).decode()
    answer = await owner.get(await with_file(owner, data=data, mimeType=kind, fileName=name) + view)
    assert answer.content == page
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="x___Set-Cookie: a=b; _.._?.html"; '
        "filename*=UTF-8''x%22__Set-Cookie%3A%20a%3Db%3B%20_.._%C3%A9.html"
    ).replace("?", "_")
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


async def test_harmless_types_are_shown_in_place_where_asked(owner: Client) -> None:
    address = await with_file(owner, data="YQ==", mimeType="text/plain", fileName="a.txt")
    assert (await owner.get(address)).headers["content-disposition"].startswith("attachment; ")
    shown = await owner.get(f"{address}&view=true")
    assert shown.headers["content-disposition"].startswith("inline; ")
    assert shown.headers["content-type"] == "text/plain; charset=utf-8"


async def test_what_is_no_file_is_not_found(world: World, owner: Client, stranger: Client) -> None:
    address = await stored(world, owner, b"x", mimeType="a/b")
    for wrong in ("node=End&item=9&name=f", "node=End&item=1&name=g", "node=None&item=1&name=f"):
        assert (await owner.refusal("GET", f"{address.partition('?')[0]}?{wrong}"))[0] == 404
    assert (await stranger.refusal("GET", address))[0] == 404
    key = f"{new_id()}/trigger"
    await FolderBlobs(world.home / "blobs").put(key, b"secret")
    for other in (key, f"{new_id()}/files/{new_id()}", "../../etc/passwd"):
        assert (await owner.refusal("GET", await with_file(owner, id=other)))[0] == 404


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", Part(0, 1)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=-99", Part(0, 10)),
        ("lines=1-2", None),
        ("", None),
    ],
)
async def test_ranges(header: str, expected: Part | None) -> None:
    assert part_of(header, 10) == expected


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0)])
async def test_ranges_beyond_the_end(header: str, size: int) -> None:
    with pytest.raises(ValueError, match="nothing"):
        part_of(header, size)


async def test_a_file_without_a_name_has_one() -> None:
    for name in ("", "/", "\n", None):
        assert 'filename="' in headers_of({"fileName": name}, shown=False)["Content-Disposition"]


async def test_a_type_that_no_header_can_hold_is_not_named() -> None:
    assert headers_of({"mimeType": "audio/ж"}, shown=True)["Content-Type"] == "application/octet-stream"
