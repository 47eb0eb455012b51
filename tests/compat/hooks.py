"""Calls of the webhook cases and what is kept of their answers.

    python -m tests.compat.hooks http://127.0.0.1:5678 EMAIL PASSWORD VERSION

records what an n8n answers, into recorded/webhook.json.
"""

import contextlib
import json
import re
import sys
import time
import uuid
from typing import Any

import httpx

from tests.compat import goldens
from tests.compat.cases.webhooks import PATH, Hooked, cases
from tests.compat.expressions_record import Peer

GROUP = "webhook"
_TOLD = ("content-type", "location", "access-control-allow-origin", "access-control-allow-methods")
"""Headers of an answer that are compared, and all that begin with x-one or x-two."""


def placed(case: Hooked, path: str) -> dict[str, Any]:
    """The document with a path of its own."""
    document: dict[str, Any] = json.loads(json.dumps(case["document"]).replace(PATH, path))
    return document


def answered(base: str, path: str, case: Hooked) -> goldens.Golden:
    """What a caller gets. Waits until the path is known, if it is not yet."""
    call = case["call"]
    content: dict[str, Any] = {}
    if "form" in call:
        parts = call["form"].items()
        content["files"] = [
            (name, (part[0], part[2], part[1]) if isinstance(part, list) else (None, part))
            for name, part in parts
        ]
    elif "body" in call:
        content["content"] = call["body"].encode()
    end = time.monotonic() + 10
    while True:
        answer = httpx.request(
            call.get("method", "POST"),
            f"{base}/webhook/{path}{call.get('path', '')}",
            headers={"user-agent": "compat", **call.get("headers", {})},
            timeout=30,
            **content,
        )
        known = (
            answer.status_code != 404 or "not registered" not in answer.text or call.get("method") == "PUT"
        )
        if known or time.monotonic() > end:
            return _kept(answer, path)
        time.sleep(0.1)


def _kept(answer: httpx.Response, path: str) -> goldens.Golden:
    headers = {
        name: value.partition(";")[0] if name == "content-type" else value
        for name, value in answer.headers.items()
        if name in _TOLD or name.startswith(("x-one", "x-two"))
    }
    text = re.sub(r"boundary=\w+", "boundary=…", answer.text.replace(path, PATH))
    body: Any = text
    if headers.get("content-type") == "application/json":
        with contextlib.suppress(ValueError):
            body = json.loads(text)
    return {"status": answer.status_code, "headers": headers, "body": body}


def difference(wanted: goldens.Golden, found: goldens.Golden) -> str:
    """Empty where there is none. Of an answer that says what went wrong, the status counts alone."""
    for key in ("status", "headers", "body"):
        if key != "status" and wanted["status"] >= 400 and wanted["status"] != 422:
            return ""
        if not goldens.same(wanted[key], found[key]):
            return f"{key}: {json.dumps(wanted[key])[:200]} there, {json.dumps(found[key])[:200]} here"
    return ""


def recorded(peer: Peer, base: str, case: Hooked) -> goldens.Golden:
    path = uuid.uuid4().hex
    made = peer.call("POST", "/rest/workflows", {**placed(case, path), "active": False})
    try:
        peer.call("POST", f"/rest/workflows/{made['id']}/activate", {"versionId": made["versionId"]})
        return answered(base, path, case)
    finally:
        peer.call("POST", f"/rest/workflows/{made['id']}/archive", {})
        peer.call("DELETE", f"/rest/workflows/{made['id']}")


def main() -> None:
    base, email, password, version = sys.argv[1:]
    peer, old, found = Peer(base, email, password), goldens.read(GROUP), {}
    try:
        for name, case in cases().items():
            current = goldens.mark(case)
            kept = old.get(name)
            found[name] = (
                kept if kept and kept["of"] == current else {"of": current, **recorded(peer, base, case)}
            )
    finally:
        goldens.write(GROUP, version, found)


if __name__ == "__main__":
    main()
