"""`weft run`: a workflow file without a server."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from weft_cli.main import cli


def write(folder: Path, *nodes: dict[str, Any], **more: Any) -> Path:
    """A chain from a manual trigger."""
    chain = [{"name": "Start", "type": "n8n-nodes-base.manualTrigger"}, *nodes]
    links = {
        first["name"]: {"main": [[{"node": second["name"], "type": "main", "index": 0}]]}
        for first, second in itertools.pairwise(chain)
    }
    for node in chain:
        node |= {"typeVersion": node.get("typeVersion", 1), "position": [0, 0]}
        node.setdefault("parameters", {})
    file = folder / "workflow.json"
    file.write_text(json.dumps({"nodes": chain, "connections": links, **more}))
    return file


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["run", *map(str, arguments)])


LIMIT = {"name": "Two", "type": "n8n-nodes-base.limit", "parameters": {"maxItems": 2}}
STOP = {
    "name": "Stop",
    "type": "n8n-nodes-base.stopAndError",
    "parameters": {"errorMessage": "=no {{ $json.n }}"},
}


def test_items_of_the_last_node_are_printed_a_line_each(tmp_path: Path) -> None:
    given = tmp_path / "items.json"
    given.write_text('[{"n": 1}, {"json": {"n": 2}}, {"n": 3}]')
    result = run(write(tmp_path, LIMIT), "--input", given)
    assert result.exit_code == 0, result.output
    assert [json.loads(line) for line in result.stdout.splitlines()] == [{"n": 1}, {"n": 2}]


def test_one_object_is_one_item_and_none_is_an_empty_one(tmp_path: Path) -> None:
    given = tmp_path / "item.json"
    given.write_text('{"n": 1}')
    file = write(tmp_path, LIMIT)
    assert json.loads(run(file, "--input", given).stdout) == {"n": 1}
    assert json.loads(run(file).stdout) == {}


def test_json_tells_of_success_and_failure(tmp_path: Path) -> None:
    good = run(write(tmp_path, LIMIT), "--json")
    assert good.exit_code == 0
    assert json.loads(good.stdout) == {"status": "success", "last_node": "Two", "error": None, "items": [{}]}
    given = tmp_path / "items.json"
    given.write_text('[{"n": 7}]')
    bad = run(write(tmp_path, STOP), "--json", "--input", given)
    assert bad.exit_code == 1
    told = json.loads(bad.stdout)
    assert (told["status"], told["error"]["message"], told["error"]["node"]) == ("error", "no 7", "Stop")


def test_a_failure_goes_to_stderr(tmp_path: Path) -> None:
    result = run(write(tmp_path, STOP))
    assert result.exit_code == 1
    assert result.stderr.startswith("Stop: no")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"nodes": []}', '{"nodes": 7}', '"text"'])
def test_what_can_not_run_is_2(tmp_path: Path, text: str) -> None:
    file = tmp_path / "workflow.json"
    file.write_text(text)
    result = run(file)
    assert result.exit_code == 2, result.output
    assert str(file) in result.stderr


@pytest.mark.parametrize("text", ["{", "[1]", "7", '["x"]'])
def test_items_of_the_wrong_form_are_2(tmp_path: Path, text: str) -> None:
    given = tmp_path / "items.json"
    given.write_text(text)
    result = run(write(tmp_path, LIMIT), "--input", given)
    assert result.exit_code == 2, result.output
    assert str(given) in result.stderr


def test_wrong_arguments_are_2() -> None:
    assert run("no-such-file.json").exit_code == 2
    assert run(__file__, "--input", Path(__file__).parent).exit_code == 2
    assert CliRunner().invoke(cli, ["nonsense"]).exit_code == 2
