"""Nodes that talk to servers: mail, feeds, GraphQL, commands."""

import asyncio
import email
import email.policy
import importlib
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any

import orjson
import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer, NodeRunError, ResumeInfo, Suspend
from weft_node_sdk.testing.cases import evaluate, has_expressions
from weft_node_sdk.testing.fake import Cancelled, FakeContext, Request
from weft_nodes.redis_.connection import client_of as redis_client

CATALOGUE = Catalogue.load()


def node(kind: str, version: float, parameters: dict[str, Any], items: list[Any], **more: Any) -> FakeContext:
    return FakeContext(
        CATALOGUE.fill_defaults(kind, version, parameters),
        [items],
        version=version,
        type=kind,
        evaluate_value=evaluate if has_expressions(parameters) else None,
        **more,
    )


async def run(ctx: FakeContext) -> Any:
    outputs = await CATALOGUE.implementation(ctx.type)(ctx)
    return outputs if isinstance(outputs, Suspend) else [item["json"] for item in outputs[0]]


class Mailbox:
    """Keeps what comes; refuses one recipient."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, list[str], EmailMessage]] = []
        self.port = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, _: Any) -> str:
        if address.startswith("nobody@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, parsed))
        return "250 taken"


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    box = Mailbox()

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"me", b"pw"))

    def serve() -> SMTP:
        return SMTP(box, authenticator=check, auth_require_tls=False, hostname="test")

    server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    yield box
    server.close()


def smtp(box: Mailbox, **more: Any) -> dict[str, Any]:
    secret = {"host": "127.0.0.1", "port": box.port, "secure": False, "user": "me", "password": "pw"}
    return {"smtp": {**secret, **more}}


MAIL = {"fromEmail": "Me <me@x.example>", "toEmail": "a@x.example, B <b@x.example>", "subject": "Grüße"}


async def test_a_mail_is_sent(mailbox: Mailbox) -> None:
    file = {"id": "f", "mimeType": "image/png", "fileName": "p.png"}
    item = {"json": {"n": "Ada"}, "binary": {"pic": file}}
    options = {
        "ccEmail": "c@x.example",
        "bccEmail": "d@x.example",
        "replyTo": "r@x.example",
        "attachments": "pic",
    }
    parameters = {
        **MAIL,
        "emailFormat": "both",
        "text": "={{ $json.n }}",
        "html": "<b>hi</b>",
        "options": options,
    }
    ctx = node("emailSend", 2.1, parameters, [item], credentials=smtp(mailbox))
    ctx.stored["f"] = b"\x89PNG"
    (answer,) = await run(ctx)
    assert answer["accepted"] == ["a@x.example", "b@x.example", "c@x.example", "d@x.example"]
    assert answer["rejected"] == []
    assert answer["envelope"]["from"] == "me@x.example"
    assert "taken" in answer["response"]
    assert ctx.connected == [("127.0.0.1", mailbox.port)]
    ((sender, recipients, mail),) = mailbox.mails
    assert (sender, len(recipients)) == ("me@x.example", 4)
    assert mail["Subject"] == "Grüße"
    assert mail["Message-ID"] == answer["messageId"]
    assert (mail["Cc"], mail["Reply-To"], mail["Bcc"]) == ("c@x.example", "r@x.example", None)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert (text.get_content().strip(), html.get_content().strip()) == ("Ada", "<b>hi</b>")
    (part,) = mail.iter_attachments()
    assert (part.get_filename(), part.get_content(), part["Content-ID"]) == ("p.png", b"\x89PNG", "<pic>")


@pytest.mark.parametrize(
    ("version", "parameters", "kind", "body"),
    [
        (1, {"text": "T", "ccEmail": "c@x.example"}, "text/plain", "T"),
        (1, {"html": "<p>"}, "text/html", "<p>"),
        (2, {"text": "T", "html": "<p>"}, "text/plain", "T"),
        (2.1, {"text": "T", "html": "<p>"}, "text/html", "<p>"),
        (2.1, {"html": "<p>", "options": {"appendAttribution": True}}, "text/html", "Weft"),
    ],
)
async def test_forms_of_the_text(
    mailbox: Mailbox, version: float, parameters: dict[str, Any], kind: str, body: str
) -> None:
    await run(node("emailSend", version, {**MAIL, **parameters}, [{"json": {}}], credentials=smtp(mailbox)))
    mail = mailbox.mails[0][2]
    assert mail.get_content_type() == kind
    assert body in mail.get_content()
    assert ("c@x.example" in mailbox.mails[0][1]) == ("ccEmail" in parameters)


async def test_who_is_refused_is_said(mailbox: Mailbox) -> None:
    parameters = {**MAIL, "toEmail": "a@x.example, nobody@x.example"}
    (answer,) = await run(node("emailSend", 2.1, parameters, [{"json": {}}], credentials=smtp(mailbox)))
    assert (answer["accepted"], answer["rejected"]) == (["a@x.example"], ["nobody@x.example"])
    parameters["toEmail"] = "nobody@x.example"
    with pytest.raises(NodeRunError, match="The mail was not sent"):
        await run(node("emailSend", 2.1, parameters, [{"json": {}}], credentials=smtp(mailbox)))


@pytest.mark.parametrize("change", [{"password": "no"}, {"secure": True}])
async def test_a_server_that_does_not_take_it(mailbox: Mailbox, change: dict[str, Any]) -> None:
    ctx = node(
        "emailSend",
        2.1,
        MAIL,
        [{"json": {}}],
        credentials=smtp(mailbox, **change),
        on_error="continueRegularOutput",
    )
    (answer,) = await run(ctx)
    assert answer["error"].startswith("The mail was not sent")
    ctx = node(
        "emailSend",
        2.1,
        MAIL,
        [{"json": {}}],
        credentials=smtp(mailbox, host="in"),
        refused_hosts=frozenset({"in"}),
    )
    with pytest.raises(NodeRunError) as caught:
        await run(ctx)
    assert caught.value.code == "ADDRESS_REFUSED"


async def test_an_answer_is_waited_for(mailbox: Mailbox) -> None:
    limit = {"values": {"limitType": "afterTimeInterval", "resumeAmount": 1, "resumeUnit": "days"}}
    parameters = {
        **MAIL,
        "operation": "sendAndWait",
        "message": "Go <on>?",
        "approvalOptions": {"values": {"approvalType": "double"}},
        "options": {"limitWaitTime": limit},
    }
    ctx = node("emailSend", 2.1, parameters, [{"json": {"a": 1}}], credentials=smtp(mailbox))
    waiting = await run(ctx)
    assert isinstance(waiting, Suspend)
    assert waiting.kind == "webhook"
    assert waiting.until is not None
    mail = mailbox.mails[0][2]
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert f"Decline: {ctx.execution.resume_url}&approved=false" in text.get_content().replace("\r\n", "")
    assert "Go &lt;on&gt;?" in html.get_content()
    for query, expected in (({"approved": "true"}, True), ({"approved": "false"}, False), ({}, False)):
        ctx.resume = ResumeInfo("webhook", [{"json": {"query": query}}])
        assert await run(ctx) == [{"data": {"approved": expected}}]
    ctx.resume = ResumeInfo("timer")
    assert await run(ctx) == [{"a": 1}]


RSS = b"""<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:x="http://x.example/"><channel><title>F</title>
<item><title>One &amp; all</title><link>http://x.example/1</link><pubDate>Tue, 02 Jan 2024 03:04:05 +0100</pubDate>
<dc:creator>Ada</dc:creator><description>&lt;p&gt;Hi &amp;amp; bye&lt;/p&gt;</description>
<content:encoded><![CDATA[<b>All</b><script>1</script>]]></content:encoded><guid>g1</guid>
<category>a</category><category>b</category><enclosure url="http://x.example/1.mp3" length="5" type="audio/mpeg"/>
<x:more>extra</x:more></item><item><title>Two</title></item></channel></rss>"""
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title><entry><title>T</title><id>urn:1</id>
<link href="http://x.example/a"/><updated>2024-01-02T03:04:05Z</updated><summary>S</summary>
<author><name>Bob</name></author></entry></feed>"""


