"""OpenThesaurus: the request of its API, and the items."""

import orjson
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer
from weft_node_sdk.testing.fake import FakeContext

CATALOGUE = Catalogue.load()


async def test_synonyms() -> None:
    found = {"synsets": [{"id": 1, "terms": [{"term": "Haus"}]}, {"id": 2, "terms": []}]}
    parameters = {"text": "Haus & Hof", "options": {"similar": True, "substringMaxResults": 3}}
    ctx = FakeContext(
        CATALOGUE.fill_defaults("openThesaurus", 1, parameters),
        [[{"json": {}}]],
        type="openThesaurus",
        serve=lambda _: HttpAnswer(200, "", [], orjson.dumps(found)),
    )
    (items,) = await CATALOGUE.implementation("openThesaurus")(ctx)
    assert [item["json"] for item in items] == found["synsets"]
    (request,) = ctx.server.requests
    assert request.url == "https://www.openthesaurus.de/synonyme/search"
    assert list(request.query) == [
        ("q", "Haus & Hof"),
        ("format", "application/json"),
        ("similar", "true"),
        ("substringMaxResults", "3"),
    ]


async def test_minutes_are_kept_with_the_execution() -> None:
    for mode, kept in (("once", "2.5"), ("perItem", "5")):
        given = {"mode": mode, "minutesSaved": 2.5}
        ctx = FakeContext(given, [[{"json": {}}, {"json": {}}]], type="timeSaved")
        await CATALOGUE.implementation("timeSaved")(ctx)
        assert ctx.noted == {"minutesSaved": kept}
