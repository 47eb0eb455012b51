"""What in workflows, credentials and settings deserves a second look: the reports of n8n's security audit
(https://docs.n8n.io/security-audit/), from what Weft knows."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Report = dict[str, Any]
Place = dict[str, str]

CATEGORIES: Final = ("credentials", "database", "nodes", "filesystem", "instance")
ABANDONED_DAYS: Final = 90
"""A workflow that did not run for so long counts as abandoned, where the caller says nothing."""

_SQL: Final = frozenset(
    {
        "clickHouse",
        "crateDb",
        "googleBigQuery",
        "microsoftSql",
        "mySql",
        "oracleDatabase",
        "postgres",
        "questDb",
        "snowflake",
        "timescaleDb",
    }
)
_QUERIES: Final = ("query", "sqlQuery")
_FILES: Final = frozenset(
    {
        "git",
        "localFileTrigger",
        "readBinaryFile",
        "readBinaryFiles",
        "readPDF",
        "readWriteFile",
        "writeBinaryFile",
    }
)
_RISKY: Final = frozenset({"aiTransform", "code", "executeCommand", "function", "functionItem", "ssh"})
"""They run code or commands that the workflow's author wrote."""
_OFFICIAL: Final = ("n8n-nodes-base.", "@n8n/n8n-nodes-langchain.")
_ARGUMENT: Final = re.compile(r"\$\d+|\?|:\w+|@\w+")


@dataclass(frozen=True)
class Workflow:
    """`recent`: it ran in the time that is asked about. `nodes`: as its document has them."""

    id: str
    name: str
    active: bool
    recent: bool
    nodes: Sequence[Mapping[str, Any]]


@dataclass
class Findings:
    """Takes one workflow after the other and keeps only where something was found. `short`: our name of a node's type,
    None for one that is not installed."""

    short: Callable[[str], str | None]
    used: set[str] = field(default_factory=set)
    used_active: set[str] = field(default_factory=set)
    used_recently: set[str] = field(default_factory=set)
    places: dict[str, list[Place]] = field(default_factory=dict)

    def take(self, workflow: Workflow) -> None:
        for node in workflow.nodes:
            ids = {
                str(each["id"])
                for each in _object(node.get("credentials")).values()
                if isinstance(each, Mapping) and each.get("id")
            }
            self.used |= ids
            self.used_active |= ids if workflow.active else set()
            self.used_recently |= ids if workflow.active and workflow.recent else set()
            for what in self._about(node, active=workflow.active):
                self.places.setdefault(what, []).append(_place(workflow, node))

    def _about(self, node: Mapping[str, Any], *, active: bool) -> Iterable[str]:
        written = str(node.get("type") or "")
        kind = self.short(written)
        parameters = _object(node.get("parameters"))
        if not written.startswith(_OFFICIAL) and kind is None:
            yield "community"
        elif kind is None:
            yield "unknown"
        if kind in _RISKY:
            yield "risky"
        if kind in _FILES:
            yield "files"
        if kind in _SQL:
            yield from _of_query(parameters)
        if kind == "webhook" and active and parameters.get("authentication", "none") == "none":
            yield "webhook"

    def reports(
        self, credentials: Sequence[tuple[str, str]], settings: Mapping[str, Any], categories: Iterable[str]
    ) -> Report:
        """By n8n's titles; a report without findings is left out. `credentials`: ids and names. `settings`: those that
        open something, and are set so."""
        made = {
            "credentials": [
                _section(
                    title, said, advice, [_credential(*each) for each in credentials if each[0] not in used]
                )
                for (title, said, advice), used in zip(
                    _OF_CREDENTIALS, (self.used, self.used_active, self.used_recently), strict=True
                )
            ],
            **{
                category: [
                    _section(title, said, advice, self.places.get(what, []))
                    for what, (title, said, advice) in sections.items()
                ]
                for category, sections in _OF_NODES.items()
            },
        }
        if settings:
            title, said, advice = _OF_SETTINGS
            made["instance"].append({**_section(title, said, advice, []), "settings": dict(settings)})
        found: Report = {}
        for category in CATEGORIES:
            sections = [each for each in made[category] if each["location"] or "settings" in each]
            if category in categories and sections:
                found[f"{category.capitalize()} Risk Report"] = {"risk": category, "sections": sections}
        return found


def _of_query(parameters: Mapping[str, Any]) -> Iterable[str]:
    query = next((str(parameters[name]) for name in _QUERIES if parameters.get(name)), "")
    options = {**_object(parameters.get("additionalFields")), **_object(parameters.get("options"))}
    given = options.get("queryReplacement") or options.get("queryParams") or ""
    if query.startswith("=") and "{{" in query:
        yield "query"
    if isinstance(given, str) and given.startswith("="):
        yield "query parameters"
    if query and not given and _ARGUMENT.search(query):
        yield "no parameters"


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _place(workflow: Workflow, node: Mapping[str, Any]) -> Place:
    return {
        "kind": "node",
        "workflowId": workflow.id,
        "workflowName": workflow.name,
        "nodeId": str(node.get("id") or ""),
        "nodeName": str(node.get("name") or ""),
        "nodeType": str(node.get("type") or ""),
    }


def _credential(credential_id: str, name: str) -> Place:
    return {"kind": "credential", "id": credential_id, "name": name}


def _section(title: str, description: str, recommendation: str, location: list[Place]) -> Report:
    return {
        "title": title,
        "description": description,
        "recommendation": recommendation,
        "location": location,
    }


_DELETE: Final = "Delete the credentials that nobody needs."
_OF_CREDENTIALS: Final = (
    ("Credentials not used in any workflow", "No workflow names them.", _DELETE),
    ("Credentials not used in any active workflow", "No published workflow names them.", _DELETE),
    (
        "Credentials not used in recently executed workflows",
        "No published workflow that ran lately names them.",
        _DELETE,
    ),
)
_OF_NODES: Final[Mapping[str, Mapping[str, tuple[str, str, str]]]] = {
    "database": {
        "query": (
            'Expressions in "Execute Query" fields in SQL nodes',
            "What an expression gives becomes a part of the statement: items may hold SQL.",
            "Put values into query parameters.",
        ),
        "query parameters": (
            'Expressions in "Query Parameters" fields in SQL nodes',
            "Values come from items; a value with a comma may count as two.",
            "Give a list, and check what it holds.",
        ),
        "no parameters": (
            'Unused "Query Parameters" fields in SQL nodes',
            "The query has places for values, and none are given.",
            "Give the values as query parameters.",
        ),
    },
    "filesystem": {
        "files": (
            "Nodes that interact with the file system",
            "They read and write files of the machine.",
            "Keep WEFT_FILES_ALLOW narrow.",
        )
    },
    "nodes": {
        "risky": (
            "Official risky nodes",
            "They run code or commands that the workflow's author wrote.",
            "Look at what they run, and at who may change it.",
        ),
        "community": (
            "Community nodes",
            "Workflows name nodes of others' packages; they do not run here.",
            "Replace them.",
        ),
        "unknown": (
            "Unknown nodes",
            "Workflows name nodes that this installation does not have; they do not run here.",
            "Replace them.",
        ),
    },
    "instance": {
        "webhook": (
            "Unprotected webhooks in instance",
            "Whoever knows the address of these published webhooks can call them.",
            "Choose an authentication in the node.",
        )
    },
}
_OF_SETTINGS: Final = (
    "Security settings",
    "Settings that open something to more people, nodes or hosts than by default.",
    "Take back what is not needed.",
)
