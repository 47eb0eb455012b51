"""Dates as texts and back, in the two notations that workflows use: Luxon's (`yyyy-MM-dd`) and Moment's
(`YYYY-MM-DD`). Names of months and days are English."""

import calendar
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

Part = Callable[[datetime], str]


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number // 10 % 10 != 1 else 0, "th")
    return f"{number}{ending}"


def _offset(moment: datetime) -> tuple[str, int, int]:
    minutes = int((moment.utcoffset() or timedelta()).total_seconds()) // 60
    return "-" if minutes < 0 else "+", abs(minutes) // 60, abs(minutes) % 60


def _colon_offset(moment: datetime) -> str:
    sign, hours, minutes = _offset(moment)
    return f"{sign}{hours:02}:{minutes:02}"


def _short_offset(moment: datetime) -> str:
    sign, hours, minutes = _offset(moment)
    return f"{sign}{hours}:{minutes:02}" if minutes else f"{sign}{hours}"


def _zone_name(moment: datetime) -> str:
    return str(getattr(moment.tzinfo, "key", moment.tzname() or ""))


def _hour(moment: datetime) -> int:
    return moment.hour % 12 or 12


def _half(moment: datetime) -> str:
    return "AM" if moment.hour < 12 else "PM"


def _quarter(moment: datetime) -> int:
    return (moment.month + 2) // 3


def _day_of_year(moment: datetime) -> int:
    return moment.timetuple().tm_yday


