"""Logs: one JSON object per line for machines, one short line for people at a terminal.

Fields go in `extra={"weft": {...}}` or, shorter, as the mapping that `fields(...)` makes. Secrets are hidden
by type (pydantic's SecretStr and SecretBytes), wherever they stand.
"""

import logging
import os
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

import orjson
from pydantic import SecretBytes, SecretStr

from weft_kit.telemetry.tracing import traceparent

HIDDEN: Final = "**********"
_LEVELS: Final = {"DEBUG": 90, "INFO": 36, "WARNING": 33, "ERROR": 31, "CRITICAL": 35}
_MAX_TEXT = 20_000


def fields(**values: Any) -> dict[str, Any]:
    """`log.info("took over", extra=fields(shard=3))`."""
    return {"weft": values}


def configure(service: str, level: str = "INFO", as_json: bool | None = None) -> None:
    """Logs of the whole process, libraries' too, go to stderr. `as_json` None: unless that is a terminal."""
    if as_json is None:
        as_json = not sys.stderr.isatty()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(service) if as_json else ForPeople(sys.stderr.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("aiokafka", "kafka", "httpx", "httpcore", "asyncio", "uvicorn.access", "alembic"):
        logging.getLogger(chatty).setLevel(max(logging.getLevelName(level), logging.WARNING))


class JsonLines(logging.Formatter):
    """`{"at", "level", "logger", "service", "message", …fields, "traceparent"?, "error"?}`."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service
        self._pid = os.getpid()

    def format(self, record: logging.LogRecord) -> str:
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "at": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "service": self._service,
            "pid": self._pid,
            "message": record.getMessage(),
            **_fields_of(record),
        }
        if traceparent.get():
            line["traceparent"] = traceparent.get()
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)[-_MAX_TEXT:]
        return orjson.dumps(line, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()


class ForPeople(logging.Formatter):
    """`12:00:01 INFO  weft.auth  message  key=value`."""

    def __init__(self, colours: bool) -> None:
        super().__init__()
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        level = f"{record.levelname:<7}"
        if self._colours:
            level = f"\x1b[{_LEVELS.get(record.levelname, 0)}m{level}\x1b[0m"
        more = "".join(f"  {name}={_plain(value)}" for name, value in _fields_of(record).items())
        when = time.strftime("%H:%M:%S", time.localtime(record.created))
        line = f"{when} {level} {record.name}  {record.getMessage()}{more}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _fields_of(record: logging.LogRecord) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(record, "weft", {})
    return found


def _plain(value: Any) -> str:
    """SecretStr prints as stars by itself; said here for readers and for SecretBytes."""
    return HIDDEN if isinstance(value, SecretStr | SecretBytes) else str(value)
