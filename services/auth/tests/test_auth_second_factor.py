"""Codes of an authenticator app, recovery codes, and looking after one's sessions."""

import pyotp
import pytest
from weft_contracts.errors import ErrorCode
from weft_contracts.pb import auth_pb2 as pb

from services.auth.tests.auth_world import PASSWORD, World, refused

pytestmark = pytest.mark.integration


async def _with_app(world: World) -> tuple[str, pyotp.TOTP, list[str]]:
    """A user whose second factor is on: id, app, recovery codes."""
    user_id = (await world.register()).user.id
    made = await world.auth.SetUpTwoFactor(pb.SetUpTwoFactorRequest(user_id=user_id))
    assert made.uri.startswith("otpauth://totp/Weft:ada%40example.org?secret=" + made.secret)
    app = pyotp.TOTP(made.secret)
    code = app.at(world.clock())
    enabled = await world.auth.EnableTwoFactor(pb.EnableTwoFactorRequest(user_id=user_id, code=code))
    world.clock.go(seconds=60)
    return user_id, app, list(enabled.recovery_codes)


async def _login(world: World, code: str) -> pb.LoginResponse:
    return await world.auth.Login(pb.LoginRequest(email="ada@example.org", password=PASSWORD, code=code))


async def test_a_set_up_counts_once_the_app_has_shown_a_code(world: World) -> None:
    user_id = (await world.register()).user.id
    await world.auth.SetUpTwoFactor(pb.SetUpTwoFactorRequest(user_id=user_id))
    await world.login()
    with refused(ErrorCode.FORBIDDEN):
        await world.auth.EnableTwoFactor(pb.EnableTwoFactorRequest(user_id=user_id, code="no code"))
    assert not (await world.auth.GetTwoFactor(pb.GetTwoFactorRequest(user_id=user_id))).enabled


async def test_a_code_signs_in_once(world: World) -> None:
    user_id, app, _ = await _with_app(world)
    with refused(ErrorCode.UNAUTHENTICATED) as missing:
        await _login(world, "")
    assert missing.error.details["second_factor"] == "required"
    code = app.at(world.clock())
    assert (await _login(world, f"{code[:3]} {code[3:]}")).user.id == user_id
    with refused(ErrorCode.UNAUTHENTICATED) as again:
        await _login(world, code)
    assert again.error.details["second_factor"] == "wrong"
    with refused(ErrorCode.CONFLICT):
        await world.auth.SetUpTwoFactor(pb.SetUpTwoFactorRequest(user_id=user_id))


async def test_a_wrong_password_says_nothing_of_the_second_factor(world: World) -> None:
    await _with_app(world)
    with refused(ErrorCode.UNAUTHENTICATED) as no:
        await world.login(password="a wrong passphrase")
    assert "second_factor" not in no.error.details


async def test_clocks_may_differ_by_a_step_and_no_more(world: World) -> None:
    _, app, _ = await _with_app(world)
    now = world.clock()
    with refused(ErrorCode.UNAUTHENTICATED):
        await _login(world, app.at(now, counter_offset=2))
    await _login(world, app.at(now, counter_offset=1))
    with refused(ErrorCode.UNAUTHENTICATED):  # older than the one that was taken
        await _login(world, app.at(now))


async def test_each_recovery_code_stands_in_once(world: World) -> None:
    user_id, _, codes = await _with_app(world)
    assert len(set(codes)) == 10
    await _login(world, codes[3].upper())
    with refused(ErrorCode.UNAUTHENTICATED):
        await _login(world, codes[3])
    state = await world.auth.GetTwoFactor(pb.GetTwoFactorRequest(user_id=user_id))
    assert (state.enabled, state.recovery_codes_left) == (True, 9)
    stored = await world.rows("SELECT secret, recovery FROM auth.second_factors")
    assert codes[0].replace("-", "").encode() not in stored[0]["recovery"]


async def test_guessing_codes_makes_one_wait(world: World) -> None:
    await _with_app(world)
    for n in range(5):
        with refused(ErrorCode.UNAUTHENTICATED):
            await _login(world, f"guess {n}")
    with refused(ErrorCode.RATE_LIMITED):
        await _login(world, "guess")


async def test_it_goes_off_by_a_code_only(world: World) -> None:
    user_id, app, _ = await _with_app(world)
    with refused(ErrorCode.FORBIDDEN):
        await world.auth.DisableTwoFactor(pb.DisableTwoFactorRequest(user_id=user_id, code="wrong"))
    code = app.at(world.clock())
    await world.auth.DisableTwoFactor(pb.DisableTwoFactorRequest(user_id=user_id, code=code))
    await world.login()
    assert not (await world.auth.GetTwoFactor(pb.GetTwoFactorRequest(user_id=user_id))).enabled


async def test_sessions_are_listed_and_ended_one_by_one(world: World) -> None:
    user = (await world.register()).user
    world.clock.go(seconds=5)
    phone = await world.auth.Login(
        pb.LoginRequest(email="ada@example.org", password=PASSWORD, address="192.0.2.7", user_agent="Phone")
    )
    call = pb.ListSessionsRequest(user_id=user.id, refresh_token=phone.tokens.refresh_token)
    listed = list((await world.auth.ListSessions(call)).sessions)
    assert [(each.user_agent, each.address, each.current) for each in listed] == [
        ("Phone", "192.0.2.7", True),
        ("", "", False),
    ]
    other = (await world.register("bob@example.org")).user
    with refused(ErrorCode.NOT_FOUND):
        await world.auth.RevokeSession(pb.RevokeSessionRequest(user_id=other.id, session_id=listed[0].id))
    await world.auth.RevokeSession(pb.RevokeSessionRequest(user_id=user.id, session_id=listed[0].id))
    with refused(ErrorCode.UNAUTHENTICATED):
        await world.refresh(phone.tokens.refresh_token)
    assert [each.id for each in (await world.auth.ListSessions(call)).sessions] == [listed[1].id]
