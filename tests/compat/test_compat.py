"""Every case gives here what it gave in n8n, or known.json says why not."""

from collections.abc import Mapping
from typing import Any

import pytest

from scripts import gen_compat
from tests.compat import goldens, known
from tests.compat.cases import CASES, webhooks
from tests.compat.hooks import GROUP
from tests.compat.run import golden, here

KNOWN = known.read()


@pytest.mark.parametrize("group", CASES)
@pytest.mark.timeout(600)
async def test_a_group_runs_as_in_n8n(group: str) -> None:
    recorded, wrong = goldens.read(group), {}
    async with here() as session:
        for name, case in CASES[group].items():
            if name in KNOWN.get(group, {}):
                continue
            if lines := list(goldens.differences(case, recorded[name], await golden(session, case))):
                wrong[name] = lines
    assert wrong == {}


def test_every_recording_is_of_the_case_as_it_is() -> None:
    stale = [
        f"{group} / {name}"
        for group, cases in CASES.items()
        for name, case in cases.items()
        if goldens.read(group).get(name, {}).get("of") != goldens.mark(case)
    ]
    assert stale == []


def test_known_cases_exist_and_have_reasons() -> None:
    every: Mapping[str, Mapping[str, Any]] = {**CASES, GROUP: webhooks.cases()}
    lost = [
        (group, name) for group, cases in KNOWN.items() for name in cases if name not in every.get(group, {})
    ]
    assert lost == []
    assert all(len(reason) > 10 for cases in KNOWN.values() for reason in cases.values())
    assert sum(map(len, CASES.values())) >= 700


@pytest.mark.parametrize(
    ("there", "here", "equal"),
    [
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": True}, False),
        ({"error": "x", "b": 1}, {"error": "y", "b": 1}, True),
        ({"error": "x"}, {"error": None}, False),
        ({"a": [1, {"b": None}]}, {"a": [1, {}]}, False),
    ],
)
def test_comparison(there: Any, here: Any, equal: bool) -> None:
    assert goldens.same(there, here) is equal


def test_the_document_says_what_is_known() -> None:
    assert gen_compat.DOCUMENT.read_text(encoding="utf-8") == gen_compat.text()
