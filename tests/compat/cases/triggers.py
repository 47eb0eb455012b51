"""What a run by hand begins with, by the trigger that is its first node."""

from typing import Any, Final

from tests.compat.cases.build import Case, node, wired

_TICK: Final = """return $input.all().map((item, i) => {
  const told = item.json, at = DateTime.fromISO(told.timestamp, {setZone: true});
  const ordinal = (day) => (day % 100 > 10 && day % 100 < 14) ? 'th' : ({1: 'st', 2: 'nd', 3: 'rd'}[day % 10] ?? 'th');
  const clock = at.toFormat('h:mm:ss') + ' ' + at.toFormat('a').toLowerCase();
  const date = `${at.toFormat('MMMM')} ${at.day}${ordinal(at.day)} ${at.year}, ${clock}`;
  const wanted = {
    timestamp: at.toISO().replace('Z', '+00:00'), 'Readable date': date, 'Readable time': clock, 'Day of week': at.toFormat('EEEE'),
    Year: at.toFormat('yyyy'), Month: at.toFormat('MMMM'), 'Day of month': at.toFormat('dd'), Hour: at.toFormat('HH'),
    Minute: at.toFormat('mm'), Second: at.toFormat('ss'),
  };
  const unlike = Object.keys(wanted).filter((key) => told[key] !== wanted[key]);
  return {json: {keys: Object.keys(told), zone: told.Timezone, offset: at.toFormat('ZZ'), unlike}, pairedItem: i};
});"""
"""Whether every field is the same moment, and in which zone."""
_SEEN: Final = "return $input.all().map((item, i) => ({json: {seen: item.json}, pairedItem: i}));"

_FAILURE: Final = """return $input.all().map((item, i) => ({pairedItem: i,
  json: {...item.json, execution: {...item.json.execution, url: item.json.execution.url.replace(/^.*\\//, '')}}}));"""
"""The address's end."""


def _begun(kind: str, version: float, parameters: dict[str, Any], code: str = _SEEN, **settings: Any) -> Case:
    nodes = [node("Trigger", kind, version, parameters, 0), node("Node", "code", 2, {"jsCode": code}, 1)]
    return {
        "document": {
            "name": "compat",
            "nodes": nodes,
            "connections": wired("Trigger > Node"),
            "settings": {"executionOrder": "v1", **settings},
            "pinData": {},
        },
        "unlike": ["Trigger"],
    }


def cases() -> dict[str, dict[str, Case]]:
    schedules: dict[str, Case] = {}
    for version in (1, 1.1, 1.2, 1.3):
        for name, settings in {
            "default": {},
            "New York": {"timezone": "America/New_York"},
            "Kolkata": {"timezone": "Asia/Kolkata"},
            "Kiritimati": {"timezone": "Pacific/Kiritimati"},
            "the instance's": {"timezone": "DEFAULT"},
        }.items():
            if settings and version not in (1, 1.2):
                continue
            made = _begun("scheduleTrigger", version, {"rule": {"interval": [{}]}}, _TICK, **settings)
            schedules[f"{name} v{version:g}"] = made
    times = {"triggerTimes": {"item": [{"mode": "everyMinute"}]}}
    return {
        "scheduleTrigger": schedules,
        "cron": {"by hand v1": _begun("cron", 1, times)},
        "interval": {"by hand v1": _begun("interval", 1, {"interval": 10, "unit": "minutes"})},
        "manualTrigger": {"by hand v1": _begun("manualTrigger", 1, {})},
        "errorTrigger": {"by hand v1": _begun("errorTrigger", 1, {}, _FAILURE)},
        "executeWorkflowTrigger": {
            "by hand v1": _begun("executeWorkflowTrigger", 1, {}),
            "by hand v1.1": _begun("executeWorkflowTrigger", 1.1, {"inputSource": "passthrough"}),
        },
    }
