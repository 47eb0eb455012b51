"""The syntax of scripts and expressions, as a node-runner's evaluators see it."""

import logging
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from weft_contracts.errors import WeftError
from weft_contracts.pb import node_runner_pb2 as pb
from weft_contracts.rpc.node_runner import NodeTools
from weft_kit.rpc import deadline

log = logging.getLogger("weft.store")

KEPT: Final = 10_000
"""Texts whose answer is remembered: a draft is saved again and again with the same ones."""
_SECONDS: Final = 2.0
_SILENT_SECONDS: Final = 30.0
"""How long nobody is asked after nobody has answered: a document is stored without this check."""

Text = tuple[str, str]


class RunnerSyntax:
    """Implements Syntax."""

    def __init__(self, tools: NodeTools) -> None:
        self._tools = tools
        self._known: OrderedDict[Text, str] = OrderedDict()
        self._silent_until = 0.0

    async def check(self, texts: Sequence[Text]) -> list[str]:
        unknown = [text for text in dict.fromkeys(texts) if text not in self._known]
        if unknown and time.monotonic() >= self._silent_until:
            await self._ask(unknown)
        return [self._known.get(text, "") for text in texts]

    async def _ask(self, texts: Sequence[Text]) -> None:
        scripts = [
            pb.Script(text=text, code=language == "javascript", python=language == "python")
            for text, language in texts
        ]
        try:
            with deadline(_SECONDS):
                answer = await self._tools.CheckSyntax(pb.CheckSyntaxRequest(scripts=scripts))
        except WeftError as error:
            self._silent_until = time.monotonic() + _SILENT_SECONDS
            log.warning("syntax is not checked: %s", error.message)
            return
        self._known.update(zip(texts, answer.errors, strict=True))
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
