"""Hacker News: the requests of its search, and the items."""

from typing import Any

import orjson
import pytest
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer, NodeRunError
from weft_node_sdk.testing.fake import FakeContext, Request

CATALOGUE = Catalogue.load()


async def ran(parameters: dict[str, Any], *answers: Any) -> tuple[list[Any], list[Request]]:
    waiting = list(answers)

    def serve(_: Request) -> HttpAnswer:
        held = waiting.pop(0)
        status, body = held if isinstance(held, tuple) else (200, held)
        return HttpAnswer(status, "", [], orjson.dumps(body))

    given = CATALOGUE.fill_defaults("hackerNews", 1, parameters)
    ctx = FakeContext(given, [[{"json": {}}]], type="hackerNews", serve=serve)
    (items,) = await CATALOGUE.implementation("hackerNews")(ctx)
    return [item["json"] for item in items], ctx.server.requests


async def test_all_pages_of_a_search() -> None:
    more = {"keyword": "weft", "tags": ["story", "front_page"]}
    pages = [{"hits": [{"objectID": str(number)}], "nbPages": 2} for number in range(2)]
    items, requests = await ran({"resource": "all", "returnAll": True, "additionalFields": more}, *pages)
    assert [item["objectID"] for item in items] == ["0", "1"]
    assert requests[1].url == "https://hn.algolia.com/api/v1/search"
    assert list(requests[1].query) == [
        ("query", "weft"),
        ("tags", "story,front_page"),
        ("hitsPerPage", "100"),
        ("page", "1"),
    ]


async def test_as_many_as_are_asked_for() -> None:
    items, requests = await ran({"resource": "all", "limit": 1}, {"hits": [{"a": 1}, {"a": 2}], "nbPages": 9})
    assert items == [{"a": 1}]
    assert list(requests[0].query) == [("hitsPerPage", "1"), ("page", "0")]


async def test_articles_and_users() -> None:
    article = {"id": 7, "children": [{"id": 8}]}
    items, (request,) = await ran({"articleId": "7"}, article)
    assert (items, request.url) == ([{"id": 7}], "https://hn.algolia.com/api/v1/items/7")
    whole, _ = await ran({"articleId": "7", "additionalFields": {"includeComments": True}}, article)
    assert whole == [article]
    _, (request,) = await ran({"resource": "user", "username": "a/b"}, {"username": "a/b"})
    assert request.url == "https://hn.algolia.com/api/v1/users/a%2Fb"
    with pytest.raises(NodeRunError, match="Hacker News: not found"):
        await ran({"articleId": "7"}, (404, {"error": "not found"}))
