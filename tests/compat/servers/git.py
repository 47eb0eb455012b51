"""Git: a repository and the one it was cloned from, both on this machine."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.compat.cases.build import Case, named, node
from tests.compat.servers.served import Served, chain

ROOT = "/compat-repositories"
"""Stands for the folder of both."""
WORK = f"{ROOT}/work"
_AT = "2024-02-29T10:00:00+00:00"
_ENV = {
    **{
        f"GIT_{who}_{what}": text
        for who in ("AUTHOR", "COMMITTER")
        for what, text in (("NAME", "Ada"), ("EMAIL", "ada@x.org"), ("DATE", _AT))
    },
    "GIT_CONFIG_NOSYSTEM": "1",
}
_SETUP = """
git init -q -b main first; cd first
echo one > a.txt; git add .; git commit -qm First
echo two >> a.txt; mkdir sub; echo x > sub/b.txt; git add .; git commit -qm "Second: a, b" -m "More of it"
git branch side; cd ..
git clone -q --bare first origin.git; rm -rf first
git clone -q origin.git work; cd work
git config user.name Ada; git config user.email ada@x.org
"""


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    root = folder / "repositories"

    def reset() -> None:
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        env = {"PATH": os.environ["PATH"], "HOME": str(root), **_ENV}
        subprocess.run(["sh", "-ec", _SETUP], cwd=root, env=env, check=True)

    masks = [
        (r"\b(?!4b825dc)[0-9a-f]{40}\b", "<commit>"),
        (r"(?<=[\"( .])[0-9a-f]{7}(?=[\"). ])", "<short>"),
        (r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d ?[-+Z]?(\d\d:?\d\d)?", "<time>"),
    ]
    yield Served({}, reset, {ROOT: str(root)}, masks)


def _node(
    operation: str, parameters: Mapping[str, Any], name: str = "Node", version: float = 1, **extra: Any
) -> dict[str, Any]:
    given = {"operation": operation, "repositoryPath": WORK, "options": {}, **parameters}
    return node(name, "git", version, given, 1, onError="continueRegularOutput", **extra)


def cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    status = _node("status", {}, "Status")
    log = _node("log", {}, "Log")
    text = {"operation": "toText", "sourceProperty": "t", "options": {}}

    def written(path: str) -> list[dict[str, Any]]:
        """Nodes that put a file into the repository."""
        write = {"operation": "write", "fileName": f"{WORK}/{path}", "options": {}}
        return [
            node("Text", "convertToFile", 1.1, text, 2),
            node("Write", "readWriteFile", 1, write, 3),
        ]

    def add(name: str, *nodes: Mapping[str, Any]) -> None:
        found[name] = chain(*nodes, rows=[{"t": "text", "n": 1}])

    add("log", log)
    for name, parameters in named(
        {"limit": {"limit": 1}, "all": {"returnAll": True}, "file": {"options": {"file": "sub/b.txt"}}}
    ):
        add(f"log {name}", _node("log", parameters))
    add("status clean", status)
    add("status changed", *written("a.txt"), status)
    add("status new", *written("c.txt"), status)
    add("add", *written("c.txt"), _node("add", {"pathsToAdd": "c.txt"}), status)
    add("add missing", _node("add", {"pathsToAdd": "none.txt"}))
    add(
        "commit",
        *written("c.txt"),
        _node("add", {"pathsToAdd": "c.txt"}, "Add"),
        _node("commit", {"message": "=Made {{ 1 + 1 }}"}),
        log,
    )
    add(
        "commit of paths",
        *written("a.txt"),
        _node("commit", {"message": "M", "options": {"pathsToAdd": "a.txt"}}),
        log,
    )
    add("commit nothing", _node("commit", {"message": "M"}), log)
    add(
        "push",
        *written("c.txt"),
        _node("add", {"pathsToAdd": "c.txt"}, "Add"),
        _node("commit", {"message": "M"}, "Commit"),
        _node("push", {}),
        status,
    )
    add("push nothing", _node("push", {}))
    add("pull nothing", _node("pull", {}))
    add("fetch", _node("fetch", {}))
    add("tag", _node("tag", {"name": "v1"}), _node("pushTags", {}, "Tags"))
    add("tag twice", _node("tag", {"name": "v1"}, "First"), _node("tag", {"name": "v1"}))
    for name, parameters in named(
        {
            "new": {"branchName": "fresh"},
            "there": {"branchName": "side"},
            "not made": {"branchName": "fresh", "options": {"createBranch": False}},
        }
    ):
        add(f"switchBranch {name}", _node("switchBranch", parameters, version=1.1), status)
    add("addConfig", _node("addConfig", {"key": "user.name", "value": "Bob"}, version=1.1), status)
    add("reflog", _node("reflog", {}, version=1.1))
    add("no repository", _node("log", {"repositoryPath": ROOT}))
    return found
