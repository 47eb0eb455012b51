"""Lists: `{data, nextCursor}`. A cursor keeps the size of the pages."""

from typing import Annotated, Any, Final

import orjson
from fastapi import Depends, Query
from fastapi.responses import Response
from weft_kit.rpc import Caller

from weft_gateway.adapters.n8n_view import cursor_of, cursor_text
from weft_gateway.entrypoints.rest.identity import known_caller

PAGE: Final = 100
MOST: Final = 250


def _user() -> Caller:
    return known_caller()


User = Annotated[Caller, Depends(_user)]
Cursor = Annotated[str, Query(max_length=1000)]
Limit = Annotated[int, Query(ge=1)]


def shown(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


class Page:
    """Which page a call is for."""

    def __init__(self, limit: Limit = PAGE, cursor: Cursor = "") -> None:
        held = cursor_of(cursor)
        self.limit = max(1, min(held.get("limit", limit), MOST))
        number, after = held.get("page", 1), held.get("after", "")
        self.number = number if isinstance(number, int) and 0 < number <= 1_000_000 else 1
        self.after = after if isinstance(after, str) else ""

    def numbered(self, rows: list[Any], total: int) -> Response:
        """Of a list that is counted."""
        more = self.number * self.limit < total
        return shown(
            {
                "data": rows,
                "nextCursor": cursor_text(page=self.number + 1, limit=self.limit) if more else None,
            }
        )

    def followed(self, rows: list[Any], after: str) -> Response:
        """Of a list whose next page begins after something."""
        return shown(
            {"data": rows, "nextCursor": cursor_text(after=after, limit=self.limit) if after else None}
        )


Paged = Annotated[Page, Depends()]
