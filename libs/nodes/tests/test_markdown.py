"""Markdown: options beyond the cases, and hostile texts."""

import html as entities
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_nodes.markdown.from_html import markdown, style_of
from weft_nodes.markdown.to_html import html

PLAIN = style_of({}, [], {})


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        (
            "![a](b.png =100x80)",
            {"parseImgDimensions": True},
            '<p><img src="b.png" alt="a" width="100" height="80" /></p>',
        ),
        (
            "![a](b.png =*x80 'T')",
            {"parseImgDimensions": True},
            '<p><img src="b.png" alt="a" title="T" width="auto" height="80" /></p>',
        ),
        ("# A b", {"rawHeaderId": True}, '<h1 id="a-b">A b</h1>'),
        ("# A", {"prefixHeaderId": "P-", "rawPrefixHeaderId": True}, '<h1 id="P-a">A</h1>'),
        (
            "@ada",
            {"ghMentions": True, "ghMentionsLink": "https://x/{u}"},
            '<p><a href="https://x/ada">@ada</a></p>',
        ),
        ("a\nb", {"simpleLineBreaks": True}, "<p>a<br />\nb</p>"),
        ("3. a", {}, '<ol start="3">\n<li>a</li>\n</ol>'),
        ("[x](javascript:alert(1))", {}, '<p><a href="#harmful-link">x</a></p>'),
    ],
)
def test_options(text: str, options: dict[str, Any], expected: str) -> None:
    assert html(text, options) == expected


def test_addresses_of_mails_are_hidden() -> None:
    made = html("[a@b.cd](mailto:a@b.cd)", {})
    assert "a@b.cd" not in made
    assert entities.unescape(made) == '<p><a href="mailto:a@b.cd">a@b.cd</a></p>'
    assert html("[a](mailto:a@b.cd)", {"encodeEmails": False}) == '<p><a href="mailto:a@b.cd">a</a></p>'


@given(st.text(alphabet="<>/abpul ih1=\"'&;\n\t#*_`[]()é|-", max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert isinstance(markdown(text, PLAIN), str)
    assert isinstance(html(text, {"tables": True, "strikethrough": True, "simplifiedAutoLink": True}), str)


@pytest.mark.parametrize("tag", ["div", "b", "ul><li", "blockquote"])
def test_deep_pages_are_read(tag: str) -> None:
    assert "x" in markdown(f"<{tag}>" * 3000 + "x", PLAIN)
