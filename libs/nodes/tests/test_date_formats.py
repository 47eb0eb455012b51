"""Notations of dates, token by token, as Luxon and Moment print them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_nodes.date_time.formats import formatted, read

MOMENT = datetime(2024, 3, 5, 9, 5, 3, 7000, tzinfo=UTC)
LUXON_TEXTS = {
    "S": "7",
    "SSS": "007",
    "u": "007",
    "uu": "00",
    "uuu": "0",
    "s": "3",
    "ss": "03",
    "m": "5",
    "mm": "05",
    "h": "9",
    "hh": "09",
    "H": "9",
    "HH": "09",
    "Z": "+0",
    "ZZ": "+00:00",
    "ZZZ": "+0000",
    "ZZZZ": "UTC",
    "a": "AM",
    "d": "5",
    "dd": "05",
    "c": "2",
    "ccc": "Tue",
    "cccc": "Tuesday",
    "ccccc": "T",
    "E": "2",
    "EEE": "Tue",
    "EEEE": "Tuesday",
    "L": "3",
    "LL": "03",
    "LLL": "Mar",
    "LLLL": "March",
    "LLLLL": "M",
    "M": "3",
    "MM": "03",
    "MMM": "Mar",
    "MMMM": "March",
    "y": "2024",
    "yy": "24",
    "yyyy": "2024",
    "yyyyyy": "002024",
    "G": "AD",
    "GG": "Anno Domini",
    "GGGGG": "A",
    "kk": "24",
    "kkkk": "2024",
    "W": "10",
    "WW": "10",
    "o": "65",
    "ooo": "065",
    "q": "1",
    "qq": "01",
    "D": "3/5/2024",
    "DD": "Mar 5, 2024",
    "DDD": "March 5, 2024",
    "DDDD": "Tuesday, March 5, 2024",
    "t": "9:05 AM",
    "tt": "9:05:03 AM",
    "ttt": "9:05:03 AM UTC",
    "T": "09:05",
    "TT": "09:05:03",
    "TTT": "09:05:03 UTC",
    "f": "3/5/2024, 9:05 AM",
    "ff": "Mar 5, 2024, 9:05 AM",
    "fff": "March 5, 2024 at 9:05 AM UTC",
    "F": "3/5/2024, 9:05:03 AM",
    "FF": "Mar 5, 2024, 9:05:03 AM",
    "FFF": "March 5, 2024 at 9:05:03 AM UTC",
    "X": "1709629503",
    "x": "1709629503007",
    "n": "10",
    "ii": "24",
    "iiii": "2024",
}
MOMENT_TEXTS = {
    "M": "3",
    "Mo": "3rd",
    "MM": "03",
    "MMM": "Mar",
    "MMMM": "March",
    "Q": "1",
    "Qo": "1st",
    "D": "5",
    "Do": "5th",
    "DD": "05",
    "DDD": "65",
    "DDDo": "65th",
    "DDDD": "065",
    "d": "2",
    "do": "2nd",
    "dd": "Tu",
    "ddd": "Tue",
    "dddd": "Tuesday",
    "e": "2",
    "E": "2",
    "w": "10",
    "wo": "10th",
    "ww": "10",
    "W": "10",
    "Wo": "10th",
    "WW": "10",
    "YY": "24",
    "YYYY": "2024",
    "Y": "2024",
    "gg": "24",
    "gggg": "2024",
    "GG": "24",
    "GGGG": "2024",
    "A": "AM",
    "a": "am",
    "H": "9",
    "HH": "09",
    "h": "9",
    "hh": "09",
    "k": "9",
    "kk": "09",
    "m": "5",
    "mm": "05",
    "s": "3",
    "ss": "03",
    "S": "0",
    "SS": "00",
    "SSS": "007",
    "z": "",
    "zz": "",
    "Z": "+00:00",
    "ZZ": "+0000",
    "X": "1709629503",
    "x": "1709629503007",
    "L": "03/05/2024",
    "LL": "March 5, 2024",
    "LLL": "March 5, 2024 9:05 AM",
    "LLLL": "Tuesday, March 5, 2024 9:05 AM",
    "LT": "9:05 AM",
    "LTS": "9:05:03 AM",
    "l": "3/5/2024",
    "ll": "Mar 5, 2024",
    "lll": "Mar 5, 2024 9:05 AM",
    "llll": "Tue, Mar 5, 2024 9:05 AM",
    "N": "AD",
}


@pytest.mark.parametrize(("notation", "expected"), LUXON_TEXTS.items())
def test_luxon(notation: str, expected: str) -> None:
    assert formatted(MOMENT, notation) == expected


@pytest.mark.parametrize(("notation", "expected"), MOMENT_TEXTS.items())
def test_moment(notation: str, expected: str) -> None:
    assert formatted(MOMENT, notation, moment=True) == expected


def test_literals() -> None:
    assert formatted(MOMENT, "yyyy'T'HH 'at' dd.MM.") == "2024T09 at 05.03."
    assert formatted(MOMENT, "[at] YYYY [x]Y", moment=True) == "at 2024 x2024"


def test_zones() -> None:
    there = MOMENT.astimezone(ZoneInfo("Asia/Kolkata"))
    assert formatted(there, "Z ZZ ZZZ ZZZZ z") == "+5:30 +05:30 +0530 IST Asia/Kolkata"
    assert (
        formatted(MOMENT.astimezone(ZoneInfo("America/New_York")), "Z ZZ z", moment=True)
        == "-05:00 -0500 EST"
    )


@pytest.mark.parametrize(
    ("text", "notation", "moment", "expected"),
    [
        ("15/03/2024", "dd/MM/yyyy", False, "2024-03-15T00:00:00+00:00"),
        ("15/03/2024 3:05 PM", "DD/MM/YYYY h:mm A", True, "2024-03-15T15:05:00+00:00"),
        ("12:30 am 1.2.24", "h:mm a d.M.yy", False, "2024-02-01T00:30:00+00:00"),
        ("Tuesday, March 5th 2024", "dddd, MMMM Do YYYY", True, "2024-03-05T00:00:00+00:00"),
        ("2024-03-05T10:00:00+05:30", "yyyy-MM-dd'T'HH:mm:ssZZ", False, "2024-03-05T10:00:00+05:30"),
        ("1709681400", "X", True, "2024-03-05T23:30:00+00:00"),
        ("20240305", "yyyyMMdd", False, "2024-03-05T00:00:00+00:00"),
    ],
)
def test_reading(text: str, notation: str, moment: bool, expected: str) -> None:
    found = read(text, notation, UTC, moment=moment)
    assert found is not None
    assert found.isoformat() == expected


@pytest.mark.parametrize(
    ("text", "notation"),
    [("32/01/2024", "dd/MM/yyyy"), ("x", "yyyy"), ("2024-1", "yyyy-MM-dd"), ("7", "X"), ("", "yyyy")],
)
def test_what_does_not_fit(text: str, notation: str) -> None:
    assert read(text, notation, UTC) is None


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001 - the zone follows
def test_what_was_written_can_be_read(naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC, microsecond=naive.microsecond // 1000 * 1000)
    for notation, other in (("yyyy-MM-dd HH:mm:ss.SSS ZZ", False), ("MMMM Do YYYY, h:mm:ss.SSS A Z", True)):
        assert read(formatted(moment, notation, moment=other), notation, UTC, moment=other) == moment
