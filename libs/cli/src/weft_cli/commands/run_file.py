"""`weft run FILE`."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import orjson
from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.items import loads_js
from weft_node_runner.local import Result, run_workflow


def run_workflow_file(file: Path, items: Path | None, *, as_json: bool) -> int:
    """Prints the items of the last node. 0 where the workflow succeeded, 1 where it failed, 2 where it can't run."""
    at = file
    try:
        document = _object(loads_js(file.read_bytes()), "A workflow")
        at = items or file
        given = _items(items)
        at = file
        result = asyncio.run(run_workflow(document, given))
    except (WeftError, OSError) as error:
        sys.stderr.write(f"{at}: {error}\n")
        return 2
    if as_json:
        _print(_summary(result))
    else:
        for item in _of(result):
            _print(item)
        if result.error is not None:
            sys.stderr.write(f"{result.error.node or result.last_node}: {result.error.message}\n")
    return 0 if result.status == "success" else 1


def _items(path: Path | None) -> list[dict[str, Any]] | None:
    if path is None:
        return None
    values = loads_js(path.read_bytes())
    values = values if isinstance(values, list) else [values]
    found = [_object(value, "An item") for value in values]
    return [value if isinstance(value.get("json"), dict) else {"json": value} for value in found]


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WeftError(ErrorCode.VALIDATION_ERROR, f"{what} must be a JSON object.")
    return value


def _of(result: Result) -> list[Any]:
    return [item.get("json") for output in result.items for item in output]


def _summary(result: Result) -> dict[str, Any]:
    error = None
    if result.error is not None:
        error = {"message": result.error.message, "code": result.error.code, "node": result.error.node}
    return {"status": result.status, "last_node": result.last_node, "error": error, "items": _of(result)}


def _print(value: Any) -> None:
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()
