"""What callers hear who wait for an execution."""

from weft_contracts.messages import NodeError, WebhookReply

from weft_orchestrator.domain.live import Live
from weft_orchestrator.domain.records import NodeRow


def final_reply(live: Live) -> WebhookReply:
    """To those who wait for the end."""
    return reply_at_end(
        live.id, live.head.response, live.state.status, live.last.get(live.state.last_node), live.error
    )


def reply_at_end(
    execution_id: str, response: str, status: str, last: NodeRow | None, error: NodeError | None
) -> WebhookReply:
    """`last`: the newest run of the node that ended last."""
    if status != "success":
        return WebhookReply(execution_id, "failed", 500, error=error)
    if response == "response_node":
        return WebhookReply(execution_id, "none")
    return WebhookReply(execution_id, "finished", body=last.output if last is not None else None)
