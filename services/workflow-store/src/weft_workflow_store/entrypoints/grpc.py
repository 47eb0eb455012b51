"""`Workflows`, `Credentials`, `Variables`."""

from datetime import datetime
from typing import Any

import msgspec
from weft_contracts.pb import workflow_store_pb2 as pb

from weft_workflow_store.adapters.postgres_secrets import Credentials, Variables
from weft_workflow_store.adapters.postgres_sign_ins import SignIns
from weft_workflow_store.adapters.postgres_static_data import StaticData
from weft_workflow_store.application.tags import Tags
from weft_workflow_store.application.workflows import Workflows
from weft_workflow_store.domain.secrets import Credential, Variable
from weft_workflow_store.domain.workflow import Tag, Version, Workflow


def _stamp(target: Any, moment: datetime) -> None:
    target.FromDatetime(moment)


def _page(request: Any) -> tuple[int, int]:
    """Limit and offset."""
    limit = min(max(request.limit, 1), 250) if request.limit else 50
    return limit, (max(request.page, 1) - 1) * limit


def _workflow(workflow: Workflow) -> pb.Workflow:
    message = pb.Workflow(
        id=workflow.id,
        project_id=workflow.project_id,
        name=workflow.name,
        is_active=workflow.is_active,
        document=workflow.document,
        version_id=workflow.version_id,
        version=workflow.version,
        published_version_id=workflow.published_version_id or "",
        published_version=workflow.published_version,
        issues=[
            pb.Issue(
                code=each.code,
                node=each.node,
                node_type=each.node_type,
                parameter=each.parameter,
                message=each.message,
            )
            for each in workflow.issues
        ],
        tags=workflow.tags,
        created_by=workflow.created_by,
        description=workflow.description,
        node_count=workflow.node_count,
        is_archived=workflow.is_archived,
    )
    _stamp(message.created_at, workflow.created_at)
    _stamp(message.updated_at, workflow.updated_at)
    return message


def _version(version: Version) -> pb.Version:
    message = pb.Version(
        id=version.id,
        workflow_id=version.workflow_id,
        version=version.version,
        created_by=version.created_by,
        project_id=version.project_id,
        document=version.document,
    )
    _stamp(message.created_at, version.created_at)
    return message


def _credential(credential: Credential) -> pb.Credential:
    message = pb.Credential(
        id=credential.id, project_id=credential.project_id, name=credential.name, type=credential.type
    )
    _stamp(message.created_at, credential.created_at)
    _stamp(message.updated_at, credential.updated_at)
    if credential.connected_at is not None:
        _stamp(message.connected_at, credential.connected_at)
    return message


