"""What the codec must give is what JSON.parse followed by JSON.stringify gives in V8, order included."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.payload import BINARY, RAW_JSON, ZSTD_JSON, Payload
from weft_kit import items
from weft_kit.blobs import CLAIM_CHECK_BYTES

ROUND_TRIPS = {
    b"1.0": b"1",
    b"1e3": b"1000",
    b"-0": b"0",
    b"-0.0": b"0",
    b"[1.50, -2.0]": b"[1.5,-2]",
    b"12345678901234567890": b"12345678901234567000",
    b"9007199254740991": b"9007199254740991",
    b"9007199254740993": b"9007199254740992",
    b"-9007199254740993": b"-9007199254740992",
    b"100000000000000000000": b"100000000000000000000",
    b"123456789012345680000": b"123456789012345680000",
    b"1e21": b"1e+21",
    b"1e-7": b"1e-7",
    b"0.00001": b"0.00001",
    b'"\\ud800"': '"\ufffd"'.encode(),
    b'"a\\udc00b"': '"a\ufffdb"'.encode(),
    b'"\\ud83d\\ude00"': '"😀"'.encode(),
    b'"\\\\ud800"': b'"\\\\ud800"',
    b'{"\\ud800":1}': '{"\ufffd":1}'.encode(),
    b'{"b":1,"2":0,"1":0}': b'{"1":0,"2":0,"b":1}',
    b'{"10":1,"9":2,"01":3,"4294967295":4,"0":5}': b'{"0":5,"9":2,"10":1,"01":3,"4294967295":4}',
    b'{"a":1,"b":2,"a":3}': b'{"a":3,"b":2}',
    b' { "a" : [ ] , "b" : { } } ': b'{"a":[],"b":{}}',
    b'{"__proto__":1}': b'{"__proto__":1}',
    b"null": b"null",
    b'""': b'""',
}


@pytest.mark.parametrize(("text", "expected"), ROUND_TRIPS.items(), ids=lambda part: part.decode()[:40])
def test_round_trip_is_javascripts(text: bytes, expected: bytes) -> None:
    assert items.dumps_js(items.loads_js(text)) == expected
    wrapped = items.loads_js(b'{"x":[' + text + b"]}")
    assert items.dumps_js(wrapped) == b'{"x":[' + expected + b"]}"


def test_a_byte_order_mark_is_passed_over() -> None:
    assert items.loads_js(items.unmarked(b'\xef\xbb\xbf{"a": 1}')) == {"a": 1}
    assert items.unmarked(b'{"a": 1}') == b'{"a": 1}'
    with pytest.raises(WeftError):
        items.loads_js(items.unmarked(b'\xef\xbb\xbf\xef\xbb\xbf{"a": 1}'))


def test_integral_floats_are_integers() -> None:
    value = items.loads_js(b'{"a":1.0,"b":[1e2]}')
    assert type(value["a"]) is int
    assert type(value["b"][0]) is int


REFUSED = {
    b"": (1, 1),
    b"{": (1, 2),
    b'{"a":NaN}': (1, 6),
    b"[Infinity]": (1, 2),
    b"[1e400]": (1, 2),
    b'{"a":\n [1,}': (2, 5),
    b'{"\xc3\xa4": 1,\n "b\xff": 1}': (2, 4),
    b'"\xed\xa0\x80"': (1, 2),
    b'\xef\xbb\xbf{"a":1}': (1, 1),
    b'["\\ud800", nope]': None,
    b"[" * 3000 + b"]" * 3000: (1, 201),
    b'{"[[[":\n' + b"[" * 200 + b"]" * 200 + b"}": (2, 200),
}


@pytest.mark.parametrize(("text", "place"), REFUSED.items(), ids=lambda part: str(part)[:40])
def test_refuses_with_the_place(text: bytes, place: tuple[int, int] | None) -> None:
    with pytest.raises(WeftError) as caught:
        items.loads_js(text)
    assert caught.value.code is ErrorCode.VALIDATION_ERROR
    if place:
        assert (caught.value.details["line"], caught.value.details["column"]) == place


def test_depth_limit_is_exact() -> None:
    assert items.loads_js(b"[" * 200 + b"]" * 200)
    assert items.loads_js(b'{"a":' * 200 + b"1.0" + b"}" * 200)
    with pytest.raises(WeftError):
        items.loads_js(b"[" * 201 + b"]" * 201)
    with pytest.raises(WeftError):
        items.loads_js(b'{"a":' * 201 + b"1" + b"}" * 201)


def test_the_deepest_document_can_be_wrapped_and_written() -> None:
    document = items.loads_js(b"[" * 200 + b"]" * 200)
    assert items.decode(items.encode_outputs([[{"json": {"body": document}}]]))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), b"null"),
        (
            [float("inf"), -0.0, 5.0, 2**60, 10**20, 10**400],
            b"[null,0,5,1152921504606847000,100000000000000000000,null]",
        ),
        ([1e16], b"[10000000000000000]"),
        ([1e21, 1.5e300, 2**53 - 1], b"[1e+21,1.5e+300,9007199254740991]"),
        ({"a+e": [0.1, 1.25, 100.0]}, b'{"a+e":[0.1,1.25,100]}'),
        ({1: "a", None: "b", "z": True, 0: "c"}, b'{"0":"c","1":"a","null":"b","z":true}'),
        (("a", (1.0,)), b'["a",[1]]'),
        ("\ud83d\ude00 \ud800 x", '"😀 \ufffd x"'.encode()),
        (
            {"\udfff": [10**20, datetime(2024, 1, 2, tzinfo=UTC)]},
            '{"\ufffd":[100000000000000000000,"2024-01-02T00:00:00+00:00"]}'.encode(),
        ),
    ],
)
def test_writes_python_values_as_javascript_would(value: Any, expected: bytes) -> None:
    assert items.dumps_js(value) == expected


def test_refuses_what_json_cannot_say() -> None:
    loop: list[Any] = []
    loop.append(loop)
    for value in (object(), {"a": object()}, {(1, 2): 3}, loop, {"a": {1, 2}}):
        with pytest.raises(WeftError) as caught:
            items.dumps_js(value)
        assert caught.value.code is ErrorCode.VALIDATION_ERROR


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from("0129"), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(JSON)
def test_writing_is_stable(value: Any) -> None:
    once = items.dumps_js(value)
    assert items.dumps_js(items.loads_js(once)) == once
    assert items.dumps_js(items.decode(items.encode(value))) == once


@given(JSON)
def test_the_quick_look_overlooks_nothing(value: Any) -> None:
    mended = items._dump(items._mend(value))
    assert items.dumps_js(value) == mended


def test_payloads_are_compressed_from_a_size_on() -> None:
    small = items.encode_outputs([[{"json": {"a": 1}}]])
    assert (small.codec, small.size) == (RAW_JSON, len(small.data))
    outputs = [[{"json": {"text": "weft " * 400}}], []]
    large = items.encode_outputs(outputs)
    assert large.codec == ZSTD_JSON
    assert large.size == len(orjson.dumps(outputs)) > len(large.data)
    assert items.decode(large) == outputs
    assert items.decode(Payload(BINARY, b"\x00\xff", 2)) == b"\x00\xff"


class MemoryBlobs:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, key: str, data: bytes) -> None:
        self.kept[key] = data

    async def get(self, key: str) -> bytes:
        return self.kept[key]

    async def delete(self, key: str) -> None:
        del self.kept[key]


async def test_large_payloads_travel_by_reference() -> None:
    blobs = MemoryBlobs()
    small = Payload(BINARY, b"x" * CLAIM_CHECK_BYTES, CLAIM_CHECK_BYTES)
    assert await items.claim(small, blobs, "k") is small
    large = Payload(BINARY, b"x" * (CLAIM_CHECK_BYTES + 1), CLAIM_CHECK_BYTES + 1)
    reference = await items.claim(large, blobs, "k")
    assert (reference.data, reference.ref, reference.size) == (b"", "k", large.size)
    with pytest.raises(WeftError):
        items.decode(reference)
    assert await items.unclaim(reference, blobs) == large
    assert await items.unclaim(small, blobs) is small
