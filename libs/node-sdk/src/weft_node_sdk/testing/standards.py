"""What every node must meet. A package of nodes runs it by one line in a test module:

from weft_node_sdk.testing.standards import *
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import orjson
import pytest

from weft_node_sdk.catalogue import Catalogue, installed_packages
from weft_node_sdk.context import NodeRunError, Outputs, Suspend
from weft_node_sdk.credentials import authentication, fill
from weft_node_sdk.definition import CredentialDefinition, NodeDefinition, Property
from weft_node_sdk.index import build
from weft_node_sdk.testing.cases import check_case, context, exact, fail_at, has_expressions, load_cases
from weft_node_sdk.testing.fake import Cancelled, FakeContext
from weft_node_sdk.whole import readable, told

__all__ = [
    "test_a_cancel_ends_the_run",
    "test_a_case_holds",
    "test_a_failed_expression_is_the_item_s_error",
    "test_credentials_are_complete",
    "test_credentials_are_tried_where_they_may_be_sent",
    "test_definition_is_complete",
    "test_empty_input_is_no_fault",
    "test_icon_is_a_plain_drawing",
    "test_imports_have_no_side_effects",
    "test_index_is_fresh",
    "test_items_whose_data_is_no_object_are_no_fault",
    "test_many_items_pass",
    "test_nothing_is_imported_before_it_runs",
    "test_texts_of_credentials_name_their_fields",
    "test_unknown_parameters_are_found",
    "test_versions_are_known",
]

CATALOGUE = Catalogue.load()
PACKAGES = list(installed_packages())
FOLDERS: dict[str, Path] = {}
for _, _folder in PACKAGES:
    for _path in sorted(_folder.glob("*/definition.json")):
        FOLDERS[orjson.loads(_path.read_bytes())["type"]] = _path.parent
EXECUTABLE = [name for name in FOLDERS if CATALOGUE.executable(name)]
CASES = [(name, case) for name, folder in FOLDERS.items() for case in load_cases(folder)]
EVALUATED = [
    (name, case) for name, case in CASES if "error" not in case and has_expressions(case["parameters"])
]
MANY = 10_000
SHAPES = {"svg", "g", "path", "circle", "rect", "ellipse", "line", "polygon"}


def _properties(listed: list[Property], prefix: str = "") -> Iterator[tuple[str, Property]]:
    for declared in listed:
        path = f"{prefix}{declared.name}"
        yield path, declared
        yield from _properties(declared.fields, f"{path}.")
        for group in declared.groups:
            yield from _properties(group.fields, f"{path}.{group.name}.")


@pytest.mark.parametrize("name", FOLDERS)
def test_definition_is_complete(name: str) -> None:
    definition = NodeDefinition.model_validate_json((FOLDERS[name] / "definition.json").read_bytes())
    assert definition.display_name
    assert definition.description.endswith(".")
    versions = [version for group in definition.versions for version in group.versions]
    assert len(versions) == len(set(versions)), "a version belongs to two groups"
    assert definition.default_version in versions
    for group in definition.versions:
        for path, declared in _properties(group.properties):
            assert declared.display_name, path
            assert len(declared.description) > 5, f"{path} is not described"
            assert declared.description.endswith("."), path
            if declared.type in {"options", "multiOptions"}:
                assert declared.options or declared.loader, f"{path} has no options"
            if declared.options and declared.type == "options" and declared.default is not None:
                values = [option.value for option in declared.options]
                assert declared.default in values, f"{path}: the default is none of the options"


@pytest.mark.parametrize("name", FOLDERS)
def test_icon_is_a_plain_drawing(name: str) -> None:
    icon = CATALOGUE.icon(name)
    assert len(icon) < 4096
    root = ET.fromstring(icon)  # noqa: S314 - our own file
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    for element in root.iter():
        assert element.tag.rpartition("}")[2] in {
            "svg",
            "g",
            "path",
            "circle",
            "rect",
            "ellipse",
            "line",
            "polygon",
        }
        assert not any(key.lower().startswith("on") or "href" in key for key in element.attrib)


@pytest.mark.parametrize("package", [name for name, _ in PACKAGES])
def test_index_is_fresh(package: str) -> None:
    folder = dict(PACKAGES)[package]
    assert (folder / "index.json").read_bytes() == build(folder), (
        f"run: python -m weft_node_sdk.index {package}"
    )


@pytest.mark.parametrize("name", FOLDERS)
def test_versions_are_known(name: str) -> None:
    alias = CATALOGUE.resolve(name)
    assert alias
    for version in CATALOGUE.versions(name):
        node = {"name": "N", "type": alias, "typeVersion": version, "parameters": {}}
        assert CATALOGUE.traits(node).known
        defaults = CATALOGUE.defaults(alias, version)
        assert CATALOGUE.fill_defaults(alias, version, defaults) == defaults, (
            "filling twice changes something"
        )
        issues = CATALOGUE.check({"nodes": [{**node, "parameters": defaults}]})
        assert not [issue for issue in issues if issue.code != "MISSING_CREDENTIAL"]
    assert not CATALOGUE.traits({"type": alias, "typeVersion": 9999}).known


@pytest.mark.parametrize("name", FOLDERS)
def test_unknown_parameters_are_found(name: str) -> None:
    version = CATALOGUE.versions(name)[-1]
    node = {"name": "N", "type": name, "typeVersion": version, "parameters": {"noSuchParameter": 1}}
    found = [
        issue.parameter for issue in CATALOGUE.check({"nodes": [node]}) if issue.code == "UNKNOWN_PARAMETER"
    ]
    assert found == ["noSuchParameter"]


def test_credentials_are_complete() -> None:
    for entry in CATALOGUE.credential_types():
        definition = CredentialDefinition.model_validate(entry)
        for path, declared in _properties(definition.fields):
            assert declared.description, f"{definition.type}.{path} is not described"
        assert any(declared.secret for declared in definition.fields), definition.type


def test_texts_of_credentials_name_their_fields() -> None:
    for entry in CATALOGUE.credential_types():
        known = {each["name"] for each in entry["fields"]}
        known |= {"access_token"} if entry.get("sign_in") == "oauth2" else set()
        texts = [entry.get(part) for part in ("authenticate", "hosts", "test")]
        texts += [each.get("default") for each in entry["fields"] if each["type"] == "hidden"]
        named = set(re.findall(r"\{(\w+)\}", orjson.dumps(texts).decode()))
        assert named <= known, entry["type"]
        assert CATALOGUE.credential_check(entry["type"]) is None or entry["test"]["run"]


@pytest.mark.parametrize(
    "entry",
    [each for each in CATALOGUE.credential_types() if (each.get("test") or {}).get("request")],
    ids=lambda entry: str(entry["type"]),
)
def test_credentials_are_tried_where_they_may_be_sent(entry: dict[str, Any]) -> None:
    given = {
        each["name"]: "https://service.example"
        for each in entry["fields"]
        if each.get("required") and each.get("default") is None and not each.get("secret")
    }
    found = authentication(entry, given)
    url = fill(entry["test"]["request"]["url"], found.secret)
    assert url.startswith("https://"), url
    if "https://https" not in url:  # a part of an address, which the example above is not
        found.check(url)


def _python(source: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_nothing_is_imported_before_it_runs() -> None:
    _python(
        "import sys\n"
        "from weft_node_sdk.catalogue import Catalogue, installed_packages\n"
        "catalogue = Catalogue.load()\n"
        "for entry in catalogue.list():\n"
        "    catalogue.traits({'type': entry['type'], 'typeVersion': entry['default_version'], 'parameters': {}})\n"
        "    catalogue.definition(entry['type'])\n"
        "loaded = [name for name, _ in installed_packages() if name in sys.modules]\n"
        "assert not loaded, loaded\n"
        "assert 'pydantic' not in sys.modules\n"
    )


def test_imports_have_no_side_effects() -> None:
    _python(
        "import builtins, io, socket, subprocess, threading\n"
        "from weft_node_sdk.catalogue import Catalogue\n"
        "def refuse(*args, **kwargs):\n"
        "    raise AssertionError(f'at import: {args}')\n"
        "plain = builtins.open\n"
        "def reading(file, mode='r', *args, **kwargs):\n"
        "    assert not set(mode) & set('wax+'), file\n"
        "    return plain(file, mode, *args, **kwargs)\n"
        "socket.socket.connect = socket.getaddrinfo = subprocess.Popen.__init__ = refuse\n"
        "builtins.open = reading\n"
        "catalogue = Catalogue.load()\n"
        f"for name in {EXECUTABLE!r}:\n"
        "    catalogue.implementation(name)\n"
        "assert threading.active_count() == 1\n"
    )


def _id(value: Any) -> str:
    return f"{value['version']:g}-{value['name']}" if isinstance(value, dict) else str(value)


@pytest.mark.parametrize(("name", "case"), CASES, ids=_id)
async def test_a_case_holds(name: str, case: Mapping[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(NodeRunError) as caught:
            await CATALOGUE.implementation(name)(context(CATALOGUE, name, case))
        assert case["error"] in caught.value.message
        return
    await check_case(CATALOGUE, name, case)


def _checked(outputs: Outputs | Suspend, data: type = Mapping) -> None:
    """Whether it has the shape of a node's answer."""
    if isinstance(outputs, Suspend):
        return
    for items in outputs:
        for item in items:
            assert isinstance(item["json"], data)
    exact([[{**item, "json": told(item["json"])} for item in items] for items in outputs])


