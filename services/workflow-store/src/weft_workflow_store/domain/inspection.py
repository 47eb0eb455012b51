"""What is wrong with a document that can be stored all the same: it runs up to the faulty part."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import msgspec
from weft_engine.graph import Graph
from weft_expressions.syntax import possible
from weft_expressions.template import compile_value
from weft_node_sdk.catalogue import Catalogue

from weft_workflow_store.domain.document import Document

MOST: Final = 1_000
"""Issues kept of one document."""


class Issue(msgspec.Struct, frozen=True, omit_defaults=True):
    """`code`: those of the catalogue (UNKNOWN_NODE_TYPE, …) and of the graph (DANGLING_CONNECTION,
    DUPLICATE_NAME, …), INVALID_EXPRESSION, INVALID_CODE, INVALID_TIMEZONE, MISSING_CREDENTIAL, MORE_ISSUES."""

    code: str
    message: str
    node: str = ""
    node_type: str = ""
    parameter: str = ""


def inspect(document: Document, catalogue: Catalogue) -> list[Issue]:
    """Everything that the document alone tells."""
    types = {node["name"]: node["type"] for node in reversed(document.nodes)}
    found = [
        Issue(issue.code, issue.message, issue.node, issue.node_type, issue.parameter)
        for issue in catalogue.check(document.json)
    ]
    for graph_issue in Graph.compile(document.json, catalogue.traits).issues:
        kind = types.get(graph_issue.node, "")
        found.append(Issue(graph_issue.code, graph_issue.message, graph_issue.node, kind))
    found += _expressions(document)
    try:
        _ = document.timezone
    except ValueError as error:
        found.append(Issue("INVALID_TIMEZONE", str(error), parameter="settings.timezone"))
    return found


class Script(NamedTuple):
    """Something that a node has written in it: `language` is "expression" for a parameter's value with its `=`, or
    that of a script, "javascript" or "python"."""

    node: str
    node_type: str
    parameter: str
    text: str
    language: str


def scripts(document: Document, catalogue: Catalogue) -> list[Script]:
    """Those that only an engine of their language can judge."""
    found = []
    for node in document.nodes:
        name, kind = node["name"], node["type"]
        code = {parameter: rest for parameter, *rest in catalogue.scripts(node)}
        found += [Script(name, kind, parameter, *rest) for parameter, rest in code.items()]
        found += [
            Script(name, kind, path, text, "expression")
            for path, text in _templates(node.get("parameters") or {}, "")
            if path not in code and possible(text)
        ]
    return found


def syntax_issues(judged: Iterable[tuple[Script, str]]) -> list[Issue]:
    """Of scripts and what is wrong with them."""
    return [
        Issue(
            "INVALID_EXPRESSION" if script.language == "expression" else "INVALID_CODE",
            error,
            script.node,
            script.node_type,
            script.parameter,
        )
        for script, error in judged
        if error
    ]


def missing_credentials(document: Document, existing: set[str]) -> list[Issue]:
    """Credentials that nodes name and that are not in the project."""
    return [
        Issue(
            "MISSING_CREDENTIAL",
            f"There is no credential {name or id_!r} here.",
            node["name"],
            node["type"],
            kind,
        )
        for node, kind, id_, name in document.credentials()
        if id_ not in existing
    ]


def capped(issues: list[Issue]) -> list[Issue]:
    if len(issues) <= MOST:
        return issues
    return [*issues[:MOST], Issue("MORE_ISSUES", f"There are {len(issues) - MOST} more issues.")]


def _expressions(document: Document) -> Iterator[Issue]:
    for node in document.nodes:
        for path, text in _templates(node.get("parameters") or {}, ""):
            for failure in compile_value(text).failures:
                message = f"{failure.message} {failure.description}".strip()
                yield Issue("INVALID_EXPRESSION", message, node["name"], node["type"], path)


def _templates(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """(path, text) of every expression in a parameter tree."""
    if isinstance(value, str):
        if value.startswith("="):
            yield path, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _templates(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _templates(part, f"{path}[{number}]")
