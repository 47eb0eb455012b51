"""Workflows, executions and credentials as n8n's public API shows them (https://docs.n8n.io/api/)."""

import base64
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import orjson
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import orchestrator_pb2 as runs
from weft_contracts.pb import workflow_store_pb2 as store
from weft_kit.items import loads_js

from weft_gateway.adapters.json_view import Raw, moment
from weft_gateway.domain.document import members

_STATUSES: Final = {"queued": "new", "cancelled": "canceled"}
STATUSES: Final = {
    "new": "queued",
    "canceled": "cancelled",
    **{name: name for name in ("running", "waiting", "success", "error")},
}
"""n8n's names of the states of executions, and ours."""
_MODES: Final = {
    "schedule": "trigger",
    "sub_workflow": "integrated",
    "error_workflow": "error",
    "form": "webhook",
    "test": "manual",
}
_EMPTY: Final[dict[str, Any]] = {
    "nodes": [],
    "connections": {},
    "settings": {},
    "staticData": None,
    "pinData": None,
    "meta": None,
}


def workflow_view(workflow: store.Workflow, *, pins: bool = True) -> dict[str, Any]:
    document = members(workflow.document) if workflow.document else {}
    parts = {
        name: Raw(bytes(document[name])) if name in document else empty for name, empty in _EMPTY.items()
    }
    if not pins:
        del parts["pinData"]
    return {
        "id": workflow.id,
        "name": workflow.name,
        "description": workflow.description or None,
        "active": workflow.is_active,
        "activeVersionId": workflow.published_version_id or None,
        "createdAt": moment(workflow.created_at),
        "updatedAt": moment(workflow.updated_at),
        "isArchived": workflow.is_archived,
        "versionId": workflow.version_id,
        "versionCounter": workflow.version,
        **parts,
        "tags": [tag_view(name) for name in workflow.tags],
        "shared": [{"role": "workflow:owner", "workflowId": workflow.id, "projectId": workflow.project_id}],
    }


def version_view(version: store.Version) -> dict[str, Any]:
    document = members(version.document)
    return {
        "versionId": version.id,
        "workflowId": version.workflow_id,
        "nodes": Raw(bytes(document["nodes"])) if "nodes" in document else [],
        "connections": Raw(bytes(document["connections"])) if "connections" in document else {},
        "authors": version.created_by,
        "name": None,
        "description": None,
        "createdAt": moment(version.created_at),
        "updatedAt": moment(version.created_at),
    }


def tag_view(name: str) -> dict[str, Any]:
    """A tag is its name here."""
    return {"id": name, "name": name}


def credential_view(credential: store.Credential) -> dict[str, Any]:
    return {
        "id": credential.id,
        "name": credential.name,
        "type": credential.type,
        "createdAt": moment(credential.created_at),
        "updatedAt": moment(credential.updated_at),
    }


_SCHEMA_TYPES: Final = {"number": "number", "boolean": "boolean", "json": "json"}


def schema_view(kind: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a kind of credential, as a JSON schema."""
    fields = [field for field in kind["fields"] if field["type"] not in {"notice", "hidden"}]
    properties: dict[str, dict[str, Any]] = {}
    for field in fields:
        properties[field["name"]] = {"type": _SCHEMA_TYPES.get(field["type"], "string")}
        if options := field.get("options"):
            properties[field["name"]]["enum"] = [option["value"] for option in options]
    required = [field["name"] for field in fields if field.get("required") and not field.get("show")]
    return {
        "additionalProperties": False,
        "type": "object",
        "properties": properties,
        "required": required,
    }


def execution_view(
    execution: runs.Execution, node_runs: Iterable[runs.NodeRun] | None = None
) -> dict[str, Any]:
    """With node runs also `data`: what each node gave."""
    found: dict[str, Any] = {
        "id": execution.id,
        "finished": execution.status == "success",
        "mode": _MODES.get(execution.mode, execution.mode),
        "retryOf": execution.retry_of or None,
        "retrySuccessId": None,
        "status": _STATUSES.get(execution.status, execution.status),
        "createdAt": moment(execution.created_at),
        "startedAt": moment(execution.started_at),
        "stoppedAt": moment(execution.finished_at),
        "workflowId": execution.workflow_id,
        "workflowVersionId": execution.version_id,
        "waitTill": None,
        "customData": dict(execution.custom_data),
    }
    if node_runs is not None:
        result: dict[str, Any] = {"runData": _run_data(node_runs), "lastNodeExecuted": execution.last_node}
        if execution.error:
            result["error"] = Raw(execution.error)
        found["data"] = {"resultData": result}
    return found


def _run_data(node_runs: Iterable[runs.NodeRun]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for number, run in enumerate(sorted(node_runs, key=lambda each: each.seq)):
        began, ended = (_milliseconds(each) for each in (run.started_at, run.finished_at))
        shown: dict[str, Any] = {
            "startTime": began,
            "executionTime": max(ended - began, 0),
            "executionIndex": number,
            "executionStatus": _STATUSES.get(run.status, run.status),
            "source": [_source(each) for each in orjson.loads(run.source or b"[]")],
        }
        if run.outputs:
            shown["data"] = {"main": Raw(run.outputs)}
        if run.error:
            shown["error"] = Raw(run.error)
        found.setdefault(run.node, []).append(shown)
    return found


def _milliseconds(stamp: Any) -> int:
    when: datetime = stamp.ToDatetime()
    return round((when - datetime(1970, 1, 1)).total_seconds() * 1000)  # noqa: DTZ001 - both are UTC


def _source(given: Any) -> dict[str, Any] | None:
    """Of `[node, output, run]`; what is 0 may be left out."""
    if not given:
        return None
    node, output, run = [*given, 0, 0][:3]
    return {"previousNode": node, "previousNodeOutput": output, "previousNodeRun": run}


def cursor_text(**held: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(held)).decode().rstrip("=")


def cursor_of(text: str) -> dict[str, Any]:
    """What `cursor_text` was given; empty for no cursor. Raises VALIDATION_ERROR."""
    if not text:
        return {}
    try:
        held = loads_js(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        held = None
    if not isinstance(held, dict) or not isinstance(held.get("limit"), int):
        raise WeftError(ErrorCode.VALIDATION_ERROR, "An invalid cursor was provided", field="cursor")
    return held
