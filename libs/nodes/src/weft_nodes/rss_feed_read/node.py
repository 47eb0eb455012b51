"""RSS Read: the entries of a feed, one item each."""

import io
import re
from calendar import timegm
from datetime import UTC, datetime
from html import unescape
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import members, names_in, value

_ACCEPT = "application/rss+xml, application/atom+xml;q=0.9, application/xml;q=0.8, */*;q=0.5"


def _plain(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html)).strip()


def _time(moment: Any) -> str:
    return datetime.fromtimestamp(timegm(moment), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _entry(entry: Any, further: list[str], *, atom: bool) -> dict[str, Any]:
    """The fields that n8n gives to workflows, which differ for Atom and RSS."""
    moment = entry.get("published_parsed") or entry.get("updated_parsed")
    found: dict[str, Any] = {name: entry[name] for name in ("title", "link") if entry.get(name)}
    contents = [part.value for part in entry.get("content", ()) if part.get("value")]
    summary, author = entry.get("summary", ""), entry.get("author")
    if atom:
        told = {"author": author, "summary": summary if contents else "", "id": entry.get("id")}
        content = contents[0] if contents else summary
        published = _time(moment) if moment else ""
    else:
        told = {"creator": author, "dc:creator": author, "guid": entry.get("id")}
        content = summary or (contents[0] if contents else "")
        published = entry.get("published") or entry.get("updated")
        if contents and summary and contents[0] != summary:
            found["content:encoded"] = contents[0]
            found["content:encodedSnippet"] = _plain(contents[0])
    found |= {name: held for name, held in {**told, "pubDate": published}.items() if held}
    if content:
        found["content"], found["contentSnippet"] = content, _plain(content)
    if tags := [tag.term for tag in entry.get("tags", ()) if tag.get("term")]:
        found["categories"] = tags
    for part in entry.get("enclosures", ())[:1]:
        names = {"href": "url", "length": "length", "type": "type"}
        found["enclosure"] = {names[key]: part[key] for key in names if key in part}
    if moment:
        found["isoDate"] = _time(moment)
    for name in further:
        held = entry.get(name.replace(":", "_").lower())
        if held is not None:
            found[name] = held
    return found


async def run(ctx: RunContext) -> Outputs:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        # version 1 looks at the first item only
        if index and ctx.node.version < 1.1:
            return []
        url = str(value(parameters.get("url", ""))).strip()
        if not url:
            raise NodeRunError("The address of the feed is empty")
        options = members(parameters)
        verify = options.get("ignoreSSL") is not True
        headers = [("accept", _ACCEPT), ("user-agent", "Weft")]
        answer = await ctx.http.request("GET", url, headers=headers, verify=verify, timeout=60.0)
        if answer.status >= 400:
            raise NodeRunError(
                f"The feed answered with status {answer.status}", http_status=answer.status, code="HTTP_ERROR"
            )
        import feedparser

        feed = feedparser.parse(
            io.BytesIO(answer.body),
            sanitize_html=False,
            response_headers={"content-type": dict(answer.headers).get("content-type", "application/xml")},
        )
        if not feed.entries and not feed.version:
            raise NodeRunError(f"What lies at {url} is no feed")
        further = names_in(value(options.get("customFields", "")))
        atom = feed.version.startswith("atom")
        return [made(_entry(entry, further, atom=atom), index) for entry in feed.entries]

    return [await map_items(ctx, handle)]