def serve(body: bytes, status: int = 200) -> Any:
    return lambda _: HttpAnswer(status, "", [("content-type", "application/xml")], body)


@pytest.mark.parametrize("version", [1, 1.1, 1.2])
async def test_a_feed_becomes_items(version: float) -> None:
    parameters = {
        "url": "http://x.example/feed",
        "options": {"customFields": "x:more, none", "ignoreSSL": True},
    }
    ctx = node("rssFeedRead", version, parameters, [{"json": {}}, {"json": {}}], serve=serve(RSS))
    first, second, *more = await run(ctx)
    assert first == {
        "creator": "Ada",
        "title": "One & all",
        "link": "http://x.example/1",
        "pubDate": "Tue, 02 Jan 2024 03:04:05 +0100",
        "content:encoded": "<b>All</b><script>1</script>",
        "content:encodedSnippet": "All1",
        "dc:creator": "Ada",
        "content": "<p>Hi &amp; bye</p>",
        "contentSnippet": "Hi & bye",
        "guid": "g1",
        "categories": ["a", "b"],
        "enclosure": {"url": "http://x.example/1.mp3", "length": "5", "type": "audio/mpeg"},
        "isoDate": "2024-01-02T02:04:05.000Z",
        "x:more": "extra",
    }
    assert second == {"title": "Two"}
    assert len(more) == (0 if version == 1 else 2)
    assert ctx.server.requests[0].options["verify"] is False


