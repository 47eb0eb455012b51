"""Keeps what the owner stands on: leases of shards, recovery after a takeover, due timers, error workflows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from weft_contracts import topics
from weft_contracts.errors import WeftError
from weft_contracts.ids import SHARDS
from weft_kit.telemetry.logs import fields

from weft_orchestrator.application.clock import now_us
from weft_orchestrator.application.dispatcher import TICK_SECONDS
from weft_orchestrator.application.owner import Owner
from weft_orchestrator.application.patience import patiently
from weft_orchestrator.application.ports import Executions, Shards
from weft_orchestrator.application.transitions import HORIZON
from weft_orchestrator.domain.shard import Positions, Shard

log = logging.getLogger("weft.orchestrator")

SHARD_SECONDS: Final = 6.0
RENEW_SECONDS: Final = 1.0
POLL_SECONDS: Final = 10.0
DAY_SECONDS: Final = 3600.0


class Keeper:
    """`follow_up`: starts the error workflow of an execution that failed."""

    def __init__(
        self,
        owner: Owner,
        shards: Shards,
        executions: Executions,
        follow_up: Callable[[str], Awaitable[None]],
        *,
        instance: str,
        exclusive: bool,
    ) -> None:
        self._owner = owner
        self._shards = shards
        self._executions = executions
        self._follow_up = follow_up
        self._instance = instance
        self._exclusive = exclusive
        self._renewed = 0.0
        self._tasks: list[asyncio.Task[Any]] = []
        self._following: set[asyncio.Task[Any]] = set()
        owner.committer.on_fenced = self._fenced
        owner.on_follow_up = self._failed

    async def start(self) -> None:
        """Raises UNAVAILABLE."""
        await self._shards.prepare()
        if self._exclusive:
            await self._take(await self._shards.claim_all(self._instance))
        else:
            await self._renew()
        spawn = asyncio.get_running_loop().create_task
        self._tasks = [
            spawn(self._guard(self._owner.inbox.read)),
            spawn(self._guard(self._owner.committer.write)),
            spawn(self._every(TICK_SECONDS, self._tick)),
            spawn(self._every(POLL_SECONDS, self._poll)),
            spawn(self._every(DAY_SECONDS, self._shards.prepare)),
        ]
        if not self._exclusive:
            self._tasks.append(spawn(self._every(RENEW_SECONDS, self._renew)))

    async def drain(self) -> None:
        """Gives everything to the others: what was taken in is committed, nothing new is read."""
        if not self._tasks:
            return
        reading, writing, *others = self._tasks
        await _end([reading, *others])
        await self._owner.committer.flush()
        await _end([writing])
        self._tasks = []
        if not self._exclusive:
            await self._shards.release(self._instance, list(self._owner.inbox.shards))
            await self._shards.leave(self._instance)

    async def stop(self) -> None:
        await _end([*self._tasks, *self._following])
        self._tasks = []
        await self._owner.close()

    def ready(self) -> str:
        broken = next((task for task in self._tasks if task.done()), None)
        if not self._tasks or broken is not None:
            return "not running"
        if not self._exclusive and asyncio.get_running_loop().time() - self._renewed > SHARD_SECONDS:
            return "the leases could not be renewed"
        return ""

    # --- leases ---------------------------------------------------------------------------------------------

    async def _renew(self) -> None:
        """Our leases, then our fair share: more where some are free, fewer where others have come. A lease that has
        run out while the database was away is still ours where nobody has claimed it: its epoch is the same."""
        began = asyncio.get_running_loop().time()
        members = await self._shards.renew(self._instance, SHARD_SECONDS)
        self._renewed = began
        self._owner.dispatcher.fleet.owners = max(1, members)
        held = await self._shards.held(self._instance)
        if self._owner.inbox.shards.keys() - held:
            await self._keep(held)
        if strange := held - self._owner.inbox.shards.keys():
            await self._shards.release(self._instance, sorted(strange))
            held -= strange
        share = -(-SHARDS // max(1, members))
        if len(held) > share:
            await self._give(sorted(held)[share:])
        elif len(held) < share:
            await self._take(await self._shards.claim(self._instance, share - len(held), SHARD_SECONDS))

    async def _give(self, numbers: list[int]) -> None:
        """What was taken in is committed first; then the others may have them."""
        kept = {n: shard for n, shard in self._owner.inbox.shards.items() if n not in numbers}
        await self._owner.committer.flush()
        await self._owner.assign(kept)
        await self._shards.release(self._instance, numbers)
        log.info("gave shards away", extra=fields(shards=len(numbers), left=len(kept)))

    async def _keep(self, held: set[int]) -> None:
        await self._owner.assign({n: shard for n, shard in self._owner.inbox.shards.items() if n in held})

    async def _fenced(self) -> None:
        """Only what the table says is ours."""
        while True:
            try:
                return await self._keep(await self._shards.held(self._instance))
            except WeftError:
                await asyncio.sleep(0.5)

    async def _take(self, claimed: Any) -> None:
        if not claimed:
            return
        taken: dict[int, Positions] = {n: positions for n, (_, positions) in claimed.items()}
        shards = {n: Shard(n, epoch, positions) for n, (epoch, positions) in claimed.items()}
        await self._owner.assign({**self._owner.inbox.shards, **shards})
        log.info("took shards over", extra=fields(shards=len(taken)))
        self._run(self._recover(shards))

    async def _recover(self, shards: dict[int, Shard]) -> None:
        """Reads the results that were there at the takeover, then goes on with what still runs."""
        if not self._exclusive:
            for number, shard in shards.items():
                end = await patiently(lambda n=number: self._owner.inbox.end_of_results(n))  # type: ignore[misc]
                await self._until(lambda s=shard, n=number, e=end: self._caught_up(s, n, e))  # type: ignore[misc]
        mine = [n for n, shard in shards.items() if self._owner.inbox.shards.get(n) is shard]
        unfinished = await patiently(lambda: self._executions.unfinished(mine))
        for number, execution_id in enumerate(unfinished):
            self._owner.resume(execution_id)
            if number % 50 == 49:
                await asyncio.sleep(0.05)
        for shard in shards.values():
            shard.recovered = True
        await patiently(self._poll)
        if unfinished:
            log.info("goes on with executions", extra=fields(executions=len(unfinished)))

    def _caught_up(self, shard: Shard, number: int, end: int) -> bool:
        return shard.next[topics.NODE_RESULTS] >= end or self._owner.inbox.shards.get(number) is not shard

    @staticmethod
    async def _until(condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110 - offsets are counted, not announced
            await asyncio.sleep(0.02)

    # --- duties -----------------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        self._owner.tick()

    async def _poll(self) -> None:
        """What is due soon and not in memory; failures that nobody has followed up."""
        shards = list(self._owner.inbox.shards)
        for due, execution_id in await self._executions.due(shards, now_us() + HORIZON):
            self._owner.transitions.timers.add(due, execution_id)
        for execution_id in await self._executions.to_follow_up(shards):
            self._failed(execution_id)

    def _failed(self, execution_id: str) -> None:
        self._run(self._follow_up(execution_id))

    def _run(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(self._logged(work))
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    @staticmethod
    async def _logged(work: Awaitable[None]) -> None:
        try:
            await work
        except WeftError as error:
            log.warning("%s", error.message)
        except Exception:
            log.exception("a duty failed")

    async def _every(self, seconds: float, duty: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._logged(duty())

    @staticmethod
    async def _guard(loop: Callable[[], Awaitable[None]]) -> None:
        """A bug in one round must not end the loop."""
        while True:
            try:
                await loop()
            except Exception:
                log.exception("the orchestrator stumbled")
                await asyncio.sleep(0.2)


async def _end(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
