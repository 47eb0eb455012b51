from collections.abc import Callable, Iterator
from typing import cast

import pytest
from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Envelope, IdentityChanged
from weft_contracts.pb import auth_pb2 as pb
from weft_kit import rpc
from weft_kit.bus import EventBus, Handler
from weft_kit.identity.access import AccessPolicy


class Projects:
    """The policy point: `members` says who is what where."""

    def __init__(self) -> None:
        self.members = {("ada", "p1"): "owner", ("ada", "p2"): "viewer"}
        self.asked = 0

    async def ListProjects(self, request: pb.ListProjectsRequest) -> pb.ListProjectsResponse:
        self.asked += 1
        mine = [project for user, project in self.members if user == request.user_id]
        projects = [pb.Project(id=project) for project in mine]
        return pb.ListProjectsResponse(projects=projects, default_project_id=mine[0])

    async def Authorize(self, request: pb.AuthorizeRequest) -> pb.AuthorizeResponse:
        self.asked += 1
        role = self.members.get((request.user_id, request.project_id))
        if role is None:
            raise WeftError(ErrorCode.NOT_FOUND, "No such project.")
        return pb.AuthorizeResponse(role=role)


class OneSubscriber:
    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}

    def subscribe(self, topic: str, handler: Handler, group: str | None) -> None:
        assert group is None
        self.handlers[topic] = handler


@pytest.fixture
def sign_in() -> Iterator[Callable[..., None]]:
    token = rpc.current.set(None)

    def enter(user: str, *scopes: str) -> None:
        rpc.current.set(rpc.Caller(user, scopes))

    yield enter
    rpc.current.reset(token)


async def test_asks_once_for_the_same_question(sign_in: Callable[..., None]) -> None:
    projects = Projects()
    policy = AccessPolicy(projects)
    sign_in("ada")
    assert [await policy.require("p1", "workflow:read") for _ in range(3)] == ["owner"] * 3
    assert await policy.require("p2", "workflow:read") == "viewer"
    assert await policy.projects() == ["p1", "p2"]
    assert await policy.default_project() == "p1"
    assert projects.asked == 3
    with pytest.raises(WeftError) as caught:
        await policy.require("p3", "workflow:read")
    assert caught.value.code is ErrorCode.NOT_FOUND


async def test_nobody_may_nothing() -> None:
    policy = AccessPolicy(Projects())
    for question in (policy.require("p1", "workflow:read"), policy.projects(), policy.default_project()):
        with pytest.raises(WeftError) as caught:
            await question
        assert caught.value.code is ErrorCode.UNAUTHENTICATED


async def test_api_key_scopes_narrow_what_the_user_may(sign_in: Callable[..., None]) -> None:
    policy = AccessPolicy(Projects())
    sign_in("ada", "workflow:read", "execution:*")
    assert await policy.require("p1", "workflow:read") == "owner"
    assert await policy.require("p1", "execution:stop") == "owner"
    for action in ("workflow:update", "credential:read", "workflow"):
        with pytest.raises(WeftError) as caught:
            await policy.require("p1", action)
        assert caught.value.code is ErrorCode.FORBIDDEN


async def test_identity_events_end_what_was_believed(sign_in: Callable[..., None]) -> None:
    projects, bus = Projects(), OneSubscriber()
    policy = AccessPolicy(projects)
    policy.follow(cast("EventBus", bus))
    sign_in("ada")
    assert await policy.require("p1", "workflow:read") == "owner"
    assert await policy.projects() == ["p1", "p2"]
    del projects.members["ada", "p1"]
    changed = IdentityChanged(user_id="ada", action="membership", project_id="p1")
    await bus.handlers[topics.IDENTITY_EVENTS](Envelope("e", changed))
    assert await policy.projects() == ["p2"]
    with pytest.raises(WeftError):
        await policy.require("p1", "workflow:read")
