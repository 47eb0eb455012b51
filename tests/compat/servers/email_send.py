"""Send Email: what the node says, and what came, by aiosmtpd."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from socket import socket
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.compat.cases.build import Case, named, node
from tests.compat.cases.files import BYTES, TEXT_FILE
from tests.compat.servers.served import HOST, Served, asked, chain, told

MAILBOX = "http://mailbox.invalid"
"""Answers with the mails that came."""
_HEADERS = ("From", "To", "Cc", "Bcc", "Reply-To", "Subject")


class _Mailbox:
    def __init__(self) -> None:
        self.mails: list[dict[str, Any]] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, _: Any) -> str:
        if address.startswith("nobody@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "headers": {name: str(mail[name]) for name in _HEADERS if mail[name] is not None},
                "parts": [_part(part) for part in mail.walk() if not part.is_multipart()],
            }
        )
        return "250 taken"


def _part(part: Any) -> list[Any]:
    """Type, name and content; lines end as they do on this machine, and not at the end."""
    raw = bytes(part.get_payload(decode=True) or b"")
    text = raw.decode("utf-8", "backslashreplace").replace("\r\n", "\n").rstrip("\n")
    return [part.get_content_type(), part.get_filename(), part.get_content_disposition(), text]


def _signed_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"me", b"pw"))


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    box = _Mailbox()
    with socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    smtp = Controller(
        box,
        HOST,
        port,
        authenticator=_signed_in,
        auth_require_tls=False,
        server_hostname="test",
        ident="test",
    )
    smtp.start()
    secret = {
        "host": HOST,
        "port": port,
        "secure": False,
        "user": "me",
        "password": "pw",
        "disableStartTls": True,
    }
    masks = [
        (r"<[^<>@\"]+@[^<>@\"]+>(?=\")", "<id>"),
        # how long it took, which Weft does not say, and how many bytes it was
        (r'"(envelopeTime|messageTime)": \d+, ', ""),
        (r'"messageSize": \d+', '"messageSize": 0'),
    ]
    try:
        with told(lambda: {"mails": box.mails}) as address:
            yield Served({"smtp": secret}, box.mails.clear, {MAILBOX: address}, masks)
    finally:
        smtp.stop()


def cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    seen = node("Seen", "httpRequest", 4.2, {"url": MAILBOX, "options": {}}, 3, executeOnce=True)
    mail = {
        "fromEmail": "Me <me@x.org>",
        "toEmail": "a@x.org, B <b@x.org>",
        "subject": "Grüße an {{ $json.n }}",
    }
    plain = {
        **mail,
        "subject": "=Grüße an {{ $json.n }}",
        "emailFormat": "text",
        "text": "=Line {{ $json.n }}\nTwo é",
    }
    html = {**mail, "emailFormat": "html", "html": "=<p>Hi {{ $json.n }}</p>"}
    both = {**plain, "emailFormat": "both", "html": "<p>Hi</p>"}
    off = {"appendAttribution": False}

    def add(
        name: str, version: float, parameters: Mapping[str, Any], *before: Any, on_error: str = "stopWorkflow"
    ) -> None:
        sent = asked("emailSend", "smtp", version, parameters, onError=on_error)
        found[f"{name} v{version:g}"] = chain(
            *before, sent, seen, rows=[{"n": 1, "to": "c@x.org"}, {"n": 2, "to": "d@x.org"}]
        )

    for version in (2, 2.1):
        for name, parameters in {"text": plain, "html": html, "both": both}.items():
            add(name, version, {**parameters, "options": off})
        add("format by default", version, {**mail, "text": "t", "html": "<p>h</p>", "options": off})
    for name, options in named(
        {
            "cc": {"ccEmail": "c@x.org"},
            "bcc": {"bccEmail": "d@x.org, e@x.org"},
            "reply to": {"replyTo": "r@x.org"},
        }
    ):
        add(name, 2.1, {**plain, "options": {**off, **options}})
    add("to by expression", 2.1, {**plain, "toEmail": "={{ $json.to }}", "options": off})
    add("one refused", 2.1, {**plain, "toEmail": "a@x.org, nobody@x.org", "options": off})
    add("all refused", 2.1, {**plain, "toEmail": "nobody@x.org", "options": off})
    add(
        "all refused goes on",
        2.1,
        {**plain, "toEmail": "nobody@x.org", "options": off},
        on_error="continueRegularOutput",
    )
    add(
        "all refused to errors",
        2.1,
        {**plain, "toEmail": "nobody@x.org", "options": off},
        on_error="continueErrorOutput",
    )
    add("attachment", 2.1, {**plain, "options": {**off, "attachments": "data"}}, TEXT_FILE)
    add("attachment of bytes", 2.1, {**html, "options": {**off, "attachments": "data"}}, BYTES)
    add(
        "missing attachment",
        2.1,
        {**plain, "options": {**off, "attachments": "nope"}},
        TEXT_FILE,
        on_error="continueRegularOutput",
    )
    old = {"fromEmail": "me@x.org", "toEmail": "a@x.org", "subject": "S"}
    add("text", 1, {**old, "text": "t"})
    add("both", 1, {**old, "text": "t", "html": "<p>h</p>", "ccEmail": "c@x.org", "bccEmail": "d@x.org"})
    add("attachment", 1, {**old, "text": "t", "attachments": "data"}, TEXT_FILE)
    return found
