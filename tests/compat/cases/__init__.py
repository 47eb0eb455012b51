"""Workflows of our own whose results n8n and Weft are compared by.

A case is a document and, where it calls others, the documents of those: `{"document", "workflows"}`. Group by group
they come from the tables of this package; `python -m tests.compat.cases GROUP NAME` prints one to import somewhere.
"""

from tests.compat.cases import (
    called,
    dates,
    engine,
    files,
    flows,
    http,
    images,
    keyed,
    older,
    shaping,
    single,
    texts,
    tools,
    triggers,
    turns,
    two_inputs,
)
from tests.compat.cases.build import Case

CASES: dict[str, dict[str, Case]] = {}
"""Group, then name."""

for table in (
    single,
    shaping,
    texts,
    dates,
    two_inputs,
    http,
    files,
    engine,
    called,
    turns,
    tools,
    flows,
    keyed,
    triggers,
    older,
    images,
):
    for group, cases in table.cases().items():
        CASES.setdefault(group, {}).update(cases)