class WorkflowsServicer:
    def __init__(self, workflows: Workflows) -> None:
        self._workflows = workflows

    async def Create(self, request: pb.CreateRequest) -> pb.CreateResponse:
        made = await self._workflows.create(request.project_id, request.document, request.idempotency_key)
        return pb.CreateResponse(workflow=_workflow(made[0]), workflows=[_workflow(each) for each in made])

    async def Get(self, request: pb.GetRequest) -> pb.GetResponse:
        return pb.GetResponse(workflow=_workflow(await self._workflows.get(request.workflow_id)))

    async def List(self, request: pb.ListRequest) -> pb.ListResponse:
        limit, offset = _page(request)
        found, total = await self._workflows.page(
            list(request.project_ids),
            search=request.search,
            active=request.is_active if request.HasField("is_active") else None,
            tag=request.tag,
            archived=request.archived,
            sort=request.sort,
            limit=limit,
            offset=offset,
        )
        return pb.ListResponse(workflows=[_workflow(each) for each in found], total=total)

    async def Update(self, request: pb.UpdateRequest) -> pb.UpdateResponse:
        made = await self._workflows.update(request.workflow_id, request.document, request.base_version_id)
        return pb.UpdateResponse(workflow=_workflow(made))

    async def Delete(self, request: pb.DeleteRequest) -> pb.DeleteResponse:
        await self._workflows.delete(request.workflow_id)
        return pb.DeleteResponse()

    async def Restore(self, request: pb.RestoreRequest) -> pb.RestoreResponse:
        return pb.RestoreResponse(workflow=_workflow(await self._workflows.restore(request.workflow_id)))

    async def Archive(self, request: pb.ArchiveRequest) -> pb.ArchiveResponse:
        made = await self._workflows.archive(request.workflow_id, request.archived)
        return pb.ArchiveResponse(workflow=_workflow(made))

    async def Duplicate(self, request: pb.DuplicateRequest) -> pb.DuplicateResponse:
        made = await self._workflows.duplicate(request.workflow_id, request.name)
        return pb.DuplicateResponse(workflow=_workflow(made))

    async def Publish(self, request: pb.PublishRequest) -> pb.PublishResponse:
        made = await self._workflows.publish(request.workflow_id, request.version)
        return pb.PublishResponse(workflow=_workflow(made))

    async def Unpublish(self, request: pb.UnpublishRequest) -> pb.UnpublishResponse:
        return pb.UnpublishResponse(workflow=_workflow(await self._workflows.unpublish(request.workflow_id)))

    async def Snapshot(self, request: pb.SnapshotRequest) -> pb.SnapshotResponse:
        return pb.SnapshotResponse(version=_version(await self._workflows.snapshot(request.workflow_id)))

    async def ListVersions(self, request: pb.ListVersionsRequest) -> pb.ListVersionsResponse:
        found = await self._workflows.versions(request.workflow_id)
        return pb.ListVersionsResponse(versions=[_version(each) for each in found])

    async def GetVersion(self, request: pb.GetVersionRequest) -> pb.GetVersionResponse:
        return pb.GetVersionResponse(version=_version(await self._workflows.version(request.version_id)))

    async def ResolveVersion(self, request: pb.ResolveVersionRequest) -> pb.ResolveVersionResponse:
        version = await self._workflows.resolve(
            request.workflow_id, request.caller_project_id, request.caller_workflow_id
        )
        return pb.ResolveVersionResponse(version=_version(version))

    async def KeepDocument(self, request: pb.KeepDocumentRequest) -> pb.KeepDocumentResponse:
        version = await self._workflows.keep(request.project_id, request.document)
        return pb.KeepDocumentResponse(version=_version(version))

    async def ListRoutes(self, request: pb.ListRoutesRequest) -> pb.ListRoutesResponse:
        found = await self._workflows.routes(request.method, request.path)
        return pb.ListRoutesResponse(
            routes=[
                pb.Route(
                    workflow_id=each.workflow_id,
                    project_id=each.project_id,
                    version_id=each.version_id,
                    seq=each.seq,
                    route=msgspec.json.encode(each.route),
                )
                for each in found
            ]
        )

    async def ListSchedules(self, request: pb.ListSchedulesRequest) -> pb.ListSchedulesResponse:
        return pb.ListSchedulesResponse(
            schedules=[
                pb.Schedule(
                    workflow_id=each.workflow_id,
                    project_id=each.project_id,
                    version_id=each.version_id,
                    seq=each.seq,
                    timezone=each.timezone,
                    rule=msgspec.json.encode(each.rule),
                )
                for each in await self._workflows.schedules()
            ]
        )


class CredentialsServicer:
    def __init__(self, credentials: Credentials, sign_ins: SignIns) -> None:
        self._credentials = credentials
        self._sign_ins = sign_ins

    async def Create(self, request: pb.CreateCredentialRequest) -> pb.CreateCredentialResponse:
        made = await self._credentials.create(request.project_id, request.name, request.type, request.data)
        return pb.CreateCredentialResponse(credential=_credential(made))

    async def List(self, request: pb.ListCredentialsRequest) -> pb.ListCredentialsResponse:
        limit, offset = _page(request)
        found, total = await self._credentials.page(
            list(request.project_ids), request.type, request.search, limit, offset
        )
        return pb.ListCredentialsResponse(credentials=[_credential(each) for each in found], total=total)

    async def Get(self, request: pb.GetCredentialRequest) -> pb.GetCredentialResponse:
        found, data, secret_fields = await self._credentials.get(request.credential_id)
        return pb.GetCredentialResponse(credential=_credential(found), data=data, secret_fields=secret_fields)

    async def Update(self, request: pb.UpdateCredentialRequest) -> pb.UpdateCredentialResponse:
        made = await self._credentials.update(
            request.credential_id,
            request.name if request.HasField("name") else None,
            request.data if request.HasField("data") else None,
            partial=request.partial,
        )
        return pb.UpdateCredentialResponse(credential=_credential(made))

    async def Delete(self, request: pb.DeleteCredentialRequest) -> pb.DeleteCredentialResponse:
        await self._credentials.delete(request.credential_id)
        return pb.DeleteCredentialResponse()

    async def Decrypt(self, request: pb.DecryptRequest) -> pb.DecryptResponse:
        found, data = await self._credentials.decrypt(request.credential_id, request.project_id)
        return pb.DecryptResponse(type=found.type, data=data, name=found.name)

    async def LeaseTokens(self, request: pb.LeaseTokensRequest) -> pb.LeaseTokensResponse:
        data, lease, busy = await self._sign_ins.lease(
            request.credential_id, request.project_id, request.stale
        )
        return pb.LeaseTokensResponse(data=data, lease=lease, busy=busy)

    async def PutTokens(self, request: pb.PutTokensRequest) -> pb.PutTokensResponse:
        await self._sign_ins.put(request.credential_id, request.lease, request.tokens)
        return pb.PutTokensResponse()

    async def BeginSignIn(self, request: pb.BeginSignInRequest) -> pb.BeginSignInResponse:
        state = await self._sign_ins.begin(
            request.credential_id, request.binding, request.secret, request.state
        )
        return pb.BeginSignInResponse(state=state)

    async def TakeSignIn(self, request: pb.TakeSignInRequest) -> pb.TakeSignInResponse:
        found, data, secret, lease = await self._sign_ins.take(request.state, request.binding)
        return pb.TakeSignInResponse(
            credential_id=found.id,
            project_id=found.project_id,
            name=found.name,
            type=found.type,
            data=data,
            secret=secret,
            lease=lease,
        )


