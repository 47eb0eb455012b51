"""PostBin: the requests of its API, and the items."""

from typing import Any

import orjson
import pytest
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer, Item, NodeRunError
from weft_node_sdk.testing.fake import FakeContext

CATALOGUE = Catalogue.load()
BIN = "1234567890123-1234567890123"
ABOUT = {"binId": BIN, "now": 1_700_000_000_000, "expires": 1_700_001_800_000}


async def ran(parameters: dict[str, Any], answer: bytes, status: int = 200) -> tuple[Any, list[Any]]:
    """The item's JSON; method, address and body of the request."""
    ctx = FakeContext(
        CATALOGUE.fill_defaults("postBin", 1, parameters),
        [[Item(json={})]],
        type="postBin",
        serve=lambda _: HttpAnswer(status, "", [], answer),
    )
    (items,) = await CATALOGUE.implementation("postBin")(ctx)
    (request,) = ctx.server.requests
    return items[0]["json"], [request.method, request.url, request.body]


async def test_a_bin_is_made() -> None:
    found, asked = await ran({}, orjson.dumps(ABOUT), 201)
    assert asked[:2] == ["POST", "https://www.postb.in/api/bin"]
    assert found == {
        "binId": BIN,
        "nowTimestamp": 1_700_000_000_000,
        "nowIso": "2023-11-14T22:13:20.000Z",
        "expiresTimestamp": 1_700_001_800_000,
        "expiresIso": "2023-11-14T22:43:20.000Z",
        "requestUrl": f"https://www.postb.in/{BIN}",
        "viewUrl": f"https://www.postb.in/b/{BIN}",
    }


async def test_a_bin_is_found_by_its_address_and_deleted() -> None:
    given = {"operation": "delete", "binId": f"https://www.postb.in/b/{BIN}"}
    found, asked = await ran(given, b'{"msg": "Bin Deleted"}')
    assert (found, asked[:2]) == ({"msg": "Bin Deleted"}, ["DELETE", f"https://www.postb.in/api/bin/{BIN}"])


async def test_a_request_is_sent() -> None:
    given = {"resource": "request", "operation": "send", "binId": BIN, "binContent": "hello"}
    found, asked = await ran(given, b"9876543210123-1234567890123")
    assert found == {"requestId": "9876543210123-1234567890123"}
    assert asked == ["POST", f"https://www.postb.in/{BIN}", b'{"content":"hello"}']


async def test_requests_are_got_and_taken() -> None:
    request = {"method": "POST", "body": {"a": 1}}
    got = {"resource": "request", "operation": "get", "binId": BIN, "requestId": "a/b"}
    found, asked = await ran(got, orjson.dumps(request))
    assert (found, asked[1]) == (request, f"https://www.postb.in/api/bin/{BIN}/req/a%2Fb")
    taken = {"resource": "request", "operation": "removeFirst", "binId": BIN}
    assert (await ran(taken, orjson.dumps(request)))[1][1] == f"https://www.postb.in/api/bin/{BIN}/req/shift"


async def test_what_the_service_refuses() -> None:
    with pytest.raises(NodeRunError, match="No such bin"):
        await ran({"operation": "get", "binId": BIN}, b'{"msg": "No such bin"}', 404)