async def test_atom_and_what_is_no_feed() -> None:
    (entry,) = await run(
        node("rssFeedRead", 1.2, {"url": "http://x.example"}, [{"json": {}}], serve=serve(ATOM))
    )
    assert (entry["title"], entry["id"], entry["isoDate"]) == ("T", "urn:1", "2024-01-02T03:04:05.000Z")
    assert (entry["link"], entry["content"], entry["author"]) == ("http://x.example/a", "S", "Bob")
    for answer, text in ((serve(b"nope"), "is no feed"), (serve(b"", 404), "status 404")):
        with pytest.raises(NodeRunError, match=text):
            await run(node("rssFeedRead", 1.2, {"url": "http://x.example"}, [{"json": {}}], serve=answer))


def graph(body: Any, status: int = 200) -> Any:
    return lambda _: HttpAnswer(status, "", [], body if isinstance(body, bytes) else orjson.dumps(body))


async def ask(version: float, parameters: dict[str, Any], answer: Any, **more: Any) -> tuple[Any, Request]:
    given = {"endpoint": "http://x.example/graphql", "query": "query Q { a }", **parameters}
    ctx = node("graphql", version, given, [{"json": {"v": 1}}], serve=answer, **more)
    return await run(ctx), ctx.server.requests[0]


async def test_a_query_is_sent_in_its_forms() -> None:
    good = graph({"data": {"a": 1}})
    header = {"parameter": [{"name": "X-A", "value": "1"}]}
    more = {"variables": '{"x": 1}', "operationName": "Q", "headerParametersUi": header}
    found, request = await ask(1.1, more, good)
    assert found == [{"data": {"a": 1}}]
    assert request.body is not None
    assert orjson.loads(request.body) == {
        "query": "query Q { a }",
        "variables": {"x": 1},
        "operationName": "Q",
    }
    assert request.headers["X-A"] == "1"
    assert request.headers["content-type"] == "application/json"
    _, request = await ask(1, {}, good)
    assert (request.body, request.headers["content-type"]) == (b"query Q { a }", "application/graphql")
    _, request = await ask(1, {"requestMethod": "GET", "allowUnauthorizedCerts": True}, good)
    assert (request.method, request.query, request.body) == ("GET", [("query", "query Q { a }")], None)
    assert request.options["verify"] is False
    found, _ = await ask(1.1, {"responseFormat": "string", "dataPropertyName": "t"}, good)
    assert found == [{"t": {"data": {"a": 1}}}]


async def test_a_query_with_a_credential() -> None:
    secret = {"httpHeaderAuth": {"name": "X-Key", "value": "k"}}
    _, request = await ask(1.1, {"authentication": "headerAuth"}, graph({}), credentials=secret)
    assert request.headers["X-Key"] == "k"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (graph({"errors": [{"message": "bad"}, {"message": "worse"}]}), "bad, worse"),
        (graph(b"oops", 500), "status 500"),
        (graph(b"[1]"), "no JSON object"),
    ],
)
async def test_errors_of_the_service(answer: Any, text: str) -> None:
    with pytest.raises(NodeRunError, match=text):
        await ask(1.1, {}, answer)


async def test_a_command_needs_leave() -> None:
    with pytest.raises(NodeRunError) as caught:
        await run(node("executeCommand", 1, {"command": "true"}, [{"json": {}}], permitted=False))
    assert caught.value.code == "NODE_REFUSED"
    assert "WEFT_ALLOW_NODES=executeCommand" in caught.value.description


async def test_a_command_sees_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_MASTER_KEY", "secret")
    (answer,) = await run(node("executeCommand", 1, {"command": "env"}, [{"json": {}}]))
    assert "PATH=" in answer["stdout"]
    assert "secret" not in answer["stdout"]


async def test_a_cancelled_command_is_killed() -> None:
    ctx = node("executeCommand", 1, {"command": "sleep 1000 & sleep 1000"}, [{"json": {}}], cancel_after=1)
    with pytest.raises(Cancelled):
        await asyncio.wait_for(run(ctx), 60)


@pytest.mark.parametrize(
    ("module", "secret"),
    [
        ("mqtt_", {"protocol": "mqtt", "host": "127.0.0.1", "port": 1}),
        ("rabbit_mq", {"hostname": "127.0.0.1", "port": 1, "username": "u"}),
        ("postgres", {"host": "127.0.0.1", "port": 1}),
        ("my_sql", {"host": "127.0.0.1", "port": 1}),
        ("kafka_", {"brokers": "127.0.0.1:1", "ssl": False}),
        ("ldap_", {"hostname": "127.0.0.1", "port": "1"}),
    ],
)
async def test_what_to_check_where_no_server_answers(module: str, secret: dict[str, Any]) -> None:
    check = importlib.import_module(f"weft_nodes.{module}.connection").check
    with pytest.raises(NodeRunError) as caught:
        await check(FakeContext({}), {**secret, "password": "hunter2"})
    assert "host and port" in caught.value.description
    assert "hunter2" not in caught.value.message


async def test_a_database_of_redis_is_a_number() -> None:
    with pytest.raises(NodeRunError, match="'shop' is no number") as caught:
        await redis_client(FakeContext({}), {"host": "127.0.0.1", "database": "shop"})
    assert caught.value.code == "CREDENTIAL_INVALID"
