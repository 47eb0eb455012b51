"""Publishing: routes, schedules, whom sub-workflow calls reach; and tags."""

import asyncio
from typing import Any

import orjson
import pytest
from weft_contracts.errors import ErrorCode
from weft_contracts.messages import WorkflowPublished
from weft_contracts.pb import workflow_store_pb2 as pb
from weft_workflow_store.domain.routing import best_match

from .store_world import HOME, OTHER, World, acting, document, hook, node, refused

pytestmark = pytest.mark.integration


def every(minutes: int) -> dict[str, Any]:
    rule = {"interval": [{"field": "minutes", "minutesInterval": minutes}]}
    return node("Clock", "scheduleTrigger", version=1.2, parameters={"rule": rule})


async def test_publishing_points_at_a_version_that_edits_do_not_move(world: World) -> None:
    made = await world.create(document(hook("a")))
    published = await world.publish(made.id)
    assert (published.is_active, published.published_version, published.version) == (True, 1, 1)
    edited = await world.update(made.id, document(hook("b")))
    assert edited.published_version == 1
    assert await world.routes("POST", "a") == [(made.id, "a")]
    assert await world.routes("POST", "b") == []
    await world.publish(made.id)
    assert await world.routes("POST", "a") == []
    assert await world.routes("POST", "b") == [(made.id, "b")]
    assert (await world.publish(made.id, 1)).published_version == 1
    assert await world.routes("POST", "a") == [(made.id, "a")]
    with refused(ErrorCode.NOT_FOUND):
        await world.publish(made.id, 7)
    assert await world.routes("POST", "a") == [(made.id, "a")]
    gone = (await world.workflows.Unpublish(pb.UnpublishRequest(workflow_id=made.id))).workflow
    assert (gone.is_active, gone.published_version_id) == (False, "")
    assert await world.routes("POST", "a") == []


async def test_an_address_belongs_to_one_workflow(world: World) -> None:
    first = await world.create(document(hook("users/:id"), name="First"))
    await world.publish(first.id)
    second = await world.create(document(hook("free", name="F"), hook("users/:name")))
    with refused(ErrorCode.CONFLICT) as no:
        await world.publish(second.id)
    assert "'First'" in no.error.message
    assert no.error.details == {"method": "POST", "path": "users/:name"}
    assert await world.routes("POST", "free") == []  # nothing of it was published
    assert not (await world.get(second.id)).is_active

    elsewhere = await world.create(document(hook("users/:id")), OTHER)
    with refused(ErrorCode.CONFLICT) as no:
        await world.publish(elsewhere.id)
    assert "First" not in no.error.message
    other_method = await world.create(document(hook("users/:id", "PUT")), OTHER)
    await world.publish(other_method.id)
    await world.publish(first.id)  # its own address is no obstacle


async def test_of_many_who_want_one_address_one_gets_it(world: World) -> None:
    made = [await world.create(document(hook("wanted"))) for _ in range(4)]
    results = await asyncio.gather(*(world.publish(each.id) for each in made), return_exceptions=True)
    assert sum(isinstance(result, pb.Workflow) for result in results) == 1
    assert len(await world.routes("POST", "wanted")) == 1


@pytest.mark.parametrize(
    ("nodes", "code"),
    [
        ([], ErrorCode.VALIDATION_ERROR),
        ([node("Start", "manualTrigger")], ErrorCode.VALIDATION_ERROR),
        ([{**hook("x"), "disabled": True}], ErrorCode.VALIDATION_ERROR),
        ([hook("same", name="A"), hook("same", name="B")], ErrorCode.CONFLICT),
        ([hook("={{ $json.x }}")], ErrorCode.VALIDATION_ERROR),
        ([hook("tab\there")], ErrorCode.VALIDATION_ERROR),
        ([hook("x" * 1001)], ErrorCode.VALIDATION_ERROR),
        ([hook("x", "GET IT")], ErrorCode.VALIDATION_ERROR),
    ],
)
async def test_what_nobody_could_call_is_not_published(
    world: World, nodes: list[dict[str, Any]], code: ErrorCode
) -> None:
    made = await world.create(document(*nodes))
    with refused(code):
        await world.publish(made.id)
    assert not (await world.get(made.id)).is_active


async def test_an_unknown_zone_is_not_published(world: World) -> None:
    made = await world.create(document(every(5), settings={"timezone": "Mars/Olympus"}))
    with refused(ErrorCode.VALIDATION_ERROR) as no:
        await world.publish(made.id)
    assert no.error.details == {"path": "settings.timezone"}


async def test_schedules_go_with_the_published_version(world: World) -> None:
    made = await world.create(document(every(5), settings={"timezone": "Europe/Paris"}))
    await world.publish(made.id)
    listed = (await world.workflows.ListSchedules(pb.ListSchedulesRequest())).schedules
    assert [(each.workflow_id, each.timezone) for each in listed] == [(made.id, "Europe/Paris")]
    assert orjson.loads(listed[0].rule)["node"] == "Clock"
    event = (await world.told(1, made.id, WorkflowPublished))[0]
    assert (event.timezone, event.version, len(event.schedules)) == ("Europe/Paris", 1, 1)
    await world.workflows.Delete(pb.DeleteRequest(workflow_id=made.id))
    assert not (await world.workflows.ListSchedules(pb.ListSchedulesRequest())).schedules


