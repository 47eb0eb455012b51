"""What comes in as body, and how items become answers."""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.blobs.folder import FolderBlobs
from weft_kit.items import dumps_js, loads_js
from weft_webhook_ingress.application.bodies import Bodies, Body
from weft_webhook_ingress.domain.answers import NO_FILE, NO_ITEM, Answer, Shape
from weft_webhook_ingress.domain.body import MOST_XML, Form, TooLargeError, parse_text
from weft_webhook_ingress.domain.forms import MOST_FIELDS, parse_form


def multipart(**parts: Any) -> tuple[bytes, str]:
    request = httpx.Request("POST", "http://x", **parts)
    return request.read(), request.headers["content-type"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1&b=x%20y&c", {"a": "1", "b": "x y", "c": ""}),
        ("a=1&a=2&a=3", {"a": ["1", "2", "3"]}),
        ("a[]=1", {"a": ["1"]}),
        ("a[0]=x&a[1]=y", {"a": ["x", "y"]}),
        ("a[b]=1&a[c][d]=2", {"a": {"b": "1", "c": {"d": "2"}}}),
        ("a=1&a[b]=2", {"a": {"b": "2"}}),
        ("a[b=1&[]=2", {"a[b": "1", "[]": "2"}),
        ("__proto__[x]=1", {"__proto__": {"x": "1"}}),
        ("", {}),
    ],
)
def test_forms(text: str, expected: dict[str, Any]) -> None:
    assert parse_form(text) == expected


@given(st.text(max_size=200))
def test_any_text_is_some_form(text: str) -> None:
    assert isinstance(parse_form(text), dict)


def test_too_many_fields_are_refused() -> None:
    with pytest.raises(WeftError) as caught:
        parse_form("&".join("a=1" for _ in range(MOST_FIELDS + 1)))
    assert caught.value.code is ErrorCode.BAD_REQUEST


@pytest.mark.parametrize(
    ("data", "kind", "expected"),
    [
        (b"", "application/json", {}),
        (b'{"a": 12345678901234567890}', "application/json", {"a": 12345678901234567000}),
        (b'["x"]', "application/vnd.x+json; charset=utf-8", ["x"]),
        (b'"text"', "APPLICATION/JSON", "text"),
        (b'\xef\xbb\xbf{"marked": 1}', "application/json", {"marked": 1}),
        (b"a=1&a=2", "application/x-www-form-urlencoded", {"a": ["1", "2"]}),
        ("ä".encode("latin-1"), "text/plain; charset=iso-8859-1", "ä"),
        ("ä".encode(), "text/plain; charset=unheard-of", "ä"),
        (b"9a" * 500_000, "text/plain; charset=punycode", "9a" * 500_000),
        (b"+2AA-", "text/plain; charset=utf-7", "+2AA-"),
        (
            b"<A X='1'><B> s  t\n u </B><c/><c k='v'>x</c></A>",
            "text/xml",
            {"a": {"$": {"X": "1"}, "b": "s t u", "c": ["", {"$": {"k": "v"}, "_": "x"}]}},
        ),
        (
            b"<n:A xmlns:n='u'>&amp;&#65;</n:A>",
            "application/soap+xml",
            {"n:a": {"$": {"xmlns:n": "u"}, "_": "&A"}},
        ),
        ("<a>ä</a>".encode("latin-1"), "application/xml; charset=iso-8859-1", {"a": "ä"}),
        (
            b"<?xml version='1.0' encoding='iso-8859-1'?><!DOCTYPE a><a><b>1</b><B>2</B></a>",
            "application/xml",
            {"a": {"b": ["1", "2"]}},
        ),
        (b"<a/>", "text/html", "<a/>"),
    ],
)
def test_bodies_by_content_type(data: bytes, kind: str, expected: Any) -> None:
    assert json.loads(parse_text(data, kind)) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<a><b>", "no XML"),
        ("no xml", "no XML"),
        ("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "entities"),
        ("<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>", "entities"),
        ("<a>" * 99 + "</a>" * 99, "98 elements deep"),
        ("<a>" + "<b/>" * MOST_XML + "</a>", f"{MOST_XML} elements"),
    ],
)
async def test_xml_that_is_broken_unsafe_or_huge_is_refused(store: "Store", text: str, reason: str) -> None:
    store.bodies = Bodies(store.blobs, 5_000_000, 5_000_000)
    with pytest.raises(WeftError, match=reason) as caught:
        await store.parse(text.encode(), "application/xml")
    assert caught.value.code is ErrorCode.UNPROCESSABLE
    raw = await store.parse(text.encode(), "application/xml", raw=True)
    assert raw.json == b"{}"


