"""Choices that a database is asked for: tables, columns."""

from weft_node_sdk.options import PAGE, Choice, Choices, LoadContext, Loader, offset

from weft_nodes.databases.sql_text import Statement

STANDARD = "OFFSET {offset} ROWS FETCH NEXT {rows} ROWS ONLY"


def page_of(
    ctx: LoadContext, text: str, *values: str, page: str = "LIMIT {rows} OFFSET {offset}"
) -> Statement:
    """A page of what `text` selects, and one row more. Its first value is the pattern of LIKE of what is searched.
    `page`: how the database says it; `STANDARD`: as the SQL standard does."""
    pattern = ctx.search.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return Statement(f"{text} {page.format(rows=PAGE + 1, offset=offset(ctx))}", [f"%{pattern}%", *values])


def after_all(columns: Loader) -> Loader:
    """The columns, before them all of them as one choice."""

    async def load(ctx: LoadContext) -> Choices:
        found = await columns(ctx)
        every = [] if ctx.cursor or ctx.search else [Choice("*", "*", description="All columns")]
        return Choices([*every, *found.options], found.next_cursor)

    return load
