"""Date & Time with dates, zones and formats that are out of the ordinary."""

from typing import Any, Final

from tests.compat.cases.build import Case, document, named, node

ROWS: Final = [
    {"d": "2024-02-29T13:45:10.123Z"},
    {"d": "2024-03-10T02:30:00"},
    {"d": "2024-10-27T01:30:00+02:00"},
    {"d": 1700000000},
    {"d": 1700000000123},
    {"d": "1700000000"},
    {"d": "2024-W09-4"},
    {"d": "2024-060"},
    {"d": "Thu, 29 Feb 2024 13:45:10 +0100"},
    {"d": "2024/02/29 13:45"},
    {"d": "Feb 29, 2024"},
    {"d": "20240229"},
    {"d": "2024-02-30"},
    {"d": ""},
    {"d": None},
    {"d": True},
    {"d": [2024, 2, 29]},
    {"d": "now"},
]
ZONES: Final = ("", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "Australia/Lord_Howe")
D: Final = "={{ $json.d }}"


def _one(version: float, parameters: dict[str, Any], rows: Any = ROWS, zone: str = "") -> Case:
    nodes = [
        node("Node", "dateTime", version, {"options": {}, **parameters}, 1, onError="continueRegularOutput")
    ]
    made = document(nodes, "Trigger > Node", {"Trigger": rows})
    if zone:
        made["settings"]["timezone"] = zone
    return {"document": made}


def cases() -> dict[str, dict[str, Case]]:
    found: dict[str, Case] = {}
    few = [ROWS[0], ROWS[1], ROWS[2]]
    for zone in ZONES:
        for name, parameters in named({
            "format": {"operation": "formatDate", "date": D, "format": "custom", "customFormat": "yyyy-MM-dd HH:mm ZZ"},
            "format in its zone": {"operation": "formatDate", "date": D, "format": "custom", "customFormat": "yyyy-MM-dd HH:mm ZZ",
                "options": {"timezone": True}},
            "add a day": {"operation": "addToDate", "magnitude": D, "timeUnit": "days", "duration": 1},
            "round up": {"operation": "roundDate", "date": D, "mode": "roundUp", "to": "month"},
            "round down": {"operation": "roundDate", "date": D, "mode": "roundDown", "toNearest": "day"},
            "part": {"operation": "extractDate", "date": D, "part": "hour"},
            "between": {"operation": "getTimeBetweenDates", "startDate": "2024-01-01", "endDate": D, "units": ["day", "hour"]},
        }):  # fmt: skip
            found[f"odd {name} {zone} v2"] = _one(2, parameters, ROWS if zone in ZONES[:2] else few, zone)
        for name, parameters in named({
            "format": {"value": D, "toFormat": "YYYY-MM-DD HH:mm Z"},
            "format to a zone": {"value": D, "toFormat": "YYYY-MM-DD HH:mm Z", "options": {"toTimezone": "Asia/Kolkata"}},
            "format from a zone": {"value": D, "toFormat": "YYYY-MM-DD HH:mm Z", "options": {"fromTimezone": "Asia/Kolkata"}},
            "add": {"action": "calculate", "value": D, "operation": "add", "duration": 90, "timeUnit": "minutes"},
        }):  # fmt: skip
            found[f"odd {name} {zone} v1"] = _one(1, parameters, ROWS if zone in ZONES[:2] else few, zone)
    for token in (
        "D",
        "DD",
        "DDD",
        "DDDD",
        "t",
        "tt",
        "T",
        "TT",
        "f",
        "ff",
        "F",
        "FF",
        "EEEE c",
        "kkkk-WW",
        "o q",
        "ZZZZ z",
        "'at' a",
        "yy LLLL",
        "SSS u",
        "w",
        "Q",
        "G",
        "yyyyMMdd'T'HHmm",
    ):
        custom = {"operation": "formatDate", "date": D, "format": "custom", "customFormat": token}
        found[f"odd custom {token} v2"] = _one(2, custom, few)
    for token in (
        "L",
        "LL",
        "LLLL",
        "lll",
        "dddd Do",
        "gggg-ww",
        "GGGG-[W]WW-E",
        "Q Qo",
        "x X",
        "hh:mm A",
        "DDDo",
        "z zz Z ZZ",
        "[at] a",
        "Y",
        "SSS",
        "k",
    ):
        found[f"odd format {token} v1"] = _one(1, {"value": D, "toFormat": token}, few)
    given: dict[str, Any]
    for text, form in (
        ("31/12/2024 5pm", "dd/MM/yyyy ha"),
        ("Dec 5 24", "LLL d yy"),
        ("x", "yyyy"),
    ):
        given = {
            "operation": "formatDate",
            "date": text,
            "format": "yyyy-MM-dd",
            "options": {"fromFormat": form},
        }
        found[f"odd read {form} v2"] = _one(2, given, few[:1])
    for text, form in (
        ("31/12/2024 5pm", "DD/MM/YYYY ha"),
        ("Dec 5 24", "MMM D YY"),
        ("x", "YYYY"),
        ("12-2024", "MM-YYYY"),
    ):
        given = {"value": text, "toFormat": "YYYY-MM-DD", "options": {"fromFormat": form}}
        found[f"odd read {form} v1"] = _one(1, given, few[:1])
    for unit in ("milliseconds", "quarters", "weeks", "years"):
        for amount in (1.5, -1, "2", "x", 0):
            given = {
                "operation": "addToDate",
                "magnitude": D,
                "timeUnit": unit,
                "duration": amount if not isinstance(amount, str) else f"={{{{ '{amount}' }}}}",
            }
            found[f"odd add {amount} {unit} v2"] = _one(2, given, few[:1])
    for units in (["year"], ["millisecond"], ["month", "week"], ["day", "second"]):
        for iso in (False, True):
            given = {
                "operation": "getTimeBetweenDates",
                "startDate": "2024-02-29",
                "endDate": "2023-01-15T12:00:00",
                "units": units,
                "options": {"isoString": iso},
            }
            found[f"odd between {' '.join(units)}{' iso' if iso else ''} v2"] = _one(2, given, few[:1])
    return {"dateTime": found}
