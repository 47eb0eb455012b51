"""Items that runs begin with where nobody gives any, named as the peer names their fields."""

from datetime import datetime
from typing import Any


def tick(moment: datetime, timezone: str) -> dict[str, str]:
    """Of a Schedule Trigger. `moment`: aware, in the zone of that name."""
    offset = moment.strftime("%z")
    day, hour = moment.day, moment.hour % 12 or 12
    suffix = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    clock = f"{hour}:{moment:%M:%S} {'am' if moment.hour < 12 else 'pm'}"
    return {
        "timestamp": moment.isoformat(timespec="milliseconds"),
        "Readable date": f"{moment:%B} {day}{suffix} {moment.year}, {clock}",
        "Readable time": clock,
        "Day of week": f"{moment:%A}",
        "Year": f"{moment.year}",
        "Month": f"{moment:%B}",
        "Day of month": f"{moment:%d}",
        "Hour": f"{moment:%H}",
        "Minute": f"{moment:%M}",
        "Second": f"{moment:%S}",
        "Timezone": f"{timezone} (UTC{offset[:3]}:{offset[3:5]})",
    }


def failure_example(origin: str) -> dict[str, Any]:
    """Of an Error Trigger that is run by hand. `origin`: of the installation's addresses."""
    execution = {
        "id": 231,
        "url": execution_url(origin, "231"),
        "retryOf": "34",
        "error": {"message": "Example Error Message"},
        "lastNodeExecuted": "Node With Error",
        "mode": "manual",
    }
    return {"execution": execution, "workflow": {"id": "1", "name": "Example Workflow"}}


def event(name: str, moment: datetime, workflow_id: str) -> dict[str, str]:
    """Of a Workflow or n8n Trigger. `moment`: in UTC."""
    timestamp = f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    return {"event": name, "timestamp": timestamp, "workflow_id": workflow_id}


def execution_url(origin: str, execution_id: str) -> str:
    """Where the editor shows it."""
    return f"{origin}/executions/{execution_id}"


def by_hand(trigger: str, moment: datetime, timezone: str, origin: str) -> dict[str, Any]:
    """What a trigger of this type gives to a run by hand."""
    kind = trigger.rpartition(".")[2]
    if kind == "scheduleTrigger":
        return tick(moment, timezone)
    return failure_example(origin) if kind == "errorTrigger" else {}
