"""Signing in, refresh tokens, access tokens."""

import time

import orjson
import pytest
from joserfc import jws, jwt
from joserfc.jwk import OKPKey
from weft_auth.adapters.bcrypt_hasher import BcryptHasher
from weft_auth.domain.lockout import Failures
from weft_contracts.errors import ErrorCode
from weft_contracts.pb import auth_pb2 as pb
from weft_kit.rpc import Caller, current

from services.auth.tests.auth_world import Clock, World, refused

pytestmark = pytest.mark.integration


async def test_a_right_pair_opens_a_session(world: World) -> None:
    user = (await world.register()).user
    made = await world.login(" ADA@example.org ")
    assert made.user.id == user.id
    assert made.tokens.expires_in == 900
    assert (await world.verifier.verify(made.tokens.access_token)).user_id == user.id


async def test_unknown_users_and_wrong_passwords_look_alike(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.register()
    compared: list[bool] = []
    verify = BcryptHasher._verify

    def counting(hasher: BcryptHasher, password: str, hashed: str | None) -> bool:
        compared.append(hashed is not None)
        return verify(hasher, password, hashed)

    monkeypatch.setattr(BcryptHasher, "_verify", counting)
    with refused(ErrorCode.UNAUTHENTICATED) as known:
        await world.login(password="a wrong passphrase")
    with refused(ErrorCode.UNAUTHENTICATED) as unknown:
        await world.login("nobody@example.org")
    assert known.error.message == unknown.error.message
    assert known.error.details == unknown.error.details
    assert compared == [True, False]  # bcrypt worked for both


def test_nobodys_hash_costs_what_others_cost() -> None:
    hasher = BcryptHasher(4)
    try:
        assert hasher._hash("x").split("$")[2] == hasher._nobodys.split("$")[2] == "04"
        assert len(hasher._nobodys) == 60
        assert hasher._verify("anything", None) is False
    finally:
        hasher.close()


async def test_too_many_wrong_passwords_make_one_wait(world: World) -> None:
    await world.register()
    for _ in range(5):
        with refused(ErrorCode.UNAUTHENTICATED):
            await world.login(password="a wrong passphrase")
    with refused(ErrorCode.RATE_LIMITED) as no:
        await world.login()  # even the right one
    assert no.error.details["retry_after"] == pytest.approx(1.0)
    world.clock.go(seconds=1.1)
    with refused(ErrorCode.UNAUTHENTICATED):
        await world.login(password="a wrong passphrase")
    with refused(ErrorCode.RATE_LIMITED) as no:
        await world.login()
    assert no.error.details["retry_after"] == pytest.approx(2.0)
    world.clock.go(seconds=2.1)
    await world.login()
    for _ in range(5):  # the count has begun anew
        with refused(ErrorCode.UNAUTHENTICATED):
            await world.login(password="a wrong passphrase")


async def test_an_address_waits_for_all_its_accounts(world: World) -> None:
    await world.register()
    for n in range(20):
        with refused(ErrorCode.UNAUTHENTICATED):
            await world.login(f"u{n}@example.org", address="192.0.2.9")
    with refused(ErrorCode.RATE_LIMITED):
        await world.login(address="192.0.2.9")
    await world.login(address="192.0.2.10")
    world.clock.go(days=1.1)
    with refused(ErrorCode.UNAUTHENTICATED):
        await world.login("u1@example.org", address="192.0.2.9")
    assert [row["count"] for row in await world.rows("SELECT count FROM auth.sign_in_failures")] == [1, 1]


def test_waits_double_up_to_a_quarter_of_an_hour() -> None:
    now = Clock().now
    waits = [Failures(count, now).wait("account", now) for count in (4, 5, 6, 10, 60)]
    assert waits == [0, 1, 2, 32, 900]


async def test_a_refresh_token_works_once_and_its_reuse_ends_the_family(world: World) -> None:
    first = (await world.register()).tokens
    other = (await world.login()).tokens
    second = await world.refresh(first.refresh_token)
    assert (await world.verifier.verify(second.tokens.access_token)).user_id == second.user.id
    third = await world.refresh(second.tokens.refresh_token)
    with refused(ErrorCode.UNAUTHENTICATED):
        await world.refresh(first.refresh_token)
    with refused(ErrorCode.UNAUTHENTICATED):
        await world.refresh(third.tokens.refresh_token)
    await world.refresh(other.refresh_token)  # another family lives on


async def test_sessions_end_by_themselves(world: World) -> None:
    token = (await world.register()).tokens.refresh_token
    world.clock.go(days=6.9)
    token = (await world.refresh(token)).tokens.refresh_token
    world.clock.go(days=6.9)
    token = (await world.refresh(token)).tokens.refresh_token
    world.clock.go(days=7.1)
    with refused(ErrorCode.UNAUTHENTICATED):
        await world.refresh(token)


@pytest.mark.parametrize("token", ["", "x", "ü" * 64, "A" * 64, "-_" * 32])
async def test_made_up_refresh_tokens_are_refused(world: World, token: str) -> None:
    with refused(ErrorCode.UNAUTHENTICATED):
        await world.refresh(token)


async def test_signing_out_ends_this_session_or_all(world: World) -> None:
    first, second, third = ((await world.register()), await world.login(), await world.login())
    await world.auth.Logout(pb.LogoutRequest(refresh_token=first.tokens.refresh_token))
    with refused(ErrorCode.UNAUTHENTICATED):
        await world.refresh(first.tokens.refresh_token)
    second = await world.refresh(second.tokens.refresh_token)  # type: ignore[assignment]
    await world.auth.Logout(pb.LogoutRequest(refresh_token=second.tokens.refresh_token, everywhere=True))
    for made in (second, third):
        with refused(ErrorCode.UNAUTHENTICATED):
            await world.refresh(made.tokens.refresh_token)
    await world.auth.Logout(pb.LogoutRequest(refresh_token="gone"))


@pytest.mark.parametrize(("scopes", "ends"), [((), True), (("workflow:read",), False)])
async def test_who_is_signed_in_can_end_all_sessions(
    world: World, scopes: tuple[str, ...], ends: bool
) -> None:
    made = await world.register()
    token = current.set(Caller(made.user.id, scopes))
    try:
        await world.auth.Logout(pb.LogoutRequest(everywhere=True))
    finally:
        current.reset(token)
    revoked = await world.rows("SELECT revoked FROM auth.sessions")
    assert [row["revoked"] for row in revoked] == [ends]


async def test_access_tokens_are_judged_by_their_key(world: World) -> None:
    made = await world.register()
    header = jws.extract_compact(made.tokens.access_token.encode()).headers()
    known = orjson.loads((await world.auth.GetKeys(pb.GetKeysRequest())).jwks)["keys"][0]
    assert (header["kid"], header["alg"]) == (known["kid"], "Ed25519")
    claims = {"iss": world.service._installation.issuer, "aud": "weft-api", "sub": made.user.id}
    claims |= {"exp": int(time.time()) + 60}  # type: ignore[dict-item]
    for kid in (known["kid"], "another"):
        forged = OKPKey.generate_key("Ed25519", {"kid": kid})
        token = jwt.encode({"alg": "Ed25519", "kid": kid}, claims, forged, algorithms=["Ed25519"])
        with refused(ErrorCode.UNAUTHENTICATED):
            await world.verifier.verify(token)
    own = world.service._installation._key
    for wrong in ({"iss": "another"}, {"aud": "another"}, {"exp": int(time.time()) - 60}):
        header = {"alg": "Ed25519", "kid": known["kid"]}
        with refused(ErrorCode.UNAUTHENTICATED):
            await world.verifier.verify(jwt.encode(header, {**claims, **wrong}, own, algorithms=["Ed25519"]))
    retired = "UPDATE auth.signing_keys SET retired_at = now() RETURNING kid"
    assert [row["kid"] for row in await world.rows(retired)] == [known["kid"]]
