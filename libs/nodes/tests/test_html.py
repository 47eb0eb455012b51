"""HTML: templates per item, selectors beyond CSS, and hostile pages."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.html.extracting import Manner, extracted, selected
from weft_nodes.html.plain_text import plain_text

CATALOGUE = Catalogue.load()
LIST = "<ul>" + "".join(f"<li>{index}</li>" for index in range(5)) + "</ul>"


async def test_a_template_is_filled_for_every_item() -> None:
    seen: list[tuple[Sequence[str], int]] = []

    def evaluated(templates: Sequence[str], index: int, _: Mapping[str, Any]) -> list[Any]:
        seen.append((templates, index))
        return [f"<p>{index}</p>"]

    template = "=<p>{{ $json.a }}</p>"
    ctx = FakeContext({"html": template}, [[{"json": {"a": 1}}, {"json": {}}]], version=1.2, type="html")
    ctx.evaluate_templates = evaluated
    outputs = await CATALOGUE.implementation("html")(ctx)
    assert isinstance(outputs, list)
    assert [item["json"] for item in outputs[0]] == [{"html": "<p>0</p>"}, {"html": "<p>1</p>"}]
    assert seen == [(["<p>{{ $json.a }}</p>"], 0), (["<p>{{ $json.a }}</p>"], 1)]


async def test_a_file_is_read() -> None:
    parameters = {
        "operation": "extractHtmlContent",
        "sourceData": "binary",
        "extractionValues": {"values": [{"key": "k", "cssSelector": "p"}]},
    }
    given = CATALOGUE.fill_defaults("html", 1.2, parameters)
    ctx = FakeContext(given, [[{"json": {}, "binary": {"data": {"id": "f"}}}]], version=1.2, type="html")
    ctx.stored["f"] = "<p>grüße</p>".encode()
    outputs = await CATALOGUE.implementation("html")(ctx)
    assert isinstance(outputs, list)
    assert outputs[0][0]["json"] == {"k": "grüße"}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("li:first", "0"),
        ("li:last", "4"),
        ("li:eq(2)", "2"),
        ("li:eq(-1)", "4"),
        ("li:eq(-9)", ""),
        ("li:gt(2)", "34"),
        ("li:lt(2)", "01"),
        ("li:even", "024"),
        ("li:odd", "13"),
        ("li:contains('3')", "3"),
        ("li:not(:first-child)", "1234"),
        ("ul > li + li:nth-child(2)", "1"),
    ],
)
def test_selectors(selector: str, expected: str) -> None:
    assert "".join(node.text() for node in selected(LexborHTMLParser(LIST), selector)) == expected


def test_skipped_elements_stay_for_other_values() -> None:
    values = [{"key": "a", "cssSelector": "div", "skipSelectors": "b"}, {"key": "b", "cssSelector": "div"}]
    manner = Manner(readable=True)
    found = extracted("<div>x<b>y</b></div>", {"extractionValues": {"values": values}}, manner)
    assert found == {"a": "x", "b": "xy"}


@given(st.text(alphabet="<>/abpul i=\"'&;\n\t é", max_size=200))
def test_any_text_is_read(text: str) -> None:
    body = LexborHTMLParser(f"<body>{text}").css_first("body")
    if body is not None:
        assert isinstance(plain_text(body), str)


def test_deep_pages_are_read() -> None:
    parsed = LexborHTMLParser("<div>" * 5000 + "x").css_first("body")
    assert parsed is not None
    assert plain_text(parsed).strip() == "x"
