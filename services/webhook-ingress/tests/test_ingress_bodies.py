"""What comes in as body, and how items become answers."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_contracts.errors import ErrorCode, WeftError
from weft_webhook_ingress.domain.answers import NO_FILE, NO_ITEM, FileAnswer, Shape
from weft_webhook_ingress.domain.body import parse_body
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
        (b"a=1&a=2", "application/x-www-form-urlencoded", {"a": ["1", "2"]}),
        ("ä".encode("latin-1"), "text/plain; charset=iso-8859-1", "ä"),
        ("ä".encode(), "text/plain; charset=unheard-of", "ä"),
        (b"<a/>", "application/xml", "<a/>"),
    ],
)
def test_bodies_by_content_type(data: bytes, kind: str, expected: Any) -> None:
    body = parse_body(data, kind)
    assert (json.loads(body.json), body.uploads) == (expected, ())


def test_other_types_are_files() -> None:
    (upload,) = parse_body(b"\x00\x01", "image/png").uploads
    assert (upload.name, upload.mime_type, upload.data) == ("data", "image/png", b"\x00\x01")
    (upload,) = parse_body(b"x", "", binary_name="mine").uploads
    assert (upload.name, upload.mime_type) == ("mine", "application/octet-stream")


def test_raw_bodies_are_a_file_too_and_never_refused() -> None:
    body = parse_body(b'{"a": }', "application/json", raw=True)
    assert (body.json, body.uploads[0].data) == (b"{}", b'{"a": }')
    assert json.loads(parse_body(b'{"a": 1}', "application/json", raw=True).json) == {"a": 1}


def test_uploads_have_the_names_of_their_fields() -> None:
    files = [
        ("one", ("a.txt", b"A", "text/plain")),
        ("many[]", ("b.bin", b"B", "application/x-b")),
        ("many[]", ("../c.bin", b"C", "application/x-b")),
    ]
    data, kind = multipart(data={"name": "Ada", "tags[]": ["x", "y"]}, files=files)
    body = parse_body(data, kind)
    assert json.loads(body.json) == {"name": "Ada", "tags": ["x", "y"]}
    assert [(each.name, each.data) for each in body.uploads] == [
        ("one", b"A"),
        ("many0", b"B"),
        ("many1", b"C"),
    ]
    named = parse_body(data, kind, binary_name="f").uploads
    assert [each.name for each in named] == ["f0", "f1", "f2"]


def test_large_uploads_are_whole() -> None:
    content = bytes(range(256)) * 8_000
    data, kind = multipart(files={"f": ("x", content, "application/x")})
    (upload,) = parse_body(data, kind).uploads
    assert upload.data == content


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_malformed_multipart_is_refused(kind: str) -> None:
    with pytest.raises(WeftError) as caught:
        parse_body(b"--y\r\nno multipart", kind)
    assert caught.value.code is ErrorCode.UNPROCESSABLE


@given(
    st.binary(max_size=300),
    st.sampled_from(["multipart/form-data; boundary=x", "application/json", "text/a"]),
)
def test_any_bytes_are_read_or_refused(data: bytes, kind: str) -> None:
    try:
        json.loads(parse_body(data, kind).json)
    except WeftError as error:
        refused = error.code
        assert refused is ErrorCode.UNPROCESSABLE


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
    assert not isinstance(answer, FileAnswer)
    assert (answer.status, answer.body) == (200, body)


def test_answers_without_an_item_or_a_file_say_so() -> None:
    assert Shape().of([[]]) is NO_ITEM
    assert Shape("allEntries").of([[]]).body == b"[]"  # type: ignore[union-attr]
    assert Shape("firstEntryBinary").of(OUTPUTS) is NO_FILE
    entry = {"id": "k", "mimeType": "image/png"}
    found = Shape("firstEntryBinary", status=201, binary_name="f").of(
        [[{"json": {}, "binary": {"f": entry}}]]
    )
    assert found == FileAnswer(201, (), entry)