async def _run(name: str, ctx: FakeContext, data: type = Mapping) -> None:
    try:
        _checked(await CATALOGUE.implementation(name)(ctx), data)
    except NodeRunError as error:
        assert error.message  # noqa: PT017 - a node may refuse, in words


@pytest.mark.parametrize("name", EXECUTABLE)
async def test_empty_input_is_no_fault(name: str) -> None:
    for version in CATALOGUE.versions(name):
        node = {"type": name, "typeVersion": version, "parameters": {}}
        count = max(CATALOGUE.traits(node).inputs, 1)
        given = CATALOGUE.defaults(name, version)
        await _run(name, FakeContext(given, [[] for _ in range(count)], version=version, type=name))
        await _run(name, FakeContext(given, [[{"json": {}}], [{"json": {}}]], version=version, type=name))


WHOLES = [{"json": value} for value in ([{"id": 1}, {"id": 2}], [1, "two", None], 5, "text", None)]
"""Items as HTTP Request makes them of answers that are no objects."""


@pytest.mark.parametrize("name", EXECUTABLE)
async def test_items_whose_data_is_no_object_are_no_fault(name: str) -> None:
    for case in [{"version": CATALOGUE.versions(name)[-1]}, *load_cases(FOLDERS[name])]:
        items = readable(WHOLES)
        inputs = [items for _ in case.get("inputs", [[]])]
        ctx = context(CATALOGUE, name, case, inputs=inputs, on_error="continueRegularOutput")
        await _run(name, ctx, object)
        assert [told(item["json"]) for item in items] == [item["json"] for item in WHOLES], "it changed them"


