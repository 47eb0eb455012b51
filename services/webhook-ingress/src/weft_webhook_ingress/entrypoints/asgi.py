"""The front door of webhooks, as a raw ASGI application: this is the hot path."""

import asyncio
import hmac
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs

import orjson
from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import ExecutionIds, derived_id, new_id, shard_of
from weft_contracts.messages import (
    Envelope,
    ExecutionCommand,
    ResumeExecution,
    StartExecution,
    TestCallReceived,
    WebhookReply,
)
from weft_contracts.payload import BINARY, RAW_JSON, Payload
from weft_contracts.pb import orchestrator_pb2 as pb
from weft_contracts.rpc.orchestrator import Executions
from weft_kit import items
from weft_kit.blobs import BlobStore
from weft_kit.bus import EventBus
from weft_kit.service import AsgiReceive, AsgiSend, Scope
from weft_kit.signals import Signals
from weft_kit.telemetry import metrics

from weft_webhook_ingress.adapters.postgres import PostgresCalls
from weft_webhook_ingress.application.bodies import Bodies, Body
from weft_webhook_ingress.application.guard import Guard
from weft_webhook_ingress.application.replies import Replies
from weft_webhook_ingress.application.routes import Routes
from weft_webhook_ingress.domain.answers import (
    FAILED,
    NO_FILE,
    UNANSWERED,
    Answer,
    Headers,
    not_registered,
    problem,
    unavailable,
)
from weft_webhook_ingress.domain.body import NOTHING, TooLargeError
from weft_webhook_ingress.domain.forms import parse_form
from weft_webhook_ingress.domain.hook import TEST, Hook, compile_hook
from weft_webhook_ingress.domain.table import RouteTable
from weft_webhook_ingress.entrypoints.call import Call

_UNKNOWN: Final = (
    "The workflow must be active for a production URL to run successfully. You can activate the workflow using the "
    "toggle in the editor."
)
_UNKNOWN_TEST: Final = (
    "Click the 'Listen for test event' button in the editor, then try again. "
    "(A test URL answers one call after that.)"
)
LONGEST_KEY: Final = 255
_NO_BODY: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_calls = metrics.counter("webhook_calls", "Calls of webhooks", ("status",))


