"""Evaluator processes: V8 behind a jail, reached over a socket pair."""

from typing import Literal


class EvaluatorPool:
    """`processes` jailed processes. kind "expressions": many warm isolates (one per project) in each; "code": one
    project at a time per process, started at first use."""

    def __init__(
        self,
        processes: int = 1,
        kind: Literal["expressions", "code"] = "expressions",
        *,
        timeout: float = 5.0,
        memory_mb: int = 256,
    ) -> None:
        raise NotImplementedError

    async def start(self) -> None:
        """Starts the processes of kind "expressions"; "code" starts lazily."""

    async def stop(self) -> None:
        """Kills them; what is running fails."""

    async def run(self, project_id: str, request: bytes, *, timeout: float | None = None) -> bytes:
        """One request (JSON) to its answer (JSON). Requests of one project that queue up share a crossing."""
        raise NotImplementedError
