"""`=` parameter values: text with `{{ }}` segments."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Compiled:
    """A parameter value, any JSON tree, with its templates found and compiled."""

    constant: bool
    """No expression in it; `value` is it."""
    value: Any
    references: frozenset[str]
    """Names of nodes whose output it reads: `$('X')`, `$node["X"]`, `$items("X")`."""
    lineage: bool
    """It follows items back: `.item`, `.itemMatching()`, `.pairedItem()`, `$node[..]`."""
    past_runs: bool
    """It names a run by number, so older runs of `references` are needed."""
    dynamic_reference: bool
    """It computes a node's name: any node may be meant."""


def compile_value(value: Any) -> Compiled:
    """Never raises; what does not parse fails when evaluated."""
    raise NotImplementedError


def compile_text(text: str) -> Compiled:
    """A text whose `{{ }}` count without a leading `=` (HTML); undefined prints as "undefined"."""
    raise NotImplementedError
