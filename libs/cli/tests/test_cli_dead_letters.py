"""`weft dead-letters` on a folder. With brokers: libs/kit/tests/contract/test_kit_kafka.py."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from weft_cli.main import cli
from weft_contracts.ids import new_id
from weft_contracts.messages import CancelExecution, Envelope
from weft_kit.bus.letters import Letters


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WEFT_HOME", str(tmp_path))
    monkeypatch.delenv("WEFT_KAFKA_BROKERS", raising=False)
    return tmp_path


def weft(*words: str) -> Result:
    return CliRunner().invoke(cli, ["dead-letters", *words])


def test_letters_are_listed_shown_replayed_and_removed(home: Path) -> None:
    assert "no dead letters" in weft("list").output
    execution, kept = new_id(), Letters(home / "dead-letters")
    command = Envelope(new_id(), CancelExecution(execution, reason="enough"), execution)
    first, second, third = (
        kept.add("execution.commands", command, "ValueError('x')\nmore") for _ in range(3)
    )
    listed = json.loads(weft("list", "--json").output)
    assert {each["id"] for each in listed} == {first, second, third}
    assert listed[0]["type"] == "CancelExecution"
    assert listed[0]["key"] == execution
    assert listed[0]["error"] == "ValueError('x')"
    assert first in weft("list").output
    shown = json.loads(weft("show", first).output)
    assert shown["message"]["reason"] == "enough"
    assert shown["error"].endswith("more")
    assert "handled again" in weft("replay", first).output
    assert "removed" in weft("remove", second).output
    assert [each["id"] for each in json.loads(weft("list", "--json").output)] == [third]
    assert [path.name for path in (home / "dead-letters").glob("*/*.again")] == [f"{first}.again"]
    assert third in weft("remove", "--all").output
    assert "no dead letters" in weft("list").output


def test_what_is_not_there_or_not_said_is_refused(home: Path) -> None:
    Letters(home / "dead-letters").add(
        "execution.commands", Envelope(new_id(), CancelExecution("e"), "e"), "x"
    )
    for words, code in (
        (("remove",), 2),
        (("replay", "--all", "x"), 2),
        (("show", "nobody"), 1),
        (("remove", "x"), 1),
    ):
        result = weft(*words)
        assert result.exit_code == code, words
        assert result.stderr.startswith("weft: ")
    assert len(json.loads(weft("list", "--json").output)) == 1
