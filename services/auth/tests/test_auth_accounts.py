"""Registering, one's account, the audit log."""

import asyncio

import orjson
import pytest
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import INSTANCE_PROJECT, new_id
from weft_contracts.messages import AuditRecorded, Envelope, IdentityChanged
from weft_contracts.pb import auth_pb2 as pb

from services.auth.tests.auth_world import PASSWORD, World, refused

pytestmark = pytest.mark.integration


async def test_the_first_user_owns_the_installation(world: World) -> None:
    setup = await world.auth.GetSetup(pb.GetSetupRequest())
    assert (setup.needs_owner, setup.registration) == (True, "open")
    first = (await world.register(" Ada@Example.org ", first_name=" Ada  B. ")).user
    assert (first.email, first.role, first.first_name) == ("ada@example.org", "owner", "Ada B.")
    assert first.personal_project_id == INSTANCE_PROJECT
    second = (await world.register("bea@example.org")).user
    assert second.role == "user"
    assert second.personal_project_id != INSTANCE_PROJECT
    assert not (await world.auth.GetSetup(pb.GetSetupRequest())).needs_owner
    mine = await world.access.ListProjects(pb.ListProjectsRequest(user_id=first.id))
    assert [(each.id, each.name, each.kind, each.role) for each in mine.projects] == [
        (INSTANCE_PROJECT, "Ada B.'s project", "personal", "owner")
    ]
    assert mine.default_project_id == INSTANCE_PROJECT


async def test_of_two_who_register_at_once_one_is_the_owner(world: World) -> None:
    made = await asyncio.gather(*(world.register(f"u{n}@example.org") for n in range(4)))
    assert sorted(each.user.role for each in made) == ["owner", "user", "user", "user"]


@pytest.mark.parametrize("registration", ["invite", "closed"])
async def test_after_the_owner_nobody_registers_unasked(world: World, registration: str) -> None:
    await world.again(registration=registration)
    await world.register()
    with refused(ErrorCode.FORBIDDEN) as no:
        await world.register("bea@example.org")
    assert no.error.details == {"registration": registration}


async def test_an_address_has_one_account(world: World) -> None:
    await world.register()
    with refused(ErrorCode.CONFLICT):
        await world.register("ADA@example.org")


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        ("ada", PASSWORD, "email"),
        ("a@b", PASSWORD, "email"),
        (f"{'a' * 250}@example.org", PASSWORD, "email"),
        ("ada@example.org", "short", "password"),
        ("ada@example.org", "PassWord123", "password"),
        ("ada@example.org", "abababababab", "password"),
        ("ada@example.org", "ada@example.org", "password"),
        ("ada@example.org", "x" * 1025, "password"),
    ],
)
async def test_poor_registrations_are_refused(world: World, email: str, password: str, field: str) -> None:
    with refused(ErrorCode.VALIDATION_ERROR) as no:
        await world.auth.Register(pb.RegisterRequest(email=email, password=password))
    assert no.error.details["field"] == field


async def test_names_change_one_by_one(world: World) -> None:
    user = (await world.register(first_name="Ada", last_name="B")).user
    changed = await world.auth.UpdateUser(pb.UpdateUserRequest(user_id=user.id, last_name="C"))
    assert (changed.user.first_name, changed.user.last_name) == ("Ada", "C")
    found = await world.auth.GetUser(pb.GetUserRequest(user_id=user.id))
    assert found.user == changed.user
    with refused(ErrorCode.VALIDATION_ERROR):
        await world.auth.UpdateUser(pb.UpdateUserRequest(user_id=user.id, first_name="x" * 101))
    for call in (
        world.auth.GetUser(pb.GetUserRequest(user_id="nobody")),
        world.auth.UpdateUser(pb.UpdateUserRequest(user_id="nobody", first_name="x")),
        world.auth.ChangePassword(pb.ChangePasswordRequest(user_id="nobody", new_password=PASSWORD)),
    ):
        with refused(ErrorCode.NOT_FOUND):
            await call


