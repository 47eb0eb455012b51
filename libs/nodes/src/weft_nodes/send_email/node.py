"""Send Email: one mail per item by SMTP, or one that waits for its answer."""

from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext, Suspend
from weft_node_sdk.dates import micros, parse
from weft_node_sdk.items import made, map_items, passed_all
from weft_node_sdk.values import entries, members, value

from weft_nodes.network.ports import UNREACHABLE
from weft_nodes.send_email.connection import client_of, sign_in
from weft_nodes.send_email.message import asking, composed
from weft_nodes.wait.node import after


async def _send(
    ctx: RunContext, message: EmailMessage, sender: str, recipients: list[str], *, verify: bool
) -> dict[str, Any]:
    """Hands the mail over; what n8n says of it, but for how long it took. Raises NodeRunError where nobody's server
    takes it."""
    import aiosmtplib

    secret = await ctx.credential("smtp")
    client = await client_of(ctx, secret, verify=verify)
    try:
        async with client:
            await sign_in(client, secret)
            refused, said = await client.send_message(message, sender=sender, recipients=recipients)
            greeting = str(getattr(client.last_ehlo_response, "message", ""))
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        away = isinstance(error, OSError | aiosmtplib.SMTPConnectError)
        raise NodeRunError(
            f"The mail was not sent: {error}", description=UNREACHABLE if away else "", code="MAIL_ERROR"
        ) from None
    found = {
        "accepted": [each for each in recipients if each not in refused],
        "rejected": list(refused),
        "ehlo": greeting.splitlines()[1:],
        "messageSize": len(message.as_bytes()),
        "response": f"250 {said}",
        "envelope": {"from": sender, "to": recipients},
        "messageId": message["Message-ID"],
    }
    if refused:
        found["rejectedErrors"] = [
            {
                "code": "EENVELOPE",
                "command": "RCPT TO",
                "recipient": recipient,
                "response": f"{why.code} {why.message}",
                "responseCode": why.code,
            }
            for recipient, why in refused.items()
        ]
    return found


def _until(parameters: Mapping[str, Any], timezone: str) -> int | None:
    """When waiting ends, microseconds since the epoch; None: never."""
    for limit in entries(members(parameters), "limitWaitTime", "values"):
        if limit.get("limitType") == "atSpecifiedTime":
            moment = parse(value(limit.get("maxDateAndTime")), timezone)
            if moment is None:
                raise NodeRunError("The time at which waiting ends is no date")
            return micros(moment)
        return after(limit.get("resumeAmount", 1), limit.get("resumeUnit", "hours"))
    return None


def _answered(ctx: RunContext) -> Outputs:
    """What the link said; without an answer in time the items go on as they came."""
    assert ctx.resume is not None
    if ctx.resume.kind == "timer" or not ctx.resume.items:
        return [passed_all(ctx.items)]
    query = ctx.resume.items[0]["json"].get("query") or {}
    return [[made({"data": {"approved": str(query.get("approved", "")) == "true"}}, 0)]]


async def _ask(ctx: RunContext) -> Suspend:
    await ctx.checkpoint()
    parameters = await ctx.parameters_for(0)
    if parameters.get("responseType", "approval") != "approval":
        raise NodeRunError("Answers by a form can't be asked for by mail yet", code="UNSUPPORTED")
    until = _until(parameters, ctx.execution.timezone)
    message, sender, recipients = asking(ctx, parameters)
    await _send(ctx, message, sender, recipients, verify=True)
    return Suspend("webhook", until=until)


async def run(ctx: RunContext) -> Outputs | Suspend:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        message, sender, recipients = await composed(ctx, index, parameters)
        verify = members(parameters).get("allowUnauthorizedCerts") is not True
        return [made(await _send(ctx, message, sender, recipients, verify=verify), index)]

    if ctx.resume is not None:
        return _answered(ctx)
    if ctx.items and (await ctx.parameters_for(0)).get("operation") == "sendAndWait":
        return await _ask(ctx)
    return [await map_items(ctx, handle)]
