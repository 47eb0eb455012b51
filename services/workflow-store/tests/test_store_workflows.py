"""Documents, drafts, immutable versions, who may see them."""

import asyncio

import orjson
import pytest
from weft_contracts.errors import ErrorCode
from weft_contracts.messages import (
    AuditRecorded,
    WorkflowCreated,
    WorkflowDeleted,
    WorkflowUnpublished,
    WorkflowUpdated,
)
from weft_contracts.pb import workflow_store_pb2 as pb

from .store_world import HOME, OTHER, World, acting, document, hook, node, refused

pytestmark = pytest.mark.integration

ODD = (
    b' {"nodes" : [ {"name":"A","type":"x.y","future":[1.0,1e2,-0.0,12345678901234567890123],"a":1,"b":2} ],\n'
    b'\t"connections":{}, "meta":{"description":"caf\\u00e9 \\ud83d\\ude00"}, "zz":null,"name":"\\u0041 name" }\n'
)


async def test_a_document_is_kept_byte_for_byte(world: World) -> None:
    made = await world.create(ODD)
    assert made.document == ODD
    assert (made.name, made.description, made.node_count) == ("A name", "café 😀", 1)
    assert (await world.get(made.id)).document == ODD
    version = await world.snapshot(made.id)
    found = await world.workflows.GetVersion(pb.GetVersionRequest(version_id=version.id))
    assert found.version.document == ODD


async def test_a_copy_differs_in_its_name_only(world: World) -> None:
    made = await world.create(ODD)
    copy = (await world.workflows.Duplicate(pb.DuplicateRequest(workflow_id=made.id))).workflow
    assert copy.name == "A name copy"
    assert b"[1.0,1e2,-0.0,12345678901234567890123]" in copy.document
    assert orjson.loads(copy.document) == {**orjson.loads(ODD), "name": "A name copy"}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (b"", ""),
        (b"[]", ""),
        (b"[1]", ""),
        (b"null", ""),
        (b'{"nodes":1}', "nodes"),
        (b'{"nodes":[1]}', "nodes[0]"),
        (b'{"nodes":[{"name":"A"}]}', "nodes[0].type"),
        (b'{"nodes":[{"name":1,"type":"t"}]}', "nodes[0].name"),
        (b'{"nodes":[{"name":"A\\u0000","type":"t"}]}', "nodes[0].name"),
        (b'{"nodes":[{"name":"A","type":"t","parameters":[1]}]}', "nodes[0].parameters"),
        (b'{"nodes":[],"connections":[1]}', "connections"),
        (b'{"nodes":[],"tags":"x"}', "tags"),
        (b'{"nodes":[],"name":7}', "name"),
    ],
)
async def test_what_is_no_document_is_refused_with_its_place(world: World, text: bytes, path: str) -> None:
    with refused(ErrorCode.VALIDATION_ERROR) as no:
        await world.create(text)
    assert no.error.details.get("path", "") == path
    assert await world.rows("SELECT 1 FROM workflow_store.workflows WHERE created_by = 'ada'") == []


async def test_large_documents_are_refused(world: World) -> None:
    await world.again(max_document_bytes=2000)
    with refused(ErrorCode.TOO_LARGE):
        await world.create(document(node("A", notes="x" * 2000)))
    many = [{"name": f"n{n}", "type": "t"} for n in range(5001)]
    await world.again()
    with refused(ErrorCode.VALIDATION_ERROR) as no:
        await world.create(document(*many))
    assert no.error.details["reason"] == "TOO_MANY_NODES"


async def test_an_array_is_imported_whole_or_not_at_all(world: World) -> None:
    good, bad = document(node("A")), b'{"nodes":7}'
    call = pb.CreateRequest(document=b"[" + good + b"," + bad + b"]")
    with refused(ErrorCode.VALIDATION_ERROR) as no:
        await world.workflows.Create(call)
    assert no.error.details["document"] == 1
    assert await world.rows("SELECT 1 FROM workflow_store.workflows WHERE created_by = 'ada'") == []
    both = await world.workflows.Create(pb.CreateRequest(document=b"[" + good + b", " + ODD + b"]"))
    assert [each.name for each in both.workflows] == ["W", "A name"]
    assert both.workflow == both.workflows[0]