def milliseconds(moment: datetime) -> int:
    """Since the epoch."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _clock(moment: datetime, *, seconds: bool = False) -> str:
    return f"{_hour(moment)}:{moment:%M:%S}" if seconds else f"{_hour(moment)}:{moment:%M}"


def _date(moment: datetime, kind: str) -> str:
    return {
        "number": f"{moment.month}/{moment.day}/{moment.year}",
        "short": f"{moment:%b} {moment.day}, {moment.year}",
        "long": f"{moment:%B} {moment.day}, {moment.year}",
        "full": f"{moment:%A}, {moment:%B} {moment.day}, {moment.year}",
    }[kind]


_BOTH: Final[Mapping[str, Part]] = {
    "M": lambda m: str(m.month),
    "MM": lambda m: f"{m.month:02}",
    "MMM": lambda m: f"{m:%b}",
    "MMMM": lambda m: f"{m:%B}",
    "H": lambda m: str(m.hour),
    "HH": lambda m: f"{m.hour:02}",
    "h": lambda m: str(_hour(m)),
    "hh": lambda m: f"{_hour(m):02}",
    "m": lambda m: str(m.minute),
    "mm": lambda m: f"{m.minute:02}",
    "s": lambda m: str(m.second),
    "ss": lambda m: f"{m.second:02}",
    "SSS": lambda m: f"{m.microsecond // 1000:03}",
    "W": lambda m: str(m.isocalendar().week),
    "WW": lambda m: f"{m.isocalendar().week:02}",
    "X": lambda m: str(milliseconds(m) // 1000),
    "x": lambda m: str(milliseconds(m)),
}

_LUXON: Final[Mapping[str, Part]] = {
    **_BOTH,
    **{f"{'L' * len(key)}": part for key, part in _BOTH.items() if set(key) == {"M"}},
    "MMMMM": lambda m: f"{m:%B}"[0],
    "LLLLL": lambda m: f"{m:%B}"[0],
    "S": lambda m: str(m.microsecond // 1000),
    "u": lambda m: f"{m.microsecond // 1000:03}",
    "uu": lambda m: f"{m.microsecond // 10_000:02}",
    "uuu": lambda m: str(m.microsecond // 100_000),
    "Z": _short_offset,
    "ZZ": _colon_offset,
    "ZZZ": lambda m: _colon_offset(m).replace(":", ""),
    "ZZZZ": lambda m: m.tzname() or "",
    "ZZZZZ": lambda m: m.tzname() or "",
    "z": _zone_name,
    "a": _half,
    "d": lambda m: str(m.day),
    "dd": lambda m: f"{m.day:02}",
    **{
        letter * length: part
        for letter in "cE"
        for length, part in (
            (1, lambda m: str(m.isoweekday())),
            (3, lambda m: f"{m:%a}"),
            (4, lambda m: f"{m:%A}"),
            (5, lambda m: f"{m:%A}"[0]),
        )
    },
    "y": lambda m: str(m.year),
    "yy": lambda m: f"{m.year % 100:02}",
    "yyyy": lambda m: f"{m.year:04}",
    "yyyyyy": lambda m: f"{m.year:06}",
    "G": lambda _: "AD",
    "GG": lambda _: "Anno Domini",
    "GGGGG": lambda _: "A",
    **{letter * 2: lambda m: f"{m.isocalendar().year % 100:02}" for letter in "ki"},
    **{letter * 4: lambda m: str(m.isocalendar().year) for letter in "ki"},
    "n": lambda m: str(m.isocalendar().week),
    "nn": lambda m: f"{m.isocalendar().week:02}",
    "o": lambda m: str(_day_of_year(m)),
    "ooo": lambda m: f"{_day_of_year(m):03}",
    "q": lambda m: str(_quarter(m)),
    "qq": lambda m: f"{_quarter(m):02}",
    "D": lambda m: _date(m, "number"),
    "DD": lambda m: _date(m, "short"),
    "DDD": lambda m: _date(m, "long"),
    "DDDD": lambda m: _date(m, "full"),
    "t": lambda m: f"{_clock(m)} {_half(m)}",
    "tt": lambda m: f"{_clock(m, seconds=True)} {_half(m)}",
    "ttt": lambda m: f"{_clock(m, seconds=True)} {_half(m)} {m.tzname()}",
    "T": lambda m: f"{m:%H:%M}",
    "TT": lambda m: f"{m:%H:%M:%S}",
    "TTT": lambda m: f"{m:%H:%M:%S} {m.tzname()}",
    "f": lambda m: f"{_date(m, 'number')}, {_clock(m)} {_half(m)}",
    "ff": lambda m: f"{_date(m, 'short')}, {_clock(m)} {_half(m)}",
    "fff": lambda m: f"{_date(m, 'long')} at {_clock(m)} {_half(m)} {m.tzname()}",
    "ffff": lambda m: f"{_date(m, 'full')} at {_clock(m)} {_half(m)} {m.tzname()}",
    "F": lambda m: f"{_date(m, 'number')}, {_clock(m, seconds=True)} {_half(m)}",
    "FF": lambda m: f"{_date(m, 'short')}, {_clock(m, seconds=True)} {_half(m)}",
    "FFF": lambda m: f"{_date(m, 'long')} at {_clock(m, seconds=True)} {_half(m)} {m.tzname()}",
    "FFFF": lambda m: f"{_date(m, 'full')} at {_clock(m, seconds=True)} {_half(m)} {m.tzname()}",
}

_MOMENT: Final[Mapping[str, Part]] = {
    **_BOTH,
    "Mo": lambda m: _ordinal(m.month),
    "Q": lambda m: str(_quarter(m)),
    "Qo": lambda m: _ordinal(_quarter(m)),
    "D": lambda m: str(m.day),
    "Do": lambda m: _ordinal(m.day),
    "DD": lambda m: f"{m.day:02}",
    "DDD": lambda m: str(_day_of_year(m)),
    "DDDo": lambda m: _ordinal(_day_of_year(m)),
    "DDDD": lambda m: f"{_day_of_year(m):03}",
    "d": lambda m: str(m.isoweekday() % 7),
    "do": lambda m: _ordinal(m.isoweekday() % 7),
    "dd": lambda m: f"{m:%A}"[:2],
    "ddd": lambda m: f"{m:%a}",
    "dddd": lambda m: f"{m:%A}",
    "e": lambda m: str(m.isoweekday() % 7),
    "E": lambda m: str(m.isoweekday()),
    "w": lambda m: str(_week(m)),
    "wo": lambda m: _ordinal(_week(m)),
    "ww": lambda m: f"{_week(m):02}",
    "Wo": lambda m: _ordinal(m.isocalendar().week),
    "YY": lambda m: f"{m.year % 100:02}",
    "YYYY": lambda m: f"{m.year:04}",
    "Y": lambda m: str(m.year),
    "gg": lambda m: f"{_week_year(m) % 100:02}",
    "gggg": lambda m: str(_week_year(m)),
    "GG": lambda m: f"{m.isocalendar().year % 100:02}",
    "GGGG": lambda m: str(m.isocalendar().year),
    "A": _half,
    "a": lambda m: _half(m).lower(),
    "k": lambda m: str(m.hour or 24),
    "kk": lambda m: f"{m.hour or 24:02}",
    "S": lambda m: str(m.microsecond // 100_000),
    "SS": lambda m: f"{m.microsecond // 10_000:02}",
    "z": lambda m: "" if m.tzinfo is UTC else m.tzname() or "",
    "zz": lambda m: "" if m.tzinfo is UTC else m.tzname() or "",
    "Z": _colon_offset,
    "ZZ": lambda m: _colon_offset(m).replace(":", ""),
    "N": lambda _: "AD",
    "L": lambda m: f"{m:%m/%d/%Y}",
    "LL": lambda m: _date(m, "long"),
    "LLL": lambda m: f"{_date(m, 'long')} {_clock(m)} {_half(m)}",
    "LLLL": lambda m: f"{_date(m, 'full')} {_clock(m)} {_half(m)}",
    "LT": lambda m: f"{_clock(m)} {_half(m)}",
    "LTS": lambda m: f"{_clock(m, seconds=True)} {_half(m)}",
    "l": lambda m: _date(m, "number"),
    "ll": lambda m: _date(m, "short"),
    "lll": lambda m: f"{_date(m, 'short')} {_clock(m)} {_half(m)}",
    "llll": lambda m: f"{m:%a}, {_date(m, 'short')} {_clock(m)} {_half(m)}",
}


def _week_year(moment: datetime) -> int:
    """The year of the week from Sunday to Saturday that the day is in: that of its Saturday."""
    return (moment + timedelta(days=6 - moment.isoweekday() % 7)).year


def _week(moment: datetime) -> int:
    """Weeks from Sunday to Saturday; the first has 1 January."""
    saturday = moment + timedelta(days=6 - moment.isoweekday() % 7)
    return (_day_of_year(saturday) + 6) // 7


_LUXON_TOKEN = re.compile(
    r"'(?P<quoted>[^']*)'|(?P<run>(?P<letter>[A-Za-z])(?P=letter)*)|(?P<other>.)", re.DOTALL
)
_MOMENT_TOKEN = re.compile(
    r"\[(?P<quoted>[^\]]*)\]|(?P<run>"
    + "|".join(sorted(map(re.escape, _MOMENT), key=len, reverse=True))
    + r")|(?P<other>.)",
    re.DOTALL,
)


def _tokens(text: str, *, moment: bool) -> Iterator[tuple[str, str]]:
    """(token, "") or ("", literal text)."""
    known = _MOMENT if moment else _LUXON
    for found in (_MOMENT_TOKEN if moment else _LUXON_TOKEN).finditer(text):
        run = found.group("run")
        if run and run in known:
            yield run, ""
        else:
            yield "", run or found.group("quoted") or found.group("other") or ""


def formatted(given: datetime, text: str, *, moment: bool = False) -> str:
    """`given` (aware) in a notation; letters without a meaning stand for themselves."""
    known = _MOMENT if moment else _LUXON
    return "".join(
        known[token](given) if token else literal for token, literal in _tokens(text, moment=moment)
    )


_MONTHS = "|".join([*calendar.month_name[1:], *calendar.month_abbr[1:]])
_DAYS = "|".join([*calendar.day_name, *calendar.day_abbr])
_READERS: Final[Mapping[str, str]] = {
    "year": r"\d{4}",
    "year2": r"\d\d",
    "month": r"\d{1,2}",
    "name": _MONTHS,
    "day": r"\d{1,2}",
    "hour": r"\d{1,2}",
    "minute": r"\d{1,2}",
    "second": r"\d{1,2}",
    "millis": r"\d{1,3}",
    "half": r"[ap]\.?m\.?",
    "offset": r"Z|[+-]\d\d?(?::?\d\d)?",
    "weekday": _DAYS,
    "seconds": r"-?\d+(?:\.\d+)?",
    "milliseconds": r"-?\d+",
}
_SHARED_READS: Final = {
    "M": "month",
    "MM": "month",
    "MMM": "name",
    "MMMM": "name",
    "H": "hour",
    "HH": "hour",
    "h": "hour",
    "hh": "hour",
    "m": "minute",
    "mm": "minute",
    "s": "second",
    "ss": "second",
    "SSS": "millis",
    "S": "millis",
    "Z": "offset",
    "ZZ": "offset",
    "a": "half",
}
_LUXON_READS: Final = {
    **_SHARED_READS,
    "L": "month",
    "LL": "month",
    "LLL": "name",
    "LLLL": "name",
    "y": "year",
    "yyyy": "year",
    "yy": "year2",
    "d": "day",
    "dd": "day",
    "ZZZ": "offset",
    "EEE": "weekday",
    "EEEE": "weekday",
    "ccc": "weekday",
    "cccc": "weekday",
}
_MOMENT_READS: Final = {
    **_SHARED_READS,
    "YYYY": "year",
    "YY": "year2",
    "D": "day",
    "DD": "day",
    "Do": "day",
    "A": "half",
    "ddd": "weekday",
    "dddd": "weekday",
    "X": "seconds",
    "x": "milliseconds",
}


def read(text: str, notation: str, zone: tzinfo, *, moment: bool = False) -> datetime | None:
    """The time that a text says in a notation; where it names no offset it is in `zone`. None: it doesn't fit,
    or the notation has parts that can't be read."""
    reads = _MOMENT_READS if moment else _LUXON_READS
    pattern = ""
    order: list[str] = []
    for token, literal in _tokens(notation, moment=moment):
        if not token:
            pattern += re.escape(literal)
        elif (kind := reads.get(token)) is None:
            return None
        else:
            ending = "(?:st|nd|rd|th)" if token.endswith("o") else ""
            pattern += f"({_READERS[kind]}){ending}"
            order.append(kind)
    found = re.fullmatch(pattern, text.strip(), re.IGNORECASE)
    return _made(dict(zip(order, found.groups(), strict=True)), zone) if found else None


