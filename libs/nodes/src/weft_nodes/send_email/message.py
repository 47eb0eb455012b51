"""A mail from the parameters of a node."""

from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate, getaddresses, make_msgid, parseaddr
from typing import Any

from weft_node_sdk.context import NodeRunError, RunContext
from weft_node_sdk.values import members, names_in, text_of, value

from weft_nodes.files.kinds import entry_of


def addresses(given: Any) -> list[str]:
    return [address for _, address in getaddresses([str(value(given) or "")]) if address]


def _header(message: EmailMessage, name: str, text: str) -> None:
    try:
        message[name] = text
    except ValueError as error:
        raise NodeRunError(f"The mail's {name} can't be {text!r}: {error}") from None


def headed(given: Mapping[str, Any], subject: Any) -> tuple[EmailMessage, str, list[str]]:
    """A message without a body, its sender and all recipients. Raises NodeRunError where either is missing."""
    message = EmailMessage()
    sender = str(value(given.get("fromEmail")) or "")
    to, cc, bcc = (addresses(given.get(name)) for name in ("toEmail", "ccEmail", "bccEmail"))
    if not parseaddr(sender)[1]:
        raise NodeRunError("The sender's address is missing")
    if not (to or cc or bcc):
        raise NodeRunError("Nobody gets the mail: no address is given")
    _header(message, "From", sender)
    _header(message, "To", str(value(given.get("toEmail")) or ""))
    for name, field in (("Cc", "ccEmail"), ("Reply-To", "replyTo")):
        if text := str(value(given.get(field)) or ""):
            _header(message, name, text)
    _header(message, "Subject", text_of(subject))
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2] or None)
    return message, parseaddr(sender)[1], [*to, *cc, *bcc]


def _bodies(parameters: Mapping[str, Any], version: float) -> tuple[str, str]:
    """Text and HTML; empty where the format leaves one out."""
    text, html = (text_of(parameters.get(name)) for name in ("text", "html"))
    chosen = parameters.get("emailFormat") if version >= 2 else "both"
    return ("" if chosen == "html" else text), ("" if chosen == "text" else html)


def _fill(message: EmailMessage, text: str, html: str) -> None:
    if text or not html:
        message.set_content(text)
        if html:
            message.add_alternative(html, subtype="html")
    else:
        message.set_content(html, subtype="html")


async def composed(
    ctx: RunContext, index: int, parameters: Mapping[str, Any]
) -> tuple[EmailMessage, str, list[str]]:
    """The mail of an item, with its attachments; a file can be shown in the HTML as `cid:` and its name."""
    options = members(parameters)
    given = {**options, **{name: held for name, held in parameters.items() if name != "options"}}
    message, sender, recipients = headed(given, parameters.get("subject"))
    text, html = _bodies(parameters, ctx.node.version)
    if options.get("appendAttribution") is True:
        text = f"{text}\n\n---\nThis mail was sent by Weft." if text else text
        html = f"{html}<br><br>---<br><em>This mail was sent by Weft.</em>" if html else html
    _fill(message, text, html)
    for name in names_in(value(given.get("attachments") or "")):
        entry = entry_of(ctx, index, name)
        kind, _, part = str(entry.get("mimeType") or "application/octet-stream").partition("/")
        message.add_attachment(
            await ctx.read_binary(index, name),
            maintype=kind,
            subtype=part or "octet-stream",
            filename=str(entry.get("fileName") or name),
            cid=f"<{name}>",
        )
    return message, sender, recipients


def asking(ctx: RunContext, parameters: Mapping[str, Any]) -> tuple[EmailMessage, str, list[str]]:
    """A mail with links that answer it."""
    from html import escape

    message, sender, recipients = headed(parameters, parameters.get("subject"))
    held = members(members(parameters, "approvalOptions"), "values")
    links = [(str(value(held.get("approveLabel")) or "Approve"), "true")]
    if held.get("approvalType") == "double":
        links.append((str(value(held.get("disapproveLabel")) or "Decline"), "false"))
    text = text_of(parameters.get("message"))
    url = ctx.execution.resume_url
    plain = "\n".join(f"{label}: {url}&approved={verdict}" for label, verdict in links)
    buttons = " &nbsp; ".join(
        f'<a href="{escape(url)}&amp;approved={verdict}">{escape(label)}</a>' for label, verdict in links
    )
    body = escape(text).replace("\n", "<br>")
    _fill(message, f"{text}\n\n{plain}", f"<p>{body}</p><p>{buttons}</p>")
    return message, sender, recipients