async def test_an_import_names_what_it_does_not_know(world: World) -> None:
    parts = [
        node("Unknown", "teleporter"),
        node("New", "noOp", version=99),
        node("Odd", "limit", parameters={"maxItems": 1, "colour": "red"}),
        node("Bad", "limit", parameters={"maxItems": "={{ ( }}"}),
        node("Keyed", "noOp", credentials={"httpBasicAuth": {"id": "7", "name": "Login"}}),
        node("Off", "noOp", disabled=True, credentials={"httpBasicAuth": {"id": "8", "name": "Gone"}}),
    ]
    link = {"Odd": {"main": [[{"node": "Nobody", "type": "main", "index": 0}]]}}
    text = document(*parts, connections=link, settings={"timezone": "Mars/Olympus"})
    found = {(issue.code, issue.node, issue.parameter) for issue in (await world.create(text)).issues}
    assert found == {
        ("UNKNOWN_NODE_TYPE", "Unknown", ""),
        ("UNKNOWN_VERSION", "New", ""),
        ("UNKNOWN_PARAMETER", "Odd", "colour"),
        ("INVALID_EXPRESSION", "Bad", "maxItems"),
        ("MISSING_CREDENTIAL", "Keyed", "httpBasicAuth"),
        ("DANGLING_CONNECTION", "Odd", ""),
        ("INVALID_TIMEZONE", "", "settings.timezone"),
    }


async def test_a_credential_that_is_there_is_not_missing(world: World) -> None:
    call = pb.CreateCredentialRequest(name="Login", type="httpBasicAuth", data=b"{}")
    held = (await world.credentials.Create(call)).credential
    uses = document(node("A", credentials={"httpBasicAuth": {"id": held.id, "name": "Login"}}))
    assert not (await world.create(uses)).issues
    elsewhere = await world.create(uses, OTHER)
    assert [issue.code for issue in elsewhere.issues] == ["MISSING_CREDENTIAL"]


async def test_a_stale_draft_is_refused_with_both_versions(world: World) -> None:
    made = await world.create(document(node("A")))
    newer = await world.update(made.id, document(node("B")), made.version_id)
    assert newer.version_id != made.version_id
    with refused(ErrorCode.CONFLICT) as no:
        await world.update(made.id, document(node("C")), made.version_id)
    assert no.error.details == {
        "your_version_id": made.version_id,
        "current_version_id": newer.version_id,
    }
    assert (await world.get(made.id)).document == document(node("B"))
    await world.update(made.id, document(node("D")))  # whatever the draft is


async def test_of_two_updates_from_one_version_one_is_stale(world: World) -> None:
    made = await world.create(document(node("A")))
    updates = [world.update(made.id, document(node(name)), made.version_id) for name in "BCDE"]
    results = await asyncio.gather(*updates, return_exceptions=True)
    assert sum(isinstance(result, pb.Workflow) for result in results) == 1


async def test_versions_are_made_of_changes_and_never_change(world: World) -> None:
    made = await world.create(document(node("A")))
    first = await world.snapshot(made.id)
    assert (first.version, first.id) == (1, made.version_id)
    assert (await world.snapshot(made.id)).id == first.id
    await world.update(made.id, document(node("B")))
    second = await world.snapshot(made.id)
    assert second.version == 2
    await world.update(made.id, document(node("A")))
    third = await world.snapshot(made.id)
    assert third.version == 3
    listed = (await world.workflows.ListVersions(pb.ListVersionsRequest(workflow_id=made.id))).versions
    assert [(each.version, each.document) for each in listed] == [(3, b""), (2, b""), (1, b"")]
    kept = (await world.workflows.GetVersion(pb.GetVersionRequest(version_id=second.id))).version
    assert kept.document == document(node("B"))
    with refused(ErrorCode.NOT_FOUND):
        await world.workflows.GetVersion(pb.GetVersionRequest(version_id="none"))


async def test_the_draft_of_a_restored_text_keeps_versions_apart(world: World) -> None:
    """The draft's own id is taken once a version was made of it."""
    made = await world.create(document(node("A")))
    first = await world.snapshot(made.id)
    await world.rows("UPDATE workflow_store.workflows SET content_hash = 'x' WHERE id = $1", made.id)
    assert (await world.snapshot(made.id)).id != first.id


async def test_a_repeated_creation_gives_the_first_workflow(world: World) -> None:
    first = await world.create(document(), key="k")
    assert (await world.create(document(name="again"), key="k")).id == first.id
    assert (await world.create(document(), key="other")).id != first.id


