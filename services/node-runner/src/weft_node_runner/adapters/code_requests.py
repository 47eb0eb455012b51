"""`this.helpers.httpRequest(options)` of a script: the request is made out here, under the guard."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from weft_expressions.code import HelpRefused
from weft_node_sdk.context import Http, HttpAnswer, NodeRunError

_LONGEST_SECONDS = 300.0


class CodeRequests:
    """Options are those of n8n's documentation: url, baseURL, method, headers, qs, arrayFormat, body, json, auth,
    proxy, encoding, timeout (milliseconds), returnFullResponse, ignoreHttpStatusErrors, disableFollowRedirect,
    skipSslCertificateValidation; kind "request" has the older uri, form, resolveWithFullResponse and simple, too."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def send(self, kind: str, options: dict[str, Any]) -> Any:
        """Raises HelpRefused."""
        url = str(options.get("url") or (options.get("uri") if kind == "request" else "") or "")
        url = _joined(str(options.get("baseURL") or options.get("baseUrl") or ""), url)
        headers = {
            str(name): str(value) for name, value in _mapping(options, "headers").items() if value is not None
        }
        body = _body(options, headers, plain=kind == "request")
        _authorize(options, headers)
        try:
            answer = await self._http.request(
                str(options.get("method") or "GET").upper(),
                url,
                headers=list(headers.items()),
                query=_query(_mapping(options, "qs"), str(options.get("arrayFormat") or "indices")),
                body=body,
                timeout=_seconds(options.get("timeout")),
                follow_redirects=not options.get("disableFollowRedirect"),
                verify=not options.get("skipSslCertificateValidation"),
                proxy=_proxy(options.get("proxy")),
            )
        except NodeRunError as error:
            raise HelpRefused(error.message, {"description": error.description, "code": error.code}) from None
        lenient = options.get("ignoreHttpStatusErrors") or options.get("simple") is False
        if answer.status >= 400 and not lenient:
            raise _refused(answer)
        return _result(answer, options)


def _mapping(options: dict[str, Any], name: str) -> Mapping[str, Any]:
    found = options.get(name)
    return found if isinstance(found, Mapping) else {}


def _joined(base: str, url: str) -> str:
    if not base or "://" in url:
        return url
    return f"{base.rstrip('/')}/{url.lstrip('/')}" if url else base


def _seconds(milliseconds: Any) -> float:
    if not isinstance(milliseconds, (int, float)) or milliseconds <= 0:
        return _LONGEST_SECONDS
    return min(milliseconds / 1000, _LONGEST_SECONDS)


def _query(values: Mapping[str, Any], lists: str) -> list[tuple[str, str]]:
    """Pairs of nested values, as n8n writes them: `a[b]=1`; `lists` is indices, brackets, repeat or comma."""
    return [pair for name, value in values.items() for pair in _pairs(name, value, lists)]


def _pairs(name: str, value: Any, lists: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _pairs(f"{name}[{key}]", part, lists)
    elif isinstance(value, list) and lists == "comma":
        yield name, ",".join(_text(part) for part in value)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            place = {"brackets": "[]", "repeat": ""}.get(lists, f"[{index}]")
            yield from _pairs(f"{name}{place}", part, lists)
    else:
        yield name, _text(value)


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return orjson.dumps(value).decode()


def _proxy(given: Any) -> str:
    """Of a URL, or of `{protocol, host, port, auth: {username, password}}`."""
    if isinstance(given, str):
        return given
    if not isinstance(given, Mapping) or not given.get("host"):
        return ""
    auth = _mapping(dict(given), "auth")
    user, secret = quote(str(auth.get("username", "")), ""), quote(str(auth.get("password", "")), "")
    protocol = str(given.get("protocol") or "http").rstrip(":")
    port = f":{given['port']}" if given.get("port") else ""
    return f"{protocol}://{f'{user}:{secret}@' if user else ''}{given['host']}{port}"


def _body(options: dict[str, Any], headers: dict[str, str], *, plain: bool) -> bytes | None:
    """The body as bytes; a content type is added where there is none."""
    form = options.get("form") if plain else None
    body = form if form is not None else options.get("body")
    named = {name.lower(): value for name, value in headers.items()}
    if body is None or body == "":
        return None
    if isinstance(body, str):
        if "content-type" not in named:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return body.encode()
    if isinstance(body, Mapping) and body.get("type") == "Buffer":
        return bytes(body.get("data") or ())
    kind = named.get("content-type", "")
    if isinstance(body, Mapping) and (form is not None or "x-www-form-urlencoded" in kind):
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return urlencode(_query(body, "brackets" if form is None else "indices")).encode()
    if not kind:
        headers["Content-Type"] = "application/json"
    return orjson.dumps(body)


def _authorize(options: dict[str, Any], headers: dict[str, str]) -> None:
    auth = _mapping(options, "auth")
    if auth:
        user, secret = auth.get("username", auth.get("user", "")), auth.get("password", auth.get("pass", ""))
        headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()
    if options.get("json") and not any(name.lower() == "accept" for name in headers):
        headers["Accept"] = "application/json"


def _decoded(answer: HttpAnswer, options: dict[str, Any]) -> Any:
    """JSON where it is some, text, or for encoding "arraybuffer" a Buffer's JSON."""
    if options.get("encoding") in ("arraybuffer", "binary"):
        return {"type": "Buffer", "data": list(answer.body)}
    kind = next((value for name, value in answer.headers if name.lower() == "content-type"), "")
    if options.get("json") or "json" in kind:
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            pass  # the server says so and is wrong: the text is the answer
    return answer.body.decode(errors="replace")


def _result(answer: HttpAnswer, options: dict[str, Any]) -> Any:
    body = _decoded(answer, options)
    if not (options.get("returnFullResponse") or options.get("resolveWithFullResponse")):
        return body
    headers: dict[str, Any] = {}
    for name, value in answer.headers:
        headers[name.lower()] = value
    return {
        "body": body,
        "headers": headers,
        "statusCode": answer.status,
        "statusMessage": answer.reason,
    }


def _refused(answer: HttpAnswer) -> HelpRefused:
    body = _decoded(answer, {})
    return HelpRefused(
        f"Request failed with status code {answer.status}",
        {
            "httpCode": str(answer.status),
            "statusCode": answer.status,
            "response": {"status": answer.status, "body": body},
        },
    )
