"""What the documents name and each run has of its own: the stub's address and a folder for files."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.compat.cases.files import FOLDER
from tests.compat.stub import BASE, stub

Places = Mapping[str, str]
"""By the names in documents."""


@contextmanager
def places(folder: Path | None = None) -> Iterator[Places]:
    """Serves the stub. `folder`: one that exists, instead of a new one."""
    with TemporaryDirectory() as made, stub() as address:
        yield {BASE: f"http://{address}", FOLDER: str(folder or made)}


def given(value: Any, names: Places) -> Any:
    """With what is there in place of the names."""
    return _replaced(value, list(names.items()))


def named(value: Any, names: Places) -> Any:
    """With the names in place of what is there."""
    return _replaced(value, [(there, name) for name, there in names.items()])


def _replaced(value: Any, pairs: list[tuple[str, str]]) -> Any:
    text = json.dumps(value)
    for old, new in pairs:
        text = text.replace(old, new)
    return json.loads(text)