async def test_deleting_is_soft_and_unpublishes(world: World) -> None:
    made = await world.create(document(hook("gone")))
    await world.publish(made.id)
    await world.workflows.Delete(pb.DeleteRequest(workflow_id=made.id))
    assert made.id not in {row[0] for row in await world.routes()}
    for call in (world.get(made.id), world.update(made.id, document()), world.publish(made.id)):
        with refused(ErrorCode.NOT_FOUND):
            await call
    back = (await world.workflows.Restore(pb.RestoreRequest(workflow_id=made.id))).workflow
    assert (back.is_active, back.document) == (False, made.document)


async def test_lists_hold_ones_own_without_documents(world: World) -> None:
    for number, name in enumerate(("beta", "Alpha", "100%", "gamma_x")):
        await world.create(
            document(name=name, tags=["even" if number % 2 else "odd", {"name": "all"}]), OTHER
        )

    async def listed(**options: object) -> list[str]:
        call = pb.ListRequest(project_ids=[OTHER], **options)  # type: ignore[arg-type]
        found = await world.workflows.List(call)
        assert all(each.document == b"" for each in found.workflows)
        return [each.name for each in found.workflows]

    assert await listed(sort="name") == ["100%", "Alpha", "beta", "gamma_x"]
    assert await listed(sort="-name", limit=1, page=2) == ["beta"]
    assert await listed(sort="created_at")
    assert await listed(search="A_X") == ["gamma_x"]
    assert await listed(search="%") == ["100%"]
    assert await listed(search="\\") == []
    assert set(await listed(tag="even")) == {"Alpha", "gamma_x"}
    assert await listed(is_active=True) == []
    assert len(await listed(is_active=False)) == 4
    with acting("bea"):
        assert await listed() == []
    with acting("ada", "credential:read"), refused(ErrorCode.FORBIDDEN):
        await listed()


async def test_others_workflows_do_not_exist(world: World) -> None:
    mine = await world.create(document(), OTHER)
    calls = (
        lambda: world.get(mine.id),
        lambda: world.update(mine.id, document()),
        lambda: world.publish(mine.id),
        lambda: world.snapshot(mine.id),
        lambda: world.workflows.Delete(pb.DeleteRequest(workflow_id=mine.id)),
        lambda: world.workflows.Restore(pb.RestoreRequest(workflow_id=mine.id)),
        lambda: world.workflows.Duplicate(pb.DuplicateRequest(workflow_id=mine.id)),
        lambda: world.workflows.Unpublish(pb.UnpublishRequest(workflow_id=mine.id)),
        lambda: world.workflows.ListVersions(pb.ListVersionsRequest(workflow_id=mine.id)),
        lambda: world.tags.Set(pb.SetTagsRequest(workflow_id=mine.id, names=["x"])),
        lambda: world.create(document(), OTHER),
    )
    with acting("bea"):
        for call in calls:
            with refused(ErrorCode.NOT_FOUND):
                await call()


async def test_a_viewer_reads_and_changes_nothing(world: World) -> None:
    mine = await world.create(document(node("A")))
    with acting("bea"):
        assert (await world.get(mine.id)).id == mine.id
        for call in (
            world.update(mine.id, document()),
            world.publish(mine.id),
            world.snapshot(mine.id),
            world.workflows.Delete(pb.DeleteRequest(workflow_id=mine.id)),
            world.create(document()),
        ):
            with refused(ErrorCode.FORBIDDEN):
                await call


async def test_everything_is_told_in_order(world: World) -> None:
    made = await world.create(document(hook("told")))
    await world.update(made.id, document(hook("told"), name="New"))
    await world.publish(made.id)
    await world.workflows.Unpublish(pb.UnpublishRequest(workflow_id=made.id))
    await world.workflows.Delete(pb.DeleteRequest(workflow_id=made.id))
    kinds = (WorkflowCreated, WorkflowUpdated, WorkflowUnpublished, WorkflowDeleted)
    events = await world.told(4, made.id, *kinds)
    assert [type(event) for event in events] == list(kinds)
    seqs = [event.seq for event in events]
    assert seqs == sorted(set(seqs))
    assert events[1].by == "ada"
    actions = [each.action for each in await world.told(5, made.id, AuditRecorded)]
    assert actions == [
        f"workflow.{verb}" for verb in ("created", "updated", "published", "unpublished", "deleted")
    ]


async def test_every_installation_begins_with_one_workflow_once(world: World) -> None:
    welcome = [(HOME, "welcome")]
    query = "SELECT project_id, path FROM workflow_store.webhooks"
    assert [tuple(row) for row in await world.rows(query)] == welcome
    found = await world.workflows.List(pb.ListRequest())
    await world.workflows.Delete(pb.DeleteRequest(workflow_id=found.workflows[0].id))
    await world.again()
    assert await world.rows(query) == []
