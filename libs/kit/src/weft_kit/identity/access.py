"""The use cases' way to the one policy point, `Access` in auth, with a short memory."""

from typing import Final

from weft_contracts import messages, topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Envelope
from weft_contracts.pb import auth_pb2 as pb
from weft_contracts.rpc.auth import Access

from weft_kit.bus import EventBus
from weft_kit.identity.expiring import Expiring
from weft_kit.rpc import Caller, caller

SECONDS: Final = 5.0
"""How long an answer is believed unless an identity event says otherwise."""


class AccessPolicy:
    """What the caller of the current call may do."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._roles: Expiring[tuple[str, str, str], str] = Expiring()
        self._projects: Expiring[str, pb.ListProjectsResponse] = Expiring()

    def follow(self, bus: EventBus) -> None:
        """Forgets answers when users, projects or memberships change. Before the bus starts."""
        bus.subscribe(topics.IDENTITY_EVENTS, self._changed, group=None)

    async def require(self, project_id: str, action: str) -> str:
        """The caller's role. Raises UNAUTHENTICATED; NOT_FOUND where the project is not theirs; FORBIDDEN
        where their role, or the API key that they use, does not allow the action (for example
        `workflow:update`)."""
        who = caller()
        _check_scopes(who, action)
        question = (who.user_id, project_id, action)
        role = self._roles.get(question)
        if role is None:
            request = pb.AuthorizeRequest(user_id=who.user_id, project_id=project_id, action=action)
            role = (await self._access.Authorize(request)).role
            self._roles.put(question, role, SECONDS)
        return role

    async def projects(self, action: str = "") -> list[str]:
        """Ids of the caller's projects: what every look-up by id is limited to. Raises FORBIDDEN where the API key
        that they use does not allow the action."""
        if action:
            _check_scopes(caller(), action)
        return [project.id for project in (await self._list()).projects]

    async def default_project(self) -> str:
        """Where new things of the caller go unless a project is named."""
        return (await self._list()).default_project_id

    async def _list(self) -> pb.ListProjectsResponse:
        user_id = caller().user_id
        answer = self._projects.get(user_id)
        if answer is None:
            answer = await self._access.ListProjects(pb.ListProjectsRequest(user_id=user_id))
            self._projects.put(user_id, answer, SECONDS)
        return answer

    async def _changed(self, envelope: Envelope) -> None:
        if isinstance(envelope.body, messages.IdentityChanged):
            self._roles.clear()
            self._projects.drop(envelope.body.user_id)


def _check_scopes(who: Caller, action: str) -> None:
    """A scope is an action, or `workflow:*` for all of a kind."""
    if who.scopes and action not in who.scopes and f"{action.partition(':')[0]}:*" not in who.scopes:
        raise WeftError(ErrorCode.FORBIDDEN, f"The API key has no scope for {action}.", action=action)
