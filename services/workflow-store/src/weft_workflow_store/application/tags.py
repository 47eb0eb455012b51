"""Words that the workflows of a project are found by. What a workflow bears stands in its document."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.identity.access import AccessPolicy

from weft_workflow_store.application.workflows import Workflows
from weft_workflow_store.domain.document import retagged
from weft_workflow_store.domain.secrets import check_name
from weft_workflow_store.domain.workflow import Tag, Workflow

if TYPE_CHECKING:
    from weft_workflow_store.adapters.postgres import Store, Transaction

MOST_OF_ONE: Final = 50
"""Tags of one workflow."""


class Tags:
    def __init__(self, store: "Store", policy: AccessPolicy, workflows: Workflows) -> None:
        self._store = store
        self._policy = policy
        self._workflows = workflows

    async def of(self, project_id: str) -> list[Tag]:
        """By name."""
        project_id = await self._allowed(project_id, "tag:read")
        async with self._store.transaction() as tx:
            return await tx.tags(project_id)

    async def create(self, project_id: str, name: str) -> Tag:
        """Raises VALIDATION_ERROR, CONFLICT."""
        project_id = await self._allowed(project_id, "tag:create")
        name = check_name("name", name.strip())
        async with self._store.transaction() as tx:
            if await tx.has_tag(project_id, name):
                raise _taken(name)
            await tx.add_tag(project_id, name)
        return Tag(name, project_id, 0)

    async def rename(self, project_id: str, name: str, new_name: str) -> Tag:
        """Raises VALIDATION_ERROR, NOT_FOUND, CONFLICT."""
        project_id = await self._allowed(project_id, "tag:update")
        new_name = check_name("name", new_name.strip())
        async with self._store.transaction() as tx:
            await self._known(tx, project_id, name)
            if new_name != name and await tx.has_tag(project_id, new_name):
                raise _taken(new_name)
            await tx.drop_tag(project_id, name)
            await tx.add_tag(project_id, new_name)
            count = await self._everywhere(
                tx, project_id, name, lambda tags: [new_name if tag == name else tag for tag in tags]
            )
        return Tag(new_name, project_id, count)

    async def delete(self, project_id: str, name: str) -> None:
        """Raises NOT_FOUND."""
        project_id = await self._allowed(project_id, "tag:delete")
        async with self._store.transaction() as tx:
            await self._known(tx, project_id, name)
            await tx.drop_tag(project_id, name)
            await self._everywhere(tx, project_id, name, lambda tags: [tag for tag in tags if tag != name])

    async def set(self, workflow_id: str, names: Sequence[str]) -> Workflow:
        """Raises VALIDATION_ERROR, NOT_FOUND."""
        return await self._rewritten(workflow_id, lambda _: names)

    async def change(self, workflow_id: str, add: Sequence[str], remove: Sequence[str]) -> Workflow:
        """Raises as `set`."""
        return await self._rewritten(
            workflow_id, lambda tags: [*(tag for tag in tags if tag not in remove), *add]
        )

    async def _rewritten(self, workflow_id: str, change: Callable[[list[str]], Sequence[str]]) -> Workflow:
        async with self._store.transaction() as tx:
            workflow = await self._workflows.mine(tx, workflow_id, "workflow:update", lock=True)
            wanted = list(dict.fromkeys(check_name("tags", each.strip()) for each in change(workflow.tags)))
            if len(wanted) > MOST_OF_ONE:
                message = f"A workflow has at most {MOST_OF_ONE} tags."
                raise WeftError(ErrorCode.VALIDATION_ERROR, message, path="tags")
            return await self._workflows.rewrite(tx, workflow, retagged(workflow.document, wanted))

    async def _allowed(self, project_id: str, action: str) -> str:
        project_id = project_id or await self._policy.default_project()
        await self._policy.require(project_id, action)
        return project_id

    @staticmethod
    async def _known(tx: "Transaction", project_id: str, name: str) -> None:
        if not await tx.has_tag(project_id, name):
            raise WeftError(ErrorCode.NOT_FOUND, "There is no such tag.", name=name)

    async def _everywhere(
        self, tx: "Transaction", project_id: str, name: str, change: Callable[[list[str]], list[str]]
    ) -> int:
        """How many drafts were rewritten."""
        bearing = await tx.bearing(project_id, name)
        for workflow in bearing:
            await self._workflows.rewrite(tx, workflow, retagged(workflow.document, change(workflow.tags)))
        return len(bearing)


def _taken(name: str) -> WeftError:
    return WeftError(ErrorCode.CONFLICT, f"There is a tag '{name}' already.", name=name)
