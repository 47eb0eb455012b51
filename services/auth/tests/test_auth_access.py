"""API keys, and the one policy point."""

from datetime import timedelta

import pytest
from weft_auth.application.commands.api_keys import MOST_KEYS
from weft_auth.domain.roles import allows
from weft_contracts.errors import ErrorCode
from weft_contracts.pb import auth_pb2 as pb

from services.auth.tests.auth_world import World, refused

pytestmark = pytest.mark.integration


async def make(world: World, user_id: str, *scopes: str, **life: float) -> pb.CreateApiKeyResponse:
    call = pb.CreateApiKeyRequest(user_id=user_id, name=" Script ", scopes=scopes)
    if life:
        call.expires_at.FromDatetime(world.clock.now + timedelta(**life))
    return await world.auth.CreateApiKey(call)


async def test_a_key_is_shown_once_and_kept_as_a_hash(world: World) -> None:
    user = (await world.register()).user
    made = await make(world, user.id, "workflow:read", "execution:*", "workflow:read")
    assert made.api_key.name == "Script"
    assert made.key.startswith(made.api_key.prefix)
    stored = (await world.rows("SELECT k::text AS row, digest, salt FROM auth.api_keys k"))[0]
    assert made.key not in stored["row"]
    assert (len(stored["digest"]), len(stored["salt"])) == (32, 16)
    found = await world.auth.VerifyApiKey(pb.VerifyApiKeyRequest(key=made.key))
    assert (found.user_id, list(found.scopes)) == (user.id, ["workflow:read", "execution:*"])
    listed = await world.auth.ListApiKeys(pb.ListApiKeysRequest(user_id=user.id))
    assert listed.api_keys[0].last_used_at.ToDatetime() == world.clock.now.replace(tzinfo=None)
    assert (await world.verifier.verify_api_key(made.key)).scopes == ("workflow:read", "execution:*")


async def test_use_is_noted_at_most_once_a_minute(world: World) -> None:
    user = (await world.register()).user
    key = (await make(world, user.id)).key
    first = world.clock.now
    for seconds in (0, 30, 40):
        world.clock.go(seconds=seconds)
        await world.auth.VerifyApiKey(pb.VerifyApiKeyRequest(key=key))
    rows = await world.rows("SELECT last_used_at FROM auth.api_keys")
    assert rows[0][0] == first + timedelta(seconds=70)


async def test_keys_expire_and_are_revoked(world: World) -> None:
    user, other = (await world.register()).user, (await world.register("bea@example.org")).user
    brief, kept = await make(world, user.id, hours=1), await make(world, user.id)
    world.clock.go(hours=1.1)
    with refused(ErrorCode.UNAUTHENTICATED):
        await world.auth.VerifyApiKey(pb.VerifyApiKeyRequest(key=brief.key))
    with refused(ErrorCode.NOT_FOUND):
        call = pb.DeleteApiKeyRequest(user_id=other.id, api_key_id=kept.api_key.id)
        await world.auth.DeleteApiKey(call)
    await world.auth.VerifyApiKey(pb.VerifyApiKeyRequest(key=kept.key))
    await world.auth.DeleteApiKey(pb.DeleteApiKeyRequest(user_id=user.id, api_key_id=kept.api_key.id))
    with refused(ErrorCode.UNAUTHENTICATED):
        await world.auth.VerifyApiKey(pb.VerifyApiKeyRequest(key=kept.key))
    assert not (await world.auth.ListApiKeys(pb.ListApiKeysRequest(user_id=other.id))).api_keys


async def test_half_a_key_is_no_key(world: World) -> None:
    user = (await world.register()).user
    key = (await make(world, user.id)).key
    for wrong in ("", "weft_", key[:-1], key[:-1] + ("A" if key[-1] != "A" else "B"), key + "A", "ü"):
        with refused(ErrorCode.UNAUTHENTICATED):
            await world.auth.VerifyApiKey(pb.VerifyApiKeyRequest(key=wrong))


async def test_poor_keys_are_refused(world: World) -> None:
    user = (await world.register()).user
    for scope in ("everything", "workflow:", "*:*", "workflow:read;", "W:read", "workflow:fly", "dragon:*"):
        with refused(ErrorCode.VALIDATION_ERROR):
            await make(world, user.id, scope)
    with refused(ErrorCode.VALIDATION_ERROR):
        await make(world, user.id, hours=-1)
    with refused(ErrorCode.VALIDATION_ERROR):
        await world.auth.CreateApiKey(pb.CreateApiKeyRequest(user_id=user.id, name="  "))
    for _ in range(MOST_KEYS):
        await make(world, user.id)
    with refused(ErrorCode.CONFLICT):
        await make(world, user.id)


LEAST = {
    "workflow:read": "viewer",
    "execution:list": "viewer",
    "audit:read": "admin",
    "workflow:execute": "operator",
    "execution:stop": "operator",
    "execution:retry": "operator",
    "workflow:create": "editor",
    "workflow:publish": "editor",
    "credential:update": "editor",
    "credential:use": "editor",
    "variable:delete": "editor",
    "member:create": "admin",
    "project:update": "admin",
    "project:delete": "owner",
    "project:transfer": "owner",
    "workflow:unheard_of": "owner",
    "nonsense": "owner",
}
ROLES = ("viewer", "operator", "editor", "admin", "owner")


@pytest.mark.parametrize("action", LEAST)
def test_a_role_may_what_those_below_it_may(action: str) -> None:
    allowed = [role for role in ROLES if allows(role, action)]
    assert allowed == list(ROLES[ROLES.index(LEAST[action]) :])
    assert not allows("stranger", action)


async def test_the_policy_point_answers_by_membership(world: World) -> None:
    owner, member = (await world.register()).user, (await world.register("bea@example.org")).user
    project = owner.personal_project_id

    async def ask(action: str, user_id: str = member.id) -> str:
        call = pb.AuthorizeRequest(user_id=user_id, project_id=project, action=action)
        return (await world.access.Authorize(call)).role

    with refused(ErrorCode.NOT_FOUND):
        await ask("workflow:read")
    insert = "INSERT INTO auth.project_members (project_id, user_id, role) VALUES ($1, $2, 'viewer')"
    await world.rows(insert, project, member.id)
    assert await ask("workflow:read") == "viewer"
    with refused(ErrorCode.FORBIDDEN) as no:
        await ask("workflow:update")
    assert no.error.details == {"action": "workflow:update", "role": "viewer"}
    assert await ask("project:delete", owner.id) == "owner"
    mine = await world.access.ListProjects(pb.ListProjectsRequest(user_id=member.id))
    assert {each.id for each in mine.projects} == {project, member.personal_project_id}
    assert mine.default_project_id == member.personal_project_id
    with refused(ErrorCode.NOT_FOUND):
        await world.access.ListProjects(pb.ListProjectsRequest(user_id="nobody"))
