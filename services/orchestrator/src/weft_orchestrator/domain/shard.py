"""How far the messages of a shard have been taken in."""

from weft_contracts import topics

Positions = tuple[int, int]
"""Next offsets of execution.commands and node.results."""


class Shard:
    """`next`: offsets up to which everything was taken in; `open`: earlier ones that still wait for something;
    `recovered`: all results that were there at the takeover have been read, and what ran goes on."""

    __slots__ = ("epoch", "next", "number", "open", "recovered")

    def __init__(self, number: int, epoch: int, positions: Positions) -> None:
        self.number = number
        self.epoch = epoch
        self.next = {topics.EXECUTION_COMMANDS: positions[0], topics.NODE_RESULTS: positions[1]}
        self.open: dict[str, set[int]] = {topics.EXECUTION_COMMANDS: set(), topics.NODE_RESULTS: set()}
        self.recovered = False

    def position(self, topic: str) -> int:
        waiting = self.open[topic]
        return min(waiting) if waiting else self.next[topic]

    @property
    def positions(self) -> Positions:
        return self.position(topics.EXECUTION_COMMANDS), self.position(topics.NODE_RESULTS)
