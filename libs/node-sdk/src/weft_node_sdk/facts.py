"""Traits and ports of one node in one workflow, from the index entry of its type and its raw parameters."""

from collections.abc import Iterable, Mapping
from typing import Any

from weft_contracts.traits import Traits

from weft_node_sdk.display import fulfils

_FLAGS = ("idempotency", "suspends", "waits_for_all", "loops", "responds")


def values_at(parameters: Mapping[str, Any], path: str) -> list[Any]:
    """What lies at a dotted path; a list on the way stands for each of its members."""
    found: list[Any] = [parameters]
    for part in path.split("."):
        step: list[Any] = []
        for holder in found:
            if isinstance(holder, Mapping) and part in holder:
                value = holder[part]
                step.extend(value) if isinstance(value, list) else step.append(value)
        found = step
    return found


class NodeFacts:
    """One version group of a type. `defaults` are those of the parameters that rules look at."""

    __slots__ = ("_defaults", "_fixed", "_inputs", "_outputs", "_pool", "_traits", "_trigger", "version")

    def __init__(self, entry: Mapping[str, Any], group: Mapping[str, Any], version: float) -> None:
        self.version = version
        self._trigger = bool(entry["trigger"])
        self._pool: str = entry["pool"]
        self._traits: list[Mapping[str, Any]] = entry["traits"]
        self._inputs: list[Mapping[str, Any]] = group["inputs"]
        self._outputs: list[Mapping[str, Any]] = group["outputs"]
        self._defaults: Mapping[str, Any] = group["defaults"]
        rules = [*self._traits, *self._inputs, *self._outputs]
        varies = any(
            any(key != "@version" for key in rule.get("when", ()))
            or rule.get("number_of")
            or rule.get("list_of")
            or rule.get("extra")
            for rule in rules
        )
        self._fixed = None if varies else self._evaluate({})

    def traits(self, parameters: Mapping[str, Any]) -> Traits:
        return self._fixed or self._evaluate(parameters)

    def inputs(self, parameters: Mapping[str, Any]) -> list[str]:
        """The labels of the main inputs; an empty text for a plain one."""
        return self._ports(self._inputs, parameters)

    def outputs(self, parameters: Mapping[str, Any]) -> list[str]:
        return self._ports(self._outputs, parameters)

    def _evaluate(self, parameters: Mapping[str, Any]) -> Traits:
        flags: dict[str, Any] = {}
        for change in self._traits:
            if self._holds(change.get("when", {}), parameters):
                flags.update((name, change[name]) for name in _FLAGS if name in change)
        return Traits(
            trigger=self._trigger,
            pool=self._pool,
            inputs=len(self.inputs(parameters)),
            outputs=len(self.outputs(parameters)),
            **flags,
        )

    def _value(self, parameters: Mapping[str, Any], path: str) -> list[Any]:
        return values_at(parameters, path) or values_at(self._defaults, path)

    def _holds(self, when: Mapping[str, list[Any]], parameters: Mapping[str, Any]) -> bool:
        for key, wanted in when.items():
            found = [self.version] if key == "@version" else self._value(parameters, key)
            if not any(fulfils(value, wanted) for value in found):
                return False
        return True

    def _ports(self, rules: Iterable[Mapping[str, Any]], parameters: Mapping[str, Any]) -> list[str]:
        rule = next((rule for rule in rules if self._holds(rule.get("when", {}), parameters)), None)
        if rule is None:
            return []
        labels: list[str] = list(rule.get("labels", ()))
        default = rule.get("default", 0)
        if path := rule.get("number_of"):
            number = next(iter(self._value(parameters, path)), default)
            amount = int(number) if isinstance(number, int | float) and 0 <= number <= 100 else default
            labels += [str(index) for index in range(amount)]
        elif path := rule.get("list_of"):
            entries = self._value(parameters, path) or [None] * default
            key = rule.get("label_key", "")
            for index, entry in enumerate(entries):
                name = entry.get(key) if isinstance(entry, Mapping) else entry
                labels.append(name if isinstance(name, str) and name else str(index))
        for extra in rule.get("extra", ()):
            if self._holds(extra["when"], parameters):
                name = next(iter(values_at(parameters, extra.get("label_from", ""))), "")
                labels.append(name if isinstance(name, str) and name else extra["label"])
        return labels