async def test_a_new_password_ends_every_session(world: World) -> None:
    made = await world.register()
    change = pb.ChangePasswordRequest(
        user_id=made.user.id, current_password=PASSWORD, new_password="another passphrase"
    )
    await world.auth.ChangePassword(change)
    with refused(ErrorCode.UNAUTHENTICATED):
        await world.refresh(made.tokens.refresh_token)
    with refused(ErrorCode.UNAUTHENTICATED):
        await world.login()
    assert (await world.login(password="another passphrase")).user.id == made.user.id
    with refused(ErrorCode.FORBIDDEN):
        await world.auth.ChangePassword(change)
    weak = pb.ChangePasswordRequest(user_id=made.user.id, current_password=PASSWORD, new_password="x")
    with refused(ErrorCode.VALIDATION_ERROR):
        await world.auth.ChangePassword(weak)


async def test_guessing_the_current_password_is_slowed_down(world: World) -> None:
    user = (await world.register()).user
    wrong = pb.ChangePasswordRequest(
        user_id=user.id, current_password="wrong password", new_password="another passphrase"
    )
    for _ in range(5):
        with refused(ErrorCode.FORBIDDEN):
            await world.auth.ChangePassword(wrong)
    with refused(ErrorCode.RATE_LIMITED):
        await world.auth.ChangePassword(wrong)


async def test_no_password_is_stored_or_told(world: World) -> None:
    await world.register()
    for table in ("users", "sessions", "outbox", "audit_log"):
        rows = await world.rows(f"SELECT t::text FROM auth.{table} t")
        assert not any(PASSWORD in row[0] for row in rows), table
    hashed = (await world.rows("SELECT password_hash FROM auth.users"))[0][0]
    assert hashed.startswith("$2b$04$")


async def test_what_happened_is_told_and_kept_once(world: World) -> None:
    user = (await world.register()).user
    async with asyncio.timeout(60):
        while len(world.heard) < 3 or not await world.rows("SELECT 1 FROM auth.audit_log"):
            await asyncio.sleep(0.01)
    told = {each.body.action for each in world.heard if isinstance(each.body, IdentityChanged)}
    assert told == {"registered", "project_claimed"}
    record = next(each for each in world.heard if isinstance(each.body, AuditRecorded))
    await world.service.record(record)
    kept = await world.rows("SELECT actor, action, object_id FROM auth.audit_log")
    assert [tuple(row) for row in kept] == [(user.id, "user.registered", user.id)]


async def test_audit_events_of_other_services_are_kept(world: World) -> None:
    event = AuditRecorded("u1", "workflow.created", "workflow", "w1", "p1", 1_700_000_000_000_000)
    await world.service.record(Envelope(new_id(), event, "w1", "p1"))
    await world.service.record(Envelope(new_id(), IdentityChanged("u1", "updated"), "u1", ""))
    rows = await world.rows("SELECT actor, action, at FROM auth.audit_log")
    assert [(row["actor"], row["action"], row["at"].year) for row in rows] == [
        ("u1", "workflow.created", 2023)
    ]


async def test_an_installation_stays_itself(world: World) -> None:
    made = await world.register()
    before = await world.auth.GetKeys(pb.GetKeysRequest())
    assert [key["crv"] for key in orjson.loads(before.jwks)["keys"]] == ["Ed25519"]
    assert b'"d"' not in before.jwks
    await world.again()
    assert await world.auth.GetKeys(pb.GetKeysRequest()) == before
    assert (await world.verifier.verify(made.tokens.access_token)).user_id == made.user.id
    assert world.service.ready() == ""
    await world.stop()
    assert world.service.ready() == "not running"
    with pytest.raises(WeftError, match="another WEFT_MASTER_KEY"):
        await world.boot(master_key="another master key of some length")
    await world.bus.stop()
    await world.database.close()
    await world.boot()
