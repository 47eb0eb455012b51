"""Whether a credential is any good: tried at its service, as its kind says."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from weft_node_sdk import oauth1
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import Http, HttpAnswer, NodeRunError
from weft_node_sdk.credentials import authentication, fill, filled_tree, with_defaults
from weft_node_sdk.paths import MISSING, get

from weft_node_runner.application.ports import Addresses

TRIAL_SECONDS: Final = 20.0
_MOST: Final = 1024 * 1024
_UNTESTABLE: Final = (
    "Credentials of this kind can't be tested by themselves: the first node that uses one shows it."
)


@dataclass
class Gate:
    """Implements Outbound."""

    http: Http
    addresses: Addresses

    async def connect_address(self, host: str, port: int) -> str:
        return await self.addresses.connect_address(host, port)


@dataclass(frozen=True)
class Verdict:
    """`tested`: whether it could be tried at all."""

    ok: bool
    message: str
    tested: bool = True


UNTESTABLE: Final = Verdict(ok=False, message=_UNTESTABLE, tested=False)


def refused(error: NodeRunError) -> Verdict:
    said = (error.message.rstrip("."), error.description)
    return Verdict(ok=False, message=". ".join(text for text in said if text))


async def tried(catalogue: Catalogue, gate: Gate, kind: str, secret: Mapping[str, Any]) -> Verdict:
    """Raises nothing for what a service or a user has got wrong."""
    definition = catalogue.credential_type(kind)
    if definition is None or not definition.get("test"):
        return UNTESTABLE
    try:
        async with asyncio.timeout(TRIAL_SECONDS):
            check = catalogue.credential_check(kind)
            if check is not None:
                await check(gate, with_defaults(definition, secret))
            else:
                await _request(gate.http, definition, secret)
    except NodeRunError as error:
        return refused(error)
    except TimeoutError:
        return Verdict(ok=False, message=f"There was no answer within {TRIAL_SECONDS:g} s.")
    except (ValueError, TypeError) as error:  # a field that no driver can use
        return Verdict(ok=False, message=f"A field can't be used: {error}")
    return Verdict(ok=True, message="The service takes the credential.")


async def _request(http: Http, definition: Mapping[str, Any], secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the answer says no."""
    rules = definition["test"]["request"]
    found = authentication(definition, secret)
    fields = found.secret
    method, url = rules.get("method", "GET"), fill(rules["url"], fields)
    found.check(url)
    headers = [(name, fill(text, fields)) for name, text in rules.get("headers", {}).items()] + found.headers
    body: bytes | None = None
    given = {**(filled_tree(rules.get("json_body"), fields) or {}), **found.body}
    if given:
        body = orjson.dumps(given)
        headers.append(("content-type", "application/json"))
    if found.sign_in == "oauth1":
        headers.append(("authorization", oauth1.authorization(fields, method, url)))
    answer = await http.request(
        method,
        url,
        headers=headers,
        query=[(name, fill(text, fields)) for name, text in rules.get("query", {}).items()] + found.query,
        body=body,
        timeout=TRIAL_SECONDS,
        follow_redirects=False,
        max_bytes=_MOST,
    )
    if answer.status >= 300:
        raise NodeRunError(f"The service answered with status {answer.status}{_reason(answer)}")
    for rule in rules.get("failures", ()):
        told = _json(answer)
        if get(told, rule["path"]) == rule["value"]:
            why = get(told, rule["message"]) if rule.get("message") else MISSING
            raise NodeRunError(f"The service says no{'' if why is MISSING else f': {str(why)[:200]}'}")


def _json(answer: HttpAnswer) -> Any:
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}


def _reason(answer: HttpAnswer) -> str:
    """What services commonly say it in."""
    told = _json(answer)
    for path in ("message", "error.message", "error_description", "error", "detail", "errors[0].message"):
        why = get(told, path)
        if isinstance(why, str) and why:
            return f": {why[:200]}"
    return f" ({answer.reason})" if answer.reason else ""