async def test_the_deepest_xml_that_is_read_fits_an_item(store: "Store") -> None:
    deep = b"<a><b/>" * 97 + b"<a/>" + b"<b/></a>" * 97
    body = await store.parse(deep, "text/xml")
    assert loads_js(dumps_js([{"json": {"body": orjson.loads(body.json)}}]))
    many = b"<a>" + b"<b/>" * 100_000 + b"</a>"
    store.bodies = Bodies(store.blobs, 5_000_000, 5_000_000)
    assert json.loads((await store.parse(many, "text/xml")).json) == {"a": {"b": [""] * 100_000}}


class Store:
    """Reads bodies that come in pieces of `step` bytes."""

    def __init__(self, folder: Path) -> None:
        self.blobs = FolderBlobs(folder)
        self.bodies = Bodies(self.blobs, 20_000, 5_000_000)

    async def parse(self, data: bytes, kind: str, step: int = 64_000, **options: Any) -> Body:
        async def chunks() -> AsyncIterator[bytes]:
            for at in range(0, len(data), step):
                yield data[at : at + step]

        return await self.bodies.read(chunks(), kind, "e1", **options)

    async def content(self, entry: Mapping[str, Any]) -> bytes:
        return b64decode(entry["data"]) if "data" in entry else await self.blobs.get(entry["id"])

    def kept(self) -> int:
        return len([path for path in self.blobs.folder.rglob("*") if path.is_file()])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "blobs")


async def test_other_types_are_files(store: Store) -> None:
    body = await store.parse(b"\x00\x01", "image/png")
    about = {
        "mimeType": "image/png",
        "fileExtension": "png",
        "fileType": "image",
        "fileSize": "2 B",
        "bytes": 2,
    }
    assert body == Body(b"{}", {"data": {**about, "data": "AAE="}})
    named = await store.parse(b"x", "", binary_name="mine")
    assert named.files["mine"]["mimeType"] == "application/octet-stream"
    assert await store.parse(b"", "image/png") == Body(b"{}", {})


async def test_raw_bodies_are_a_file_too_and_never_refused(store: Store) -> None:
    body = await store.parse(b'{"a": }', "application/json", raw=True)
    assert (body.json, await store.content(body.files["data"])) == (b"{}", b'{"a": }')
    body = await store.parse(b'{"a": 1}', "application/json", raw=True)
    assert json.loads(body.json) == {"a": 1}
    large = b'{"a": "' + b"x" * 20_000 + b'"}'
    body = await store.parse(large, "application/json", step=1000, raw=True)
    assert (body.json, await store.content(body.files["data"])) == (b"{}", large)
    data, kind = multipart(data={"name": "Ada"}, files={"f": b"x"})
    body = await store.parse(data, kind, raw=True)
    assert (json.loads(body.json), await store.content(body.files["data"])) == ({"name": "Ada"}, data)


@pytest.mark.parametrize("step", [1, 7, 64_000])
async def test_uploads_have_the_names_of_their_fields(store: Store, step: int) -> None:
    files = [
        ("one", ("a.txt", b"A", "text/plain")),
        ("many[]", ("b.bin", b"B\r\n--", "application/x-b")),
        ("many[]", ("../c.bin", b"C" * 9000, "application/x-b")),
        ("empty", ("d", b"", "application/x-b")),
    ]
    data, kind = multipart(data={"name": "Ada", "tags[]": ["x", "y"]}, files=files)
    body = await store.parse(data, kind, step)
    assert json.loads(body.json) == {"name": "Ada", "tags": ["x", "y"]}
    assert {name: await store.content(each) for name, each in body.files.items()} == {
        "one": b"A",
        "many0": b"B\r\n--",
        "many1": b"C" * 9000,
        "empty": b"",
    }
    assert body.files["many1"]["fileName"] == "../c.bin"
    assert "/files/" in body.files["many1"]["id"]
    named = await store.parse(data, kind, step, binary_name="f")
    assert [*named.files] == ["f0", "f1", "f2", "f3"]


