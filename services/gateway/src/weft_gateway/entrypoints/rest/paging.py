"""Parameters of lists."""

from typing import Annotated, Final

from fastapi import Query

MOST: Final = 2_000_000_000
"""Numbers in paths and queries end here: the services count with 32 bits."""

PageNumber = Annotated[int, Query(alias="page", ge=1, le=1_000_000)]
Limit = Annotated[int, Query(ge=1, le=250)]