def _made(parts: Mapping[str, str], zone: tzinfo) -> datetime | None:
    if "seconds" in parts or "milliseconds" in parts:
        since = float(parts.get("seconds", 0)) * 1000 or float(parts.get("milliseconds", 0))
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=since)
    today = datetime.now(zone)
    named = [bool(parts.keys() & kinds) for kinds in ({"year", "year2"}, {"month", "name"}, {"day"})]
    # what is greater than all that is named is today's, what is smaller is the first
    year = int(parts.get("year", 0)) or _century(parts.get("year2")) or today.year
    month = int(parts.get("month", 1 if any(named[:2]) else today.month))
    day = int(parts.get("day", 1 if any(named) else today.day))
    if name := parts.get("name", "").lower()[:3]:
        month = [short.lower() for short in calendar.month_abbr].index(name)
    hour = int(parts.get("hour", 0))
    if half := parts.get("half", "").lower()[:1]:
        hour = hour % 12 + (12 if half == "p" else 0)
    millis = parts.get("millis", "0").ljust(3, "0")
    try:
        made = datetime(
            year,
            month,
            day,
            hour,
            int(parts.get("minute", 0)),
            int(parts.get("second", 0)),
            int(millis) * 1000,
            tzinfo=zone,
        )
    except ValueError:
        return None
    offset = parts.get("offset")
    return made.replace(tzinfo=_fixed(offset)) if offset else made


def _century(text: str | None) -> int:
    if not text:
        return 0
    return 2000 + int(text) if int(text) <= 60 else 1900 + int(text)


def _fixed(offset: str) -> tzinfo:
    if offset in "Zz":
        return UTC
    digits = offset[1:].replace(":", "")
    hours, minutes = (
        (int(digits[:2]), int(digits[2:] or 0)) if len(digits) != 3 else (int(digits[0]), int(digits[1:]))
    )
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(-delta if offset[0] == "-" else delta)