async def test_large_uploads_are_whole(store: Store) -> None:
    content = bytes(range(256)) * 8_000
    data, kind = multipart(files={"f": ("x", content, "application/x")})
    for step in (1000, 65_536, len(data)):
        entry = (await store.parse(data, kind, step)).files["f"]
        assert entry["bytes"] == len(content)
        assert await store.content(entry) == content


async def test_parts_may_be_encoded(store: Store) -> None:
    head = 'Content-Disposition: form-data; name="f"; filename="a"\r\nContent-Transfer-Encoding: base64'
    data = f"--x\r\n{head}\r\n\r\n{b64encode(b'abc' * 5).decode()}\r\n--x--\r\n".encode()
    body = await store.parse(data, "multipart/form-data; boundary=x", step=5)
    assert await store.content(body.files["f"]) == b"abc" * 5


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x"])
async def test_malformed_multipart_is_refused(store: Store, kind: str) -> None:
    with pytest.raises(WeftError) as caught:
        await store.parse(b"--y\r\nno multipart", kind)
    assert caught.value.code is ErrorCode.UNPROCESSABLE


async def test_what_is_refused_leaves_no_file(store: Store) -> None:
    files = [("f", ("a", b"A" * 9000, "x/y")), ("g", ("b", b"B" * 9000, "x/y"))]
    data, kind = multipart(data={"name": "x" * 20_001}, files=files)
    with pytest.raises(TooLargeError):
        await store.parse(data + b"x" * 100, kind)
    data, kind = multipart(files=files)
    with pytest.raises(WeftError):
        await store.parse(data[:-9010] + b"\r\n--" + kind.partition("=")[2].encode() + b"\r\nno header", kind)
    assert store.kept() == 0


async def test_a_full_disk_is_said_and_the_call_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WeftError, match="No space") as caught:
        await store.parse(b"x" * 9000, "image/png")
    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert store.kept() == 0


@given(
    st.binary(max_size=300),
    st.sampled_from(["multipart/form-data; boundary=x", "application/json", "text/a"]),
)
def test_any_bytes_are_read_or_refused(data: bytes, kind: str) -> None:
    try:
        if kind.startswith("multipart"):
            form = Form(kind, 1000)
            form.feed(data)
            form.finish()
        else:
            json.loads(parse_text(data, kind))
    except WeftError as error:
        refused = error.code
        assert refused is ErrorCode.UNPROCESSABLE


PNG = ((b"content-type", b"image/png"),)
OUTPUTS = [[], [{"json": {"a": {"b": [1, "x"]}}}, {"json": {"c": 2}}]]


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        (Shape(), b'{"a":{"b":[1,"x"]}}'),
        (Shape("allEntries"), b'[{"a":{"b":[1,"x"]}},{"c":2}]'),
        (Shape("noData"), b""),
        (Shape(property_name="a.b.1"), b'"x"'),
        (Shape(property_name="a.z.9"), b"null"),
        (Shape(property_name="a.b.1", content_type="text/plain"), b"x"),
        (Shape(property_name="a.b", content_type="text/plain"), b'[1,"x"]'),
    ],
)
def test_the_last_nodes_items_become_the_answer(shape: Shape, body: bytes) -> None:
    answer = shape.of(OUTPUTS)
    assert (answer.status, answer.body) == (200, body)


def test_answers_without_an_item_or_a_file_say_so() -> None:
    assert Shape().of([[]]) is NO_ITEM
    assert Shape("firstEntryBinary").of(OUTPUTS) is NO_FILE
    assert Shape("allEntries").of([[]]).body == b"[]"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"id": "e1/files/k", "mimeType": "image/png"}, Answer(201, PNG, b"", "e1/files/k")),
        ({"data": "YWJj", "mimeType": "image/png"}, Answer(201, PNG, b"abc")),
        ({"id": "e1/trigger", "mimeType": "image/png"}, NO_FILE),
        ({"data": "a", "mimeType": "image/png"}, NO_FILE),
        ({"data": "", "mimeType": "image/png\r\nx: y"}, NO_FILE),
    ],
)
def test_a_file_is_the_answer(entry: dict[str, Any], expected: Answer) -> None:
    outputs = [[{"json": {}, "binary": {"f": entry}}]]
    assert Shape("firstEntryBinary", status=201, binary_name="f").of(outputs) == expected
