"""Failures of calls that no servicer raised on purpose; the same words in both ways to run."""

import logging

from weft_contracts.errors import ErrorCode, WeftError

log = logging.getLogger("weft.rpc")


def unexpected(method: str, error: BaseException) -> WeftError:
    """A bug in a servicer. What it was goes to the log only: it may hold secrets."""
    log.error("%s failed", method, exc_info=error)
    return WeftError(ErrorCode.INTERNAL, "Something went wrong on our side.", method=method)


def unanswered(method: str, reason: str) -> WeftError:
    return WeftError(ErrorCode.UNAVAILABLE, f"{method} is out of reach: {reason}.", method=method)
