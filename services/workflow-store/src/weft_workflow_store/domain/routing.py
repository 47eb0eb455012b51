"""Which webhook path belongs to whom, and which route answers a path."""

from collections.abc import Iterable
from typing import Final

from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Route

MAX_PATH: Final = 1_000


def path_key(path: str) -> str:
    """What a path is claimed under: `a/:id` and `a/:name` answer the same calls."""
    return "/".join(":" if part.startswith(":") else part for part in path.split("/"))


def check_route(route: Route) -> None:
    """Raises VALIDATION_ERROR for addresses that nobody could call."""
    wrong = ""
    if not route.method.isascii() or not route.method.isalpha():
        wrong = f"the method {route.method!r} is none of HTTP's"
    elif len(route.path) > MAX_PATH:
        wrong = f"the path is longer than {MAX_PATH} characters"
    elif not route.path.isprintable():
        wrong = "the path has characters that no address has"
    elif route.path.startswith("="):
        wrong = "the path is an expression; it must be a fixed text"
    if wrong:
        message = f"The webhook of '{route.node}' can't be published: {wrong}."
        raise WeftError(ErrorCode.VALIDATION_ERROR, message, node=route.node, path=route.path[:MAX_PATH])


def check_distinct(routes: Iterable[Route]) -> None:
    """Raises CONFLICT where two nodes of one workflow want the same calls."""
    seen: dict[tuple[str, str], str] = {}
    for route in routes:
        other = seen.setdefault((route.method, path_key(route.path)), route.node)
        if other != route.node:
            message = (
                f"The nodes '{other}' and '{route.node}' have the same address {route.method} {route.path}."
            )
            raise WeftError(ErrorCode.CONFLICT, message, method=route.method, path=route.path)


def best_match(patterns: Iterable[str], path: str) -> str | None:
    """The pattern that answers a path: fixed parts come before parameters, from left to right."""
    parts = path.split("/")
    fitting = [
        (tuple(piece.startswith(":") for piece in pieces), pattern)
        for pattern in patterns
        if len(pieces := pattern.split("/")) == len(parts)
        and all(
            bool(part) if piece.startswith(":") else piece == part
            for piece, part in zip(pieces, parts, strict=True)
        )
    ]
    return min(fitting)[1] if fitting else None