class Ingress:
    def __init__(
        self,
        *,
        routes: Routes,
        guard: Guard,
        replies: Replies,
        calls: PostgresCalls,
        executions: Executions,
        bus: EventBus,
        signals: Signals,
        blobs: BlobStore,
        bodies: Bodies,
        instance: str,
        origin: str,
        seconds: float,
    ) -> None:
        self._ids = ExecutionIds()
        self._routes = routes
        self._guard = guard
        self._replies = replies
        self._calls = calls
        self._executions = executions
        self._bus = bus
        self._signals = signals
        self._blobs = blobs
        self._channel = topics.reply_channel(instance)
        self._origin = origin
        self._bodies = bodies
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: AsgiReceive, send: AsgiSend) -> None:
        if scope["type"] != "http":
            return
        call = Call(scope, receive, send)
        try:
            answer = await self._answer(call)
        except TooLargeError as error:
            answer = problem(413, f"The body is larger than {error.limit} bytes.")
            call.close = True
        except WeftError as error:
            answer = _error(error)
        if answer is not None:
            answer = await self._send(call, answer)
            _calls.labels(str(answer.status)).inc()

    async def _send(self, call: Call, answer: Answer) -> Answer:
        """The answer that was sent: another one where its file is gone. Raises where it breaks off in the middle: the
        server then closes the connection, so that the caller does not take a part for the whole."""
        if not answer.blob:
            await call.reply(answer)
            return answer
        try:
            async with self._blobs.open(answer.blob) as file:
                await call.reply_file(answer, file)
        except WeftError:
            if call.begun:
                raise
            answer = NO_FILE
            await call.reply(answer)
        return answer

    async def _answer(self, call: Call) -> Answer | None:
        path: str = call.scope["path"]
        if path.startswith("/webhook/"):
            return await self._production(call, path[9:].strip("/"))
        if path.startswith("/webhook-test/"):
            return await self._test(call, path[14:].strip("/"))
        if path.startswith("/webhook-waiting/"):
            return await self._resume(call, path[17:].strip("/"))
        return problem(404, f"Nothing answers at {path}.")

    # --- production ---------------------------------------------------------------------------------------

    async def _production(self, call: Call, path: str) -> Answer | None:
        method = call.method
        found = self._routes.table.find(method, path)
        if found is None:
            found = await self._unusual(call, path)
            if isinstance(found, Answer):
                return found
        hook, parameters = found
        return await self._run(call, hook, parameters)

    async def _unusual(self, call: Call, path: str) -> Any:
        """A preflight, a HEAD, or an address that the store may know."""
        method = call.method
        if method == "OPTIONS":
            methods = self._routes.table.methods(path)
            if methods:
                found = self._routes.table.find(methods[0], path)
                return _preflight(found[0] if found else None, methods, call)
        if method == "HEAD" and (found := self._routes.table.find("GET", path)) is not None:
            return found
        found = await self._routes.find(method, path)
        if found is not None:
            return found
        methods = self._routes.table.methods(path)
        if methods:
            hint = f"This webhook is not registered for {method} requests. Did you mean to make a {methods[0]} request?"
            return problem(404, hint)
        return not_registered(method, path, _UNKNOWN)

    async def _run(self, call: Call, hook: Hook, parameters: Mapping[str, str]) -> Answer | None:
        if not hook.open:
            refusal = await self._guard.refusal(hook, call.headers, call.address)
            if refusal is not None:
                return refusal
        key = call.headers.get("idempotency-key")
        if key:
            if len(key) > LONGEST_KEY:
                return problem(400, f"The Idempotency-Key has more than {LONGEST_KEY} characters.")
            now = time.time_ns() // 1_000_000
            owner = hook.owner
            accepted = await self._calls.first_accepted(owner.workflow_id, hook.node, key, now)
            execution_id = derived_id(accepted, "webhook", owner.workflow_id, hook.node, key)
        else:
            execution_id = self._ids.new()
        body = NO_CONTENT
        if call.method not in _NO_BODY or call.headers.get("content-length", "0") != "0":
            content_type = call.headers.get("content-type", "")
            chunks = call.chunks(self._bodies.limit(content_type, raw=hook.raw_body))
            body = await self._bodies.read(
                chunks, content_type, execution_id, raw=hook.raw_body, binary_name=hook.binary_name
            )
        call.execution_id = execution_id
        if hook.mode == TEST.mode:
            self._announce(hook, execution_id)
        trigger = await self._item(call, hook, parameters, body, execution_id)
        call.origin_headers(hook)
        return await self._start(call, hook, trigger, execution_id)

    async def _item(
        self, call: Call, hook: Hook, parameters: Mapping[str, str], body: Body, execution_id: str
    ) -> Payload:
        query: bytes = call.scope.get("query_string", b"")
        parts = [
            hook.before,
            orjson.dumps(call.headers),
            b',"params":',
            orjson.dumps(parameters) if parameters else NOTHING,
            b',"query":',
            orjson.dumps(parse_form(query.decode("latin-1"))) if query else NOTHING,
            b',"body":',
            body.json,
            hook.after,
        ]
        if body.files:
            parts.append(b',"binary":' + orjson.dumps(body.files))
        parts.append(hook.end)
        data = b"".join(parts)
        payload = Payload(RAW_JSON, data, len(data))
        return await items.claim(payload, self._blobs, f"{execution_id}/trigger")

    async def _start(self, call: Call, hook: Hook, trigger: Payload, execution_id: str) -> Answer | None:
        waits = hook.response != "accepted"
        owner = hook.owner
        command = StartExecution(
            execution_id,
            owner.project_id,
            owner.workflow_id,
            owner.version_id,
            hook.mode,
            hook.node,
            trigger,
            hook.counts,
            self._channel if waits else "",
            hook.response,
        )
        if not waits:
            await self._submit(command, owner.project_id)
            return hook.received
        future = self._replies.expect(execution_id)
        try:
            submitted = self._submit(command, owner.project_id)
            reply = await self._replies.of(execution_id, future, submitted, self._seconds, call.gone)
        finally:
            self._replies.forget(execution_id, future)
        return None if reply is None else await self._shaped(hook, reply)

    def _submit(self, command: ExecutionCommand, project_id: str) -> "asyncio.Future[None]":
        execution_id = command.execution_id
        now = time.time_ns() // 1000
        envelope = Envelope(execution_id, command, execution_id, project_id, now)
        return self._bus.submit(topics.EXECUTION_COMMANDS, envelope, shard_of(execution_id))

    async def _shaped(self, hook: Hook, reply: WebhookReply) -> Answer:
        if reply.kind == "failed":
            return FAILED
        if reply.kind == "none":
            return UNANSWERED
        if reply.kind == "response" and reply.body is not None and reply.body.ref:
            return Answer(reply.status, _encoded(reply.headers), b"", reply.body.ref)
        payload = None if reply.body is None else await items.unclaim(reply.body, self._blobs)
        if reply.kind == "response":
            body = b"" if payload is None else items.decode(payload)
            if payload is not None and payload.codec != BINARY:
                body = orjson.dumps(body)
            return Answer(reply.status, _encoded(reply.headers), body)
        outputs = [] if payload is None else items.outputs_of(items.decode(payload))
        return hook.shape.of(outputs)

    # --- test calls ---------------------------------------------------------------------------------------

    async def _test(self, call: Call, path: str) -> Answer | None:
        table = RouteTable()
        for owner, route in await self._calls.listeners(call.method):
            table.add(compile_hook(route, owner, self._origin, TEST), 0)
        found = table.find(call.method, path)
        if found is None or not await self._calls.catch(found[0].owner.workflow_id):
            return not_registered(call.method, path, _UNKNOWN_TEST)
        return await self._run(call, *found)

    def _announce(self, hook: Hook, execution_id: str) -> None:
        """The editor that listens follows the run from its beginning."""
        owner = hook.owner
        signal = TestCallReceived(
            owner.workflow_id, owner.project_id, hook.node, execution_id, time.time_ns() // 1000
        )
        self._signals.publish(topics.UI_EVENTS, signal)

    # --- calls that resume --------------------------------------------------------------------------------

    async def _resume(self, call: Call, path: str) -> Answer | None:
        execution_id, _, suffix = path.partition("/")
        try:
            wait = await self._executions.GetWait(pb.GetWaitRequest(execution_id=execution_id, suffix=suffix))
        except WeftError as error:
            if error.code is ErrorCode.NOT_FOUND:
                return problem(404, f'The execution "{execution_id}" does not exist.')
            raise
        query = parse_qs(call.scope.get("query_string", b"").decode("latin-1"))
        token = (query.get("token") or query.get("signature") or [""])[0]
        if not wait.waiting:
            ended = wait.status in {"success", "error", "cancelled"}
            state = "finished already" if ended else "not waiting for a call"
            return problem(
                409, f'The execution "{execution_id}" has {state}.' if ended else f"It is {state}."
            )
        if not hmac.compare_digest(token.encode(), wait.token.encode()):
            return problem(401, "Invalid token")
        content_type = call.headers.get("content-type", "")
        body = await self._bodies.read(
            call.chunks(self._bodies.limit(content_type)), content_type, execution_id
        )
        json = {
            "headers": call.headers,
            "params": {},
            "query": {name: values[0] for name, values in query.items() if name != "token"},
            "body": orjson.loads(body.json),
        }
        item: dict[str, Any] = {"json": json}
        if body.files:
            item["binary"] = body.files
        payload = await items.claim(items.encode_outputs([[item]]), self._blobs, f"{execution_id}/{new_id()}")
        command = ResumeExecution(
            execution_id, wait.node, wait.run_index, "webhook", wait.token, data=payload, counts=(1,)
        )
        call.execution_id = execution_id
        await self._submit(command, wait.project_id)
        return _plain({"message": "Workflow was started"})


NO_CONTENT: Final = Body(NOTHING, {})


def _encoded(headers: Sequence[tuple[str, str]]) -> Headers:
    """What a header can't say becomes a question mark, as in those of the Webhook node."""
    return tuple(
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers
    )


def _plain(value: Any) -> Answer:
    return Answer(200, ((b"content-type", b"application/json; charset=utf-8"),), orjson.dumps(value))


def _preflight(hook: Hook | None, methods: list[str], call: Call) -> Answer:
    headers = [
        (b"access-control-allow-methods", ", ".join(["OPTIONS", *methods]).encode()),
        (b"access-control-max-age", b"300"),
    ]
    asked = call.headers.get("access-control-request-headers")
    if asked:
        headers.append((b"access-control-allow-headers", asked.encode("latin-1", "replace")))
    if hook is not None:
        call.origin_headers(hook)
    return Answer(204, tuple(headers), b"")


def _error(error: WeftError) -> Answer:
    if error.code in (ErrorCode.UNAVAILABLE, ErrorCode.RATE_LIMITED):
        return unavailable(error.message)
    return problem(error.http_status, error.message)
