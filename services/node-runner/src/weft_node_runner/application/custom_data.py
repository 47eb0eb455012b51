"""What an execution keeps of itself (`$execution.customData`), as one segment sees and adds to it."""

from collections.abc import Mapping


class CustomData:
    """`values` is changed in place, by weft_expressions.custom_data alone."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = dict(values or {})
        self._told = dict(self.values)

    def changed(self) -> dict[str, str]:
        """What is new since the last call."""
        if self.values == self._told:
            return {}
        fresh = {key: text for key, text in self.values.items() if self._told.get(key) != text}
        self._told |= fresh
        return fresh
