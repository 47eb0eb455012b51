"""Calendar files with events."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from weft_node_sdk.context import NodeRunError, RunContext
from weft_node_sdk.dates import parse, zone
from weft_node_sdk.values import entries, members, value

_TEXTS = {"description": "description", "location": "location", "url": "url", "status": "status"}


def event_file(ctx: RunContext, parameters: Mapping[str, Any]) -> bytes:
    """The file of one event, from the parameters of a node. Raises NodeRunError for times that are none."""
    from icalendar import Calendar, Event, vCalAddress, vGeo, vRecur, vText

    more = members(parameters, "additionalFields")
    event = Event()
    event.add("uid", str(value(more.get("uid")) or uuid4()))
    event.add("dtstamp", datetime.now(UTC))
    event.add("summary", str(value(parameters.get("title", ""))))
    _add_times(ctx, event, parameters, more.get("useWorkflowTimezone") is True)
    for name, field in _TEXTS.items():
        if text := value(more.get(name)):
            event.add(field, str(text))
    if more.get("sequence"):
        event.add("sequence", int(value(more["sequence"])))
    if busy := more.get("busyStatus"):
        event.add("x-microsoft-cdo-busystatus", str(busy))
    for place in entries(more, "geolocationUi", "geolocationValues"):
        event.add("geo", vGeo((float(value(place["lat"])), float(value(place["lon"])))))
    if rule := value(more.get("recurrenceRule")):
        event.add("rrule", vRecur.from_ical(str(rule).removeprefix("RRULE:")))
    for role, people in (
        ("organizer", entries(more, "organizerUi", "organizerValues")),
        ("attendee", entries(more, "attendeesUi", "attendeeValues")),
    ):
        for person in people:
            address = vCalAddress(f"mailto:{value(person.get('email', ''))}")
            address.params["cn"] = vText(str(value(person.get("name", ""))))
            if role == "attendee":
                address.params["rsvp"] = vText("TRUE" if person.get("rsvp") is True else "FALSE")
            event.add(role, address, encode=False)
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Weft//Calendar//EN")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-published-ttl", "PT1H")
    if name := value(more.get("calName")):
        calendar.add("x-wr-calname", str(name))
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _add_times(ctx: RunContext, event: Any, parameters: Mapping[str, Any], zoned: bool) -> None:
    start, end = (_time(ctx, parameters, name) for name in ("start", "end"))
    if end < start:
        raise NodeRunError("The event ends before it begins")
    if parameters.get("allDay") is True:
        here = zone(ctx.execution.timezone)
        first, last = start.astimezone(here).date(), end.astimezone(here).date()
        # the end of a whole day is the day after the last one
        event.add("dtstart", first)
        event.add("dtend", max(last, first + timedelta(days=1)))
        return
    here = zone(ctx.execution.timezone) if zoned else UTC
    event.add("dtstart", start.astimezone(here))
    event.add("dtend", end.astimezone(here))


def _time(ctx: RunContext, parameters: Mapping[str, Any], name: str) -> datetime:
    given = value(parameters.get(name))
    found = parse(given, ctx.execution.timezone) if given not in (None, "") else None
    if found is None:
        raise NodeRunError(f"The {name} of the event, {given!r}, is no date")
    return found


def read(text: str) -> dict[str, Any]:
    """`{version, prodId, name?, events: [...]}`. Raises NodeRunError where it is no calendar."""
    from icalendar import Calendar

    try:
        calendar = Calendar.from_ical(text)
        found: dict[str, Any] = {
            "version": str(calendar.get("version", "")),
            "prodId": str(calendar.get("prodid", "")),
        }
        for name, field in (("method", "method"), ("x-wr-calname", "name"), ("x-wr-timezone", "timezone")):
            if name in calendar:
                found[field] = str(calendar[name])
        events = [_event(part) for part in calendar.walk("VEVENT")]
    except (ValueError, IndexError, KeyError, AttributeError, TypeError) as error:
        raise NodeRunError(f"The file is no calendar that can be read: {error}") from None
    return {**found, "events": events}


def _event(part: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field in (
        ("summary", "summary"),
        ("uid", "uid"),
        ("description", "description"),
        ("location", "location"),
        ("status", "status"),
        ("url", "url"),
        ("class", "class"),
        ("transp", "timeTransparency"),
    ):
        if name in part:
            found[field] = str(part[name])
    for name, field in (
        ("dtstamp", "stamp"),
        ("dtstart", "start"),
        ("dtend", "end"),
        ("created", "created"),
        ("last-modified", "lastModified"),
        ("recurrence-id", "recurrenceId"),
    ):
        if name in part:
            found[field] = _moment(part[name])
    for name in ("sequence", "priority"):
        if name in part:
            found[name] = int(part[name])
    if "rrule" in part:
        found["recurrenceRule"] = part["rrule"].to_ical().decode()
    if "organizer" in part:
        found["organizer"] = _person(part["organizer"])
    if "attendee" in part:
        held = part["attendee"]
        found["attendees"] = [_person(each) for each in (held if isinstance(held, list) else [held])]
    if "geo" in part:
        found["geo"] = {"lat": part["geo"].latitude, "lon": part["geo"].longitude}
    if "categories" in part:
        held = part["categories"]
        found["categories"] = [str(each) for each in getattr(held, "cats", [held])]
    return found


def _moment(held: Any) -> dict[str, Any]:
    moment = held.dt
    if not isinstance(moment, datetime):
        assert isinstance(moment, date)
        return {"date": f"{moment.isoformat()}T00:00:00.000Z", "type": "DATE"}
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    text = zoned.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    found: dict[str, Any] = {"date": text, "type": "DATE-TIME"}
    if name := held.params.get("TZID"):
        found["local"] = {
            "date": zoned.isoformat(timespec="milliseconds"),
            "timezone": str(name),
        }
    return found


def _person(held: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"email": str(held).removeprefix("mailto:").removeprefix("MAILTO:")}
    for name, field in (("CN", "name"), ("PARTSTAT", "partstat"), ("ROLE", "role")):
        if name in held.params:
            found[field] = str(held.params[name])
    return found
