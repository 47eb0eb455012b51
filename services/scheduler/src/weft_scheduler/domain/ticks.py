"""When a rule ticks. Pure: times are microseconds since the epoch, and go in and out.

A local time that daylight saving skips ticks at the shift; one that it doubles ticks once, the first time.
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from croniter import croniter
from weft_contracts import beginnings
from weft_contracts.messages import ScheduleRule

_SECOND: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - local time, on purpose


def next_tick(rule: ScheduleRule, timezone: str, after: int) -> int | None:
    """The first tick later than `after`; None where there is none."""
    zone = ZoneInfo(timezone)
    local = datetime.fromtimestamp(after // _SECOND, zone)
    wall = local.replace(tzinfo=None, fold=0)
    if local.fold:
        # Inside the doubled hour for the second time: every wall time in it has ticked already.
        wall = _end_of_doubled(wall, zone)
    for _ in range(1000):
        following = _next_wall(rule, wall)
        if following is None:
            return None
        tick = _moment(following, zone)
        if tick > after:
            return tick
        wall = following
    return None


def ticks_between(rule: ScheduleRule, timezone: str, first: int, now: int, late: int) -> list[int]:
    """Which ticks from `first` on are to fire at `now`: those younger than `late` microseconds, and of the older
    ones the newest."""
    found: list[int] = []
    tick: int | None = first
    if first < now - late:
        newest, tick = _newest_before(rule, timezone, first, now - late)
        found.append(newest)
    while tick is not None and tick <= now:
        found.append(tick)
        tick = next_tick(rule, timezone, tick)
    return found


def _newest_before(rule: ScheduleRule, timezone: str, first: int, limit: int) -> tuple[int, int | None]:
    """The last tick before `limit` and the one after it; `first` is a tick before it."""
    newest, step = first, 3600 * _SECOND
    probe = limit - step
    while probe > first:
        tick = next_tick(rule, timezone, probe)
        if tick is not None and tick < limit:
            newest = tick
            break
        step *= 4
        probe = limit - step
    while (following := next_tick(rule, timezone, newest)) is not None and following < limit:
        newest = following
    return newest, following


def _next_wall(rule: ScheduleRule, wall: datetime) -> datetime | None:
    """The next local time, as a clock on the wall shows it that never shifts."""
    if rule.cron:
        fields = rule.cron.split()
        expression = " ".join([*fields[1:], fields[0]]) if len(fields) == 6 else rule.cron
        try:
            found: datetime = croniter(expression, wall, max_years_between_matches=20).get_next(datetime)
        except (ValueError, KeyError):
            return None
        return found
    if rule.interval_seconds <= 0:
        return None
    seconds = int((wall - _EPOCH).total_seconds()) - rule.offset_seconds
    count = seconds // rule.interval_seconds + 1
    return _EPOCH + timedelta(seconds=count * rule.interval_seconds + rule.offset_seconds)


def _moment(wall: datetime, zone: ZoneInfo) -> int:
    """When the wall clock shows it for the first time; the shift where it never does."""
    seconds = int(wall.replace(tzinfo=zone, fold=0).timestamp())
    back = datetime.fromtimestamp(seconds, zone).replace(tzinfo=None, fold=0)
    if back != wall:
        seconds = _shift_before(seconds, zone)
    return seconds * _SECOND


def _shift_before(seconds: int, zone: ZoneInfo) -> int:
    """The moment of the change of offset in the day before or after (a skipped time lies beside it)."""
    low, high = seconds - 86_400, seconds + 86_400
    offset = _offset(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle, zone) == offset:
            low = middle
        else:
            high = middle
    return high


def _offset(seconds: int, zone: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(seconds, zone).utcoffset()


def _end_of_doubled(wall: datetime, zone: ZoneInfo) -> datetime:
    """The last second of the doubled time that `wall` lies in."""
    seconds = int(wall.replace(tzinfo=zone, fold=1).timestamp())
    while datetime.fromtimestamp(seconds, zone).fold:
        seconds += 60
    return datetime.fromtimestamp(seconds, zone).replace(tzinfo=None, fold=0) - timedelta(seconds=1)


def started_item(tick: int, workflow_id: str) -> dict[str, str]:
    """The item of an n8n Trigger that waited for the start."""
    return beginnings.event("Instance started", datetime.fromtimestamp(tick / _SECOND, UTC), workflow_id)


def item(at: int, timezone: str) -> dict[str, str]:
    """The item of a Schedule Trigger."""
    return beginnings.tick(datetime.fromtimestamp(at / _SECOND, UTC).astimezone(ZoneInfo(timezone)), timezone)