class StaticDataServicer:
    def __init__(self, static_data: StaticData) -> None:
        self._static_data = static_data

    async def Read(self, request: pb.ReadStaticDataRequest) -> pb.ReadStaticDataResponse:
        return pb.ReadStaticDataResponse(data=await self._static_data.read(request.workflow_id))

    async def Merge(self, request: pb.MergeStaticDataRequest) -> pb.MergeStaticDataResponse:
        await self._static_data.merge(request.workflow_id, request.execution_id, request.changes)
        return pb.MergeStaticDataResponse()


class VariablesServicer:
    def __init__(self, variables: Variables) -> None:
        self._variables = variables

    async def List(self, request: pb.ListVariablesRequest) -> pb.ListVariablesResponse:
        found = await self._variables.of(request.project_id)
        return pb.ListVariablesResponse(variables=[_variable(each) for each in found])

    async def Put(self, request: pb.PutVariableRequest) -> pb.PutVariableResponse:
        given = request.variable
        variable = Variable(given.project_id, given.key, given.value, given.type or "string", given.is_secret)
        return pb.PutVariableResponse(
            variable=_variable(await self._variables.put(variable, create=request.create))
        )

    async def Delete(self, request: pb.DeleteVariableRequest) -> pb.DeleteVariableResponse:
        await self._variables.delete(request.project_id, request.key)
        return pb.DeleteVariableResponse()

    async def GetValues(self, request: pb.GetValuesRequest) -> pb.GetValuesResponse:
        return pb.GetValuesResponse(values=await self._variables.values(request.project_id))


def _variable(variable: Variable) -> pb.Variable:
    return pb.Variable(
        key=variable.key,
        value="" if variable.is_secret else variable.value,
        type=variable.type,
        is_secret=variable.is_secret,
        project_id=variable.project_id,
    )


class TagsServicer:
    def __init__(self, tags: Tags) -> None:
        self._tags = tags

    async def List(self, request: pb.ListTagsRequest) -> pb.ListTagsResponse:
        return pb.ListTagsResponse(tags=[_tag(each) for each in await self._tags.of(request.project_id)])

    async def Create(self, request: pb.CreateTagRequest) -> pb.CreateTagResponse:
        return pb.CreateTagResponse(tag=_tag(await self._tags.create(request.project_id, request.name)))

    async def Rename(self, request: pb.RenameTagRequest) -> pb.RenameTagResponse:
        made = await self._tags.rename(request.project_id, request.name, request.new_name)
        return pb.RenameTagResponse(tag=_tag(made))

    async def Delete(self, request: pb.DeleteTagRequest) -> pb.DeleteTagResponse:
        await self._tags.delete(request.project_id, request.name)
        return pb.DeleteTagResponse()

    async def Set(self, request: pb.SetTagsRequest) -> pb.SetTagsResponse:
        if request.add or request.remove:
            made = await self._tags.change(request.workflow_id, request.add, request.remove)
        else:
            made = await self._tags.set(request.workflow_id, request.names)
        return pb.SetTagsResponse(workflow=_workflow(made))


def _tag(tag: Tag) -> pb.Tag:
    return pb.Tag(name=tag.name, project_id=tag.project_id, workflow_count=tag.workflow_count)
