"""What can be done with workflows."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import INSTANCE_PROJECT, new_id
from weft_contracts.messages import (
    AuditRecorded,
    Route,
    WorkflowCreated,
    WorkflowDeleted,
    WorkflowPublished,
    WorkflowUnpublished,
    WorkflowUpdated,
)
from weft_kit.identity.access import AccessPolicy
from weft_kit.rpc import caller
from weft_node_sdk.catalogue import Catalogue

from weft_workflow_store.domain.document import UNNAMED, Document, renamed
from weft_workflow_store.domain.inspection import (
    Issue,
    capped,
    inspect,
    missing_credentials,
    scripts,
    syntax_issues,
)
from weft_workflow_store.domain.routing import best_match, check_distinct, check_route
from weft_workflow_store.domain.workflow import (
    PublishedRoute,
    PublishedSchedule,
    Version,
    Workflow,
    may_be_called,
    settings_of,
)

if TYPE_CHECKING:
    from weft_workflow_store.adapters.postgres import Store, Transaction

NOBODY: Final = ""
"""Who made what Weft itself makes."""


def _now() -> int:
    return time.time_ns() // 1000


class Syntax(Protocol):
    async def check(self, texts: Sequence[tuple[str, str]]) -> list[str]:
        """What is wrong with each `(text, language)`, empty where nothing is, or where nobody can tell now."""


class Workflows:
    def __init__(
        self,
        store: "Store",
        policy: AccessPolicy,
        catalogue: Catalogue,
        syntax: Syntax,
        timezone: str,
        max_bytes: int,
    ) -> None:
        self._store = store
        self._syntax = syntax
        self._policy = policy
        self._catalogue = catalogue
        self._timezone = timezone
        self._max_bytes = max_bytes

    # --- by users ------------------------------------------------------------------------------------------

    async def create(self, project_id: str, text: bytes, key: str) -> list[Workflow]:
        """Of a document or an array of them, all or none. The key counts for a single document."""
        project_id = project_id or await self._policy.default_project()
        await self._policy.require(project_id, "workflow:create")
        by = caller().user_id
        documents = Document.parse_all(text, self._max_bytes)
        key = key if len(documents) == 1 else ""
        for document in documents:
            await self._errors(document)
        async with self._store.transaction() as tx:
            return [await self._create(tx, project_id, by, document, key) for document in documents]

    async def _create(
        self, tx: "Transaction", project_id: str, by: str, document: Document, key: str = ""
    ) -> Workflow:
        workflow_id, name = new_id(), document.name or UNNAMED
        issues = await self._issues(tx, project_id, document)
        if not await tx.add(workflow_id, project_id, by, document, name, issues, key):
            known = await tx.by_key(by, key)
            if known is not None:
                return known
        seq = await tx.next_seq(workflow_id)
        await tx.tell(WorkflowCreated(workflow_id, project_id, seq, name, _now()))
        await self._audit(tx, by, "workflow.created", workflow_id, project_id)
        return await self._fresh(tx, workflow_id)

    async def get(self, workflow_id: str) -> Workflow:
        async with self._store.transaction() as tx:
            return await self.mine(tx, workflow_id, "workflow:read")

    async def page(self, projects: Sequence[str], **options: Any) -> tuple[list[Workflow], int]:
        mine = await self._policy.projects("workflow:read")
        wanted = [each for each in projects if each in mine] if projects else mine
        async with self._store.transaction() as tx:
            return await tx.page(wanted, **options)

    async def update(self, workflow_id: str, text: bytes, base: str) -> Workflow:
        document = Document.parse(text, self._max_bytes)
        await self._errors(document)
        async with self._store.transaction() as tx:
            workflow = await self.mine(tx, workflow_id, "workflow:update", lock=True)
            if base and base != workflow.version_id:
                message = "The workflow was changed by someone else since you read it."
                raise WeftError(
                    ErrorCode.CONFLICT, message, your_version_id=base, current_version_id=workflow.version_id
                )
            return await self._write(tx, workflow, document)

    async def rewrite(self, tx: "Transaction", workflow: Workflow, text: bytes) -> Workflow:
        """Another draft for a workflow that is locked. Raises VALIDATION_ERROR, TOO_LARGE."""
        return await self._write(tx, workflow, Document.parse(text, self._max_bytes))

    async def _write(self, tx: "Transaction", workflow: Workflow, document: Document) -> Workflow:
        name, issues = document.name or workflow.name, await self._issues(tx, workflow.project_id, document)
        await tx.write_draft(workflow.id, document, name, issues)
        seq, by = await tx.next_seq(workflow.id), caller().user_id
        await tx.tell(WorkflowUpdated(workflow.id, workflow.project_id, seq, name, _now(), by))
        await self._audit(tx, by, "workflow.updated", workflow.id, workflow.project_id)
        return await self._fresh(tx, workflow.id)

    async def _issues(self, tx: "Transaction", project_id: str, document: Document) -> list[Issue]:
        named = [id_ for _, _, id_, _ in document.credentials()]
        existing = await tx.credential_ids(project_id, named) if named else set()
        found = [*inspect(document, self._catalogue), *missing_credentials(document, existing)]
        return capped([*found, *await self._errors(document)])

    async def _errors(self, document: Document) -> list[Issue]:
        """What is no JavaScript or Python. A runner is asked, and remembered: ask before a row is locked."""
        written = scripts(document, self._catalogue)
        errors = await self._syntax.check([(each.text, each.language) for each in written]) if written else []
        return syntax_issues(zip(written, errors, strict=True))

    async def delete(self, workflow_id: str) -> None:
        async with self._store.transaction() as tx:
            workflow = await self.mine(tx, workflow_id, "workflow:delete", lock=True)
            await tx.unpublish(workflow_id)
            await tx.set_deleted(workflow_id, True)
            seq = await tx.next_seq(workflow_id)
            await tx.tell(WorkflowDeleted(workflow_id, workflow.project_id, seq, workflow.name, _now()))
            await self._audit(tx, caller().user_id, "workflow.deleted", workflow_id, workflow.project_id)

    async def restore(self, workflow_id: str) -> Workflow:
        async with self._store.transaction() as tx:
            workflow = await self.mine(tx, workflow_id, "workflow:delete", lock=True, deleted=True)
            await tx.set_deleted(workflow_id, False)
            seq = await tx.next_seq(workflow_id)
            await tx.tell(WorkflowCreated(workflow_id, workflow.project_id, seq, workflow.name, _now()))
            await self._audit(tx, caller().user_id, "workflow.restored", workflow_id, workflow.project_id)
            return await self._fresh(tx, workflow_id)

    async def archive(self, workflow_id: str, archived: bool) -> Workflow:
        """A repeat changes nothing."""
        async with self._store.transaction() as tx:
            workflow = await self.mine(tx, workflow_id, "workflow:delete", lock=True)
            if workflow.is_archived == archived:
                return workflow
            by = caller().user_id
            if archived and workflow.is_active:
                await self._unpublish(tx, workflow, by)
            await tx.set_archived(workflow_id, archived)
            seq = await tx.next_seq(workflow_id)
            await tx.tell(WorkflowUpdated(workflow_id, workflow.project_id, seq, workflow.name, _now(), by))
            action = "workflow.archived" if archived else "workflow.unarchived"
            await self._audit(tx, by, action, workflow_id, workflow.project_id)
            return await self._fresh(tx, workflow_id)

    async def duplicate(self, workflow_id: str, name: str) -> Workflow:
        async with self._store.transaction() as tx:
            workflow = await self.mine(tx, workflow_id, "workflow:create")
            text = renamed(workflow.document, name or f"{workflow.name} copy")
            document = Document.parse(text, self._max_bytes)
            return await self._create(tx, workflow.project_id, caller().user_id, document)

    async def snapshot(self, workflow_id: str) -> Version:
        async with self._store.transaction() as tx:
            workflow = await self.mine(tx, workflow_id, "workflow:execute", lock=True)
            return await tx.snapshot(workflow, caller().user_id)

    async def versions(self, workflow_id: str) -> list[Version]:
        async with self._store.transaction() as tx:
            await self.mine(tx, workflow_id, "workflow:read")
            return await tx.versions(workflow_id)

    async def publish(self, workflow_id: str, number: int) -> Workflow:
        async with self._store.transaction() as tx:
            workflow = await self.mine(tx, workflow_id, "workflow:publish", lock=True)
            by = caller().user_id
            if workflow.is_archived:
                raise WeftError(
                    ErrorCode.CONFLICT, "The workflow is archived. Take it out of the archive first."
                )
            if number:
                version = await tx.version_number(workflow_id, number)
                if version is None:
                    raise WeftError(ErrorCode.NOT_FOUND, f"The workflow has no version {number}.")
            else:
                version = await tx.snapshot(workflow, by)
            await self._publish(tx, workflow, version)
            await self._audit(tx, by, "workflow.published", workflow_id, workflow.project_id)
            return await self._fresh(tx, workflow_id)

    async def _publish(self, tx: "Transaction", workflow: Workflow, version: Version) -> None:
        document = Document.parse(version.document, self._max_bytes)
        routes = self._catalogue.routes(document.json)
        schedules = self._catalogue.schedules(document.json)
        if not self._starts_by_itself(document):
            message = "Only a workflow with a trigger (a webhook, a schedule, …) can be published. Add one."
            raise WeftError(ErrorCode.VALIDATION_ERROR, message, reason="NO_TRIGGER")
        try:
            timezone = document.timezone or self._timezone
        except ValueError as error:
            raise WeftError(ErrorCode.VALIDATION_ERROR, str(error), path="settings.timezone") from None
        check_distinct(routes)
        seq = await tx.next_seq(workflow.id)
        await tx.unpublish(workflow.id)
        for route in sorted(routes, key=lambda each: (each.method, each.path)):
            check_route(route)
            taken = await tx.claim(route, version, seq)
            if taken is not None:
                raise await self._taken(tx, route, taken, workflow.project_id)
        for place, rule in enumerate(schedules):
            await tx.schedule(place, rule, timezone, version, seq)
        await tx.point_at(version)
        await tx.tell(
            WorkflowPublished(
                workflow.id,
                workflow.project_id,
                seq,
                workflow.name,
                _now(),
                version.id,
                version.version,
                timezone,
                tuple(routes),
                tuple(schedules),
                workflow.is_active,
            )
        )

    def _starts_by_itself(self, document: Document) -> bool:
        """Some enabled trigger is more than a button in the editor."""
        return any(
            self._catalogue.traits(node).trigger
            and self._catalogue.short_name(node["type"]) != "manualTrigger"
            for node in document.nodes
            if not node.get("disabled")
        )

    @staticmethod
    async def _taken(tx: "Transaction", route: Route, owner: tuple[str, str], project_id: str) -> WeftError:
        """Names the other workflow only to those who may see it."""
        other = await tx.get(owner[1], None) if owner[0] == project_id else None
        whose = f"the workflow '{other.name}'" if other else "another workflow"
        message = f"{route.method} {route.path} belongs to {whose} already. Choose another path."
        return WeftError(ErrorCode.CONFLICT, message, method=route.method, path=route.path)

    async def unpublish(self, workflow_id: str) -> Workflow:
        async with self._store.transaction() as tx:
            workflow = await self.mine(tx, workflow_id, "workflow:publish", lock=True)
            await self._unpublish(tx, workflow, caller().user_id)
            return await self._fresh(tx, workflow_id)

    async def _unpublish(self, tx: "Transaction", workflow: Workflow, by: str) -> None:
        await tx.unpublish(workflow.id)
        seq = await tx.next_seq(workflow.id)
        await tx.tell(WorkflowUnpublished(workflow.id, workflow.project_id, seq, workflow.name, _now()))
        await self._audit(tx, by, "workflow.unpublished", workflow.id, workflow.project_id)

    # --- by services ---------------------------------------------------------------------------------------

    async def version(self, version_id: str) -> Version:
        async with self._store.transaction() as tx:
            found = await tx.version(version_id)
        if found is None:
            raise WeftError(ErrorCode.NOT_FOUND, "There is no such version.", id=version_id)
        return found

    async def resolve(self, workflow_id: str, caller_project: str, caller_workflow: str) -> Version:
        """What a call from another workflow runs: the published version, else the draft as it is."""
        async with self._store.transaction() as tx:
            target = await tx.get(workflow_id, None, lock=True)
            if target is None:
                target = await tx.by_source(caller_project, workflow_id)
            calling = await tx.get(caller_workflow, None) if caller_workflow else None
            ids = {caller_workflow, calling.source_id if calling else ""} - {""}
            same = target is not None and target.project_id == caller_project
            if target is None or not may_be_called(
                settings_of(target.document), same_project=same, caller_ids=ids
            ):
                message = f"The workflow {workflow_id} does not exist here, or this workflow may not call it."
                raise WeftError(ErrorCode.NOT_FOUND, message)
            if target.published_version_id is not None:
                published = await tx.version(target.published_version_id)
                if published is not None:
                    return published
            return await tx.snapshot(target, target.created_by)

    async def keep(self, project_id: str, text: bytes) -> Version:
        """A document that belongs to no workflow, as a version. Raises TOO_LARGE, VALIDATION_ERROR."""
        document = Document.parse(text, self._max_bytes)
        async with self._store.transaction() as tx:
            return await tx.keep(project_id, document.text, document.content_hash)

    async def routes(self, method: str, path: str) -> list[PublishedRoute]:
        async with self._store.transaction() as tx:
            found = await tx.routes(method)
        if not path:
            return found
        best = best_match((each.route.path for each in found), path)
        return [each for each in found if each.route.path == best]

    async def schedules(self) -> list[PublishedSchedule]:
        async with self._store.transaction() as tx:
            return await tx.schedules()

    async def welcome(self, text: bytes) -> None:
        """The workflow that every installation begins with; made once, whatever becomes of it."""
        async with self._store.transaction() as tx:
            if not await tx.welcome():
                return
            document = Document.parse(text, self._max_bytes)
            created = await self._create(tx, INSTANCE_PROJECT, NOBODY, document)
            await self._publish(tx, created, await tx.snapshot(created, NOBODY))

    # --- inside ----------------------------------------------------------------------------------------------

    async def mine(
        self, tx: "Transaction", workflow_id: str, action: str, *, lock: bool = False, deleted: bool = False
    ) -> Workflow:
        projects = await self._policy.projects()
        found = await tx.get(workflow_id, projects, lock=lock, deleted=deleted)
        if found is None:
            raise WeftError(ErrorCode.NOT_FOUND, "There is no such workflow.", id=workflow_id)
        await self._policy.require(found.project_id, action)
        return found

    @staticmethod
    async def _fresh(tx: "Transaction", workflow_id: str) -> Workflow:
        found = await tx.get(workflow_id, None)
        if found is None:
            raise WeftError(ErrorCode.NOT_FOUND, "There is no such workflow.", id=workflow_id)
        return found

    @staticmethod
    async def _audit(tx: "Transaction", by: str, action: str, workflow_id: str, project_id: str) -> None:
        await tx.audit(AuditRecorded(by, action, "workflow", workflow_id, project_id, _now()))
