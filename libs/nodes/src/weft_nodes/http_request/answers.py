"""From an answer to items: its format, its errors, one item per entry of a list."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote, urlsplit

from weft_node_sdk.charsets import decoded
from weft_node_sdk.context import HttpAnswer, HttpStream, Item, NodeRunError, RunContext
from weft_node_sdk.json_text import parse_json
from weft_node_sdk.values import compact_json, entries, members

_FILES = re.compile(
    r"(image|audio|video|font)/(?!svg)|application/(octet-stream|pdf|zip|gzip|x-(tar|gzip|7z|rar)[\w-]*|msword|"
    r"vnd\.(?!.*[+/](json|xml)).*)"
)
_EXCERPT = 1000


@dataclass(frozen=True)
class Reading:
    """How the answer is read. `format`: autodetect, json, text, file. `split`: a list becomes one item per
    entry."""

    format: str = "autodetect"
    name: str = "data"
    full: bool = False
    never_error: bool = False
    split: bool = True

    @classmethod
    def of(cls, parameters: Mapping[str, Any], version: float) -> "Reading":
        options = members(parameters)
        if version >= 3:
            found = entries(options, "response", "response")
            given: Mapping[str, Any] = found[0] if found else {}
            return cls(
                given.get("responseFormat", "autodetect"),
                str(given.get("outputPropertyName") or "data"),
                given.get("fullResponse") is True,
                given.get("neverError") is True,
            )
        form = parameters.get("responseFormat", "json")
        return cls(
            "text" if form == "string" else form,
            str(parameters.get("dataPropertyName") or "data"),
            options.get("fullResponse") is True,
            options.get("ignoreResponseCode") is True,
            options.get("splitIntoItems") is True,
        )


def headers_of(answer: HttpAnswer) -> dict[str, Any]:
    """Headers by lower-case name; cookies as a list, other repeats joined."""
    headers: dict[str, Any] = {}
    for name, text in answer.headers:
        key = name.lower()
        if key == "set-cookie":
            headers.setdefault(key, []).append(text)
        else:
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def text_of(answer: HttpAnswer) -> str:
    content_type = str(headers_of(answer).get("content-type", ""))
    found = re.search(r"charset=[\"']?([\w-]+)", content_type, re.IGNORECASE)
    return decoded(answer.body, found.group(1) if found else "utf-8")


def check(answer: HttpAnswer, reading: Reading) -> None:
    """Raises NodeRunError for a status from 300 on: a redirect that comes this far was not to be followed."""
    if answer.status < 300 or reading.never_error:
        return
    text = text_of(answer).strip()
    raise NodeRunError(
        f"The server answered {answer.status} {answer.reason}".rstrip(),
        description=text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…",
        code="HTTP_ERROR",
        http_status=answer.status,
    )


def failed(item: Item, error: NodeRunError, version: float) -> Item:
    """Of a failed request, workflows read `$json.error.message`, `.status` and `.code`, as n8n has them."""
    refused = "Connect call failed" in error.message
    code = "ECONNREFUSED" if refused else error.code
    about: dict[str, Any] = {"message": error.message, "name": "Error", "code": code}
    if error.http_status:
        said = error.description
        if version >= 3:
            said = compact_json(said)
        code = "ERR_BAD_REQUEST" if error.http_status < 500 else "ERR_BAD_RESPONSE"
        about = {"message": f"{error.http_status} - {said}", "name": "AxiosError", "code": code}
        about["status"] = error.http_status
    return {**item, "json": {**item["json"], "error": about}}


def _media_type(answer: HttpAnswer) -> str:
    return str(headers_of(answer).get("content-type", "")).partition(";")[0].strip().lower()


def _format(answer: HttpAnswer, reading: Reading) -> str:
    if reading.format != "autodetect":
        return reading.format
    kind = _media_type(answer)
    if (
        kind == "application/json"
    ):  # its kin (application/problem+json) are texts in n8n, and parsed by workflows
        return "json"
    return "file" if _FILES.fullmatch(kind) or _FILES.match(kind) else "text"


def body_of(answer: HttpAnswer, reading: Reading) -> Any:
    """The body as JSON or text, for items and for expressions over pages. Raises NodeRunError."""
    if _format(answer, reading) != "json":
        return text_of(answer)
    if not answer.body.strip():
        return {}
    try:
        return parse_json(answer.body)
    except ValueError as error:
        raise NodeRunError(
            f"The answer is not valid JSON: {error}",
            description="Set the response format to text to get it as it is.",
        ) from None


def _file_name(answer: HttpAnswer, url: str) -> str:
    disposition = str(headers_of(answer).get("content-disposition", ""))
    found = re.search(r"filename\*=(?:UTF-8'')?([^;]+)|filename=\"?([^\";]+)", disposition, re.IGNORECASE)
    name = (found.group(1) or found.group(2)) if found else urlsplit(url).path
    return unquote(name.strip()).replace("\\", "/").rpartition("/")[2]


@dataclass(frozen=True)
class Download(HttpAnswer):
    """An answer whose body is a file that is kept already; `body` is empty."""

    entry: Mapping[str, Any] = field(default_factory=dict)


async def received(ctx: RunContext, answer: HttpStream, url: str, reading: Reading) -> HttpAnswer:
    """The answer with its body, or, where that is to be a file, as a Download. Raises NodeRunError."""
    head = HttpAnswer(answer.status, answer.reason, answer.headers, b"")
    wrong = answer.status >= 300 and not reading.never_error
    if wrong or _format(head, reading) != "file":
        try:
            return replace(head, body=await answer.read())
        except NodeRunError as error:
            if error.code == "TOO_LARGE":
                error.description = "As a file (response format) it may be larger."
            raise
    mime_type = str(headers_of(head).get("content-type", "application/octet-stream")).partition(";")[0]
    entry = await ctx.write_binary(answer, mime_type=mime_type.strip(), file_name=_file_name(head, url))
    return Download(head.status, head.reason, head.headers, b"", entry)


def _full(answer: HttpAnswer) -> dict[str, Any]:
    return {"headers": headers_of(answer), "statusCode": answer.status, "statusMessage": answer.reason}


async def items_of(ctx: RunContext, answer: HttpAnswer, url: str, reading: Reading, index: int) -> list[Item]:
    """Raises NodeRunError for an error status or a body that can't be read."""
    check(answer, reading)
    lineage = {"item": index}
    if _format(answer, reading) == "file":
        if isinstance(answer, Download):
            entry = answer.entry
        else:
            mime_type = str(headers_of(answer).get("content-type", "application/octet-stream")).partition(";")
            entry = await ctx.store_binary(
                answer.body, mime_type=mime_type[0].strip(), file_name=_file_name(answer, url)
            )
        json = _full(answer) if reading.full else ctx.items[index]["json"]
        return [{"json": json, "binary": {reading.name: entry}, "pairedItem": lineage}]
    body = body_of(answer, reading)
    if _format(answer, reading) == "text":
        body = _compact(answer, body)
        text = {reading.name: body} if body else {}
        return [{"json": {**text, **(_full(answer) if reading.full else {})}, "pairedItem": lineage}]
    if reading.full:
        held = {"body": body} if answer.body.strip() or reading.format == "autodetect" else {}
        return [{"json": {**held, **_full(answer)}, "pairedItem": lineage}]
    return [{"json": data, "pairedItem": lineage} for data in _data(answer, body, reading)]


def _compact(answer: HttpAnswer, text: str) -> str:
    """As n8n has it: JSON that is asked for as text comes without blanks."""
    if _media_type(answer) != "application/json":
        return text
    try:
        held = parse_json(text)
    except ValueError:
        return text
    return compact_json(held) if isinstance(held, dict | list) else text


def _data(answer: HttpAnswer, body: Any, reading: Reading) -> list[Any]:
    """The data of the items: as in n8n a list or a number is an item's data, too. A text as the whole answer, which
    n8n refuses, is a field."""
    if isinstance(body, list) and reading.split:
        return [{} if row is None else row for row in body]
    if isinstance(body, str):
        return [{reading.name: body}]
    said = body if answer.body.strip() else None
    return [{} if said is None and reading.format == "autodetect" else said]
