"""Choices that a database is asked for: tables, columns."""

from weft_node_sdk.options import PAGE, LoadContext, offset

from weft_nodes.databases.sql_text import Statement


def page_of(ctx: LoadContext, text: str, *values: str) -> Statement:
    """A page of what `text` selects, and one row more. Its first value is the pattern of LIKE of what is searched."""
    pattern = ctx.search.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return Statement(f"{text} LIMIT {PAGE + 1} OFFSET {offset(ctx)}", [f"%{pattern}%", *values])
