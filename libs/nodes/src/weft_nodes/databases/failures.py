"""Failures of drivers that say nothing of the statement."""

from weft_node_sdk.context import NodeRunError

from weft_nodes.network.ports import UNREACHABLE


def unusable(error: Exception) -> NodeRunError:
    """Of a connection that could not be made, or broke."""
    text = str(error) or "the connection timed out"
    hint = UNREACHABLE if isinstance(error, OSError) else ""
    return NodeRunError(f"The database can't be used: {text}", description=hint, code="DATABASE_ERROR")