def test_fixed_parts_come_before_parameters() -> None:
    patterns = ["a/:x", "a/b", ":x/b", ":x/:y", "a"]
    assert best_match(patterns, "a/b") == "a/b"
    assert best_match(patterns, "a/c") == "a/:x"
    assert best_match(patterns, "c/b") == ":x/b"
    assert best_match(patterns, "c/d") == ":x/:y"
    assert best_match(patterns, "a/") is None
    assert best_match(patterns, "a/b/c") is None


async def resolve(world: World, workflow_id: str, project: str = HOME, by: str = "") -> pb.Version:
    call = pb.ResolveVersionRequest(workflow_id=workflow_id, caller_project_id=project, caller_workflow_id=by)
    return (await world.workflows.ResolveVersion(call)).version


async def test_a_call_runs_the_published_version_else_the_draft(world: World) -> None:
    made = await world.create(document(hook("sub")))
    assert (await resolve(world, made.id)).document == made.document
    await world.publish(made.id)
    await world.update(made.id, document(hook("sub"), name="Edited"))
    assert (await resolve(world, made.id)).version == 1
    with refused(ErrorCode.NOT_FOUND):
        await resolve(world, "nothing")


async def test_a_call_finds_an_import_by_its_old_id(world: World) -> None:
    made = await world.create(document(node("A"), id="old-7"))
    assert (await resolve(world, "old-7")).workflow_id == made.id
    with refused(ErrorCode.NOT_FOUND):
        await resolve(world, "old-7", OTHER)


@pytest.mark.parametrize(
    ("settings", "home", "other"),
    [
        ({}, True, False),
        ({"callerPolicy": "any"}, True, True),
        ({"callerPolicy": "none"}, False, False),
        ({"callerPolicy": "workflowsFromAList", "callerIds": "x, old-caller"}, True, False),
        ({"callerPolicy": "workflowsFromAList", "callerIds": "x"}, False, False),
    ],
)
async def test_the_called_one_says_who_may_call(
    world: World, settings: dict[str, Any], home: bool, other: bool
) -> None:
    target = await world.create(document(node("A"), settings=settings))
    by = (await world.create(document(node("B"), id="old-caller"))).id
    for project, allowed, caller in ((HOME, home, by), (OTHER, other, "")):
        if allowed:
            assert (await resolve(world, target.id, project, caller)).workflow_id == target.id
        else:
            with refused(ErrorCode.NOT_FOUND):
                await resolve(world, target.id, project, caller)


async def test_tags_live_in_the_documents(world: World) -> None:
    made = await world.create(document(node("A"), tags=["one", {"name": "two"}], zz=1.50))
    await world.tags.Create(pb.CreateTagRequest(name=" three "))
    call = pb.SetTagsRequest(workflow_id=made.id, names=["two", "three", "two"])
    changed = (await world.tags.Set(call)).workflow
    assert list(changed.tags) == ["two", "three"]
    assert orjson.loads(changed.document)["tags"] == ["two", "three"]
    assert changed.version_id != made.version_id
    renamed = await world.tags.Rename(pb.RenameTagRequest(name="two", new_name="deux"))
    assert (renamed.tag.name, renamed.tag.workflow_count) == ("deux", 1)
    await world.tags.Delete(pb.DeleteTagRequest(name="three"))
    assert list((await world.get(made.id)).tags) == ["deux"]
    listed = (await world.tags.List(pb.ListTagsRequest())).tags
    assert [(tag.name, tag.workflow_count) for tag in listed] == [("deux", 1)]
    assert not (await world.tags.List(pb.ListTagsRequest(project_id=OTHER))).tags


async def test_tags_are_refused_where_they_make_no_sense(world: World) -> None:
    await world.tags.Create(pb.CreateTagRequest(name="a"))
    await world.tags.Create(pb.CreateTagRequest(name="b"))
    made = await world.create(document())
    for code, call in (
        (ErrorCode.CONFLICT, lambda: world.tags.Create(pb.CreateTagRequest(name="a"))),
        (ErrorCode.CONFLICT, lambda: world.tags.Rename(pb.RenameTagRequest(name="a", new_name="b"))),
        (ErrorCode.NOT_FOUND, lambda: world.tags.Rename(pb.RenameTagRequest(name="c", new_name="d"))),
        (ErrorCode.NOT_FOUND, lambda: world.tags.Delete(pb.DeleteTagRequest(name="c"))),
        (ErrorCode.VALIDATION_ERROR, lambda: world.tags.Create(pb.CreateTagRequest(name=" "))),
        (
            ErrorCode.VALIDATION_ERROR,
            lambda: world.tags.Set(
                pb.SetTagsRequest(workflow_id=made.id, names=[str(number) for number in range(51)])
            ),
        ),
    ):
        with refused(code):
            await call()
    with acting("bea"):
        assert len((await world.tags.List(pb.ListTagsRequest())).tags) == 2
        with refused(ErrorCode.FORBIDDEN):
            await world.tags.Create(pb.CreateTagRequest(name="c"))


async def test_a_document_of_no_workflow_is_kept_once_per_project(world: World) -> None:
    text = document(node("Start", "manualTrigger"))

    async def keep(project: str, given: bytes) -> pb.Version:
        request = pb.KeepDocumentRequest(project_id=project, document=given)
        return (await world.workflows.KeepDocument(request)).version

    first = await keep(HOME, text)
    assert (first.document, first.project_id) == (text, HOME)
    assert (await keep(HOME, text)).id == first.id
    assert (await keep(OTHER, text)).id != first.id
    found = await world.workflows.GetVersion(pb.GetVersionRequest(version_id=first.id))
    assert found.version.document == text
    with refused(ErrorCode.VALIDATION_ERROR):
        await keep(HOME, b"[]")