def _many(name: str) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """Each case that gives outputs, its first items repeated until there are many."""
    for case in load_cases(FOLDERS[name]):
        if "error" not in case and case.get("inputs", [[]])[0]:
            items = case["inputs"][0]
            yield case, [(items * (MANY // len(items) + 1))[:MANY]]


@pytest.mark.parametrize("name", EXECUTABLE)
async def test_many_items_pass(name: str) -> None:
    for case, inputs in list(_many(name))[:2]:
        await _run(name, context(CATALOGUE, name, {**case, "inputs": inputs}))


@pytest.mark.parametrize("name", EXECUTABLE)
async def test_a_cancel_ends_the_run(name: str) -> None:
    version = CATALOGUE.versions(name)[-1]
    case = next(iter(load_cases(FOLDERS[name])), {"version": version})
    items = [{"json": {"a": index}} for index in range(10)]
    ctx = context(
        CATALOGUE, name, case, inputs=[items], evaluate_value=lambda value, *_: value, cancel_after=0
    )
    with pytest.raises(Cancelled):
        await CATALOGUE.implementation(name)(ctx)


@pytest.mark.parametrize(("name", "case"), EVALUATED, ids=_id)
async def test_a_failed_expression_is_the_item_s_error(name: str, case: Mapping[str, Any]) -> None:
    run = CATALOGUE.implementation(name)
    strict = context(CATALOGUE, name, case, evaluate_value=fail_at(0), on_error="stopWorkflow")
    with pytest.raises(NodeRunError) as caught:
        await run(strict)
    assert caught.value.code == "EXPRESSION_ERROR"
    for on_error in ("continueRegularOutput", "continueErrorOutput"):
        ctx = context(CATALOGUE, name, case, evaluate_value=fail_at(0), on_error=on_error)
        _checked(await run(ctx))
