"""Sign-ins are open once, in one browser, for a time; new tokens are got by one at a time."""

import asyncio

import orjson
import pytest
from weft_contracts.errors import ErrorCode
from weft_contracts.messages import AuditRecorded, CredentialChanged
from weft_contracts.pb import workflow_store_pb2 as pb
from weft_workflow_store.adapters import postgres_sign_ins

from .store_world import HOME, OTHER, World, acting, refused

pytestmark = pytest.mark.integration
BROWSER = "cookie of the browser"


async def keep(world: World, **data: object) -> pb.Credential:
    call = pb.CreateCredentialRequest(name="Login", type="oAuth2Api", data=orjson.dumps(data))
    return (await world.credentials.Create(call)).credential


async def begin(world: World, credential_id: str, *, secret: bytes = b"{}", state: str = "") -> str:
    call = pb.BeginSignInRequest(credential_id=credential_id, binding=BROWSER, secret=secret, state=state)
    return (await world.credentials.BeginSignIn(call)).state


async def take(world: World, state: str, binding: str = BROWSER) -> pb.TakeSignInResponse:
    return await world.credentials.TakeSignIn(pb.TakeSignInRequest(state=state, binding=binding))


async def lease(
    world: World, credential_id: str, stale: str = "", project: str = HOME
) -> pb.LeaseTokensResponse:
    call = pb.LeaseTokensRequest(credential_id=credential_id, project_id=project, stale=stale)
    return await world.credentials.LeaseTokens(call)


async def put(world: World, credential_id: str, held: str, token: str) -> None:
    tokens = orjson.dumps({"access_token": token}) if token else b""
    await world.credentials.PutTokens(
        pb.PutTokensRequest(credential_id=credential_id, lease=held, tokens=tokens)
    )


async def connected(world: World, credential_id: str) -> bool:
    found = await world.credentials.Get(pb.GetCredentialRequest(credential_id=credential_id))
    return found.credential.HasField("connected_at")


async def test_a_sign_in_ends_once_and_connects(world: World) -> None:
    kept = await keep(world, clientId="me")
    assert not await connected(world, kept.id)
    state = await begin(world, kept.id, secret=b'{"verifier":"v"}')
    assert await begin(world, kept.id, secret=b'{"verifier":"w"}', state=state) == state
    found = await take(world, state)
    assert (found.credential_id, found.project_id, found.secret) == (kept.id, HOME, b'{"verifier":"w"}')
    assert orjson.loads(found.data) == {"clientId": "me"}
    with refused(ErrorCode.VALIDATION_ERROR):
        await take(world, state)
    await put(world, kept.id, found.lease, "t1")
    assert await connected(world, kept.id)
    rows = await world.rows("SELECT c::text AS row FROM workflow_store.credentials c")
    assert not any("t1" in row["row"] or b"t1".hex() in row["row"] for row in rows)
    audit = await world.told(2, kept.id, AuditRecorded)
    assert [event.action for event in audit] == ["credential.created", "credential.signed_in"]
    assert len(await world.told(2, kept.id, CredentialChanged)) == 2


async def test_another_browser_a_made_up_state_and_an_old_one_are_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, other = await keep(world), await keep(world)
    state = await begin(world, kept.id)
    await begin(world, other.id)
    for wrong in (state[:-4] + "AAAA", "", "x", "é", state.swapcase()):
        with refused(ErrorCode.VALIDATION_ERROR):
            await take(world, wrong)
    with refused(ErrorCode.VALIDATION_ERROR):
        await take(world, state, "another browser")
    assert (await take(world, state)).credential_id == kept.id
    older = await begin(world, kept.id)
    newer = await begin(world, kept.id)
    with refused(ErrorCode.VALIDATION_ERROR):
        await take(world, older)
    monkeypatch.setattr(postgres_sign_ins, "SIGN_IN_SECONDS", -1.0)
    late = await begin(world, kept.id)
    for ended in (newer, late):
        with refused(ErrorCode.VALIDATION_ERROR):
            await take(world, ended)


async def test_who_may_not_change_a_credential_signs_nobody_in(world: World) -> None:
    kept = await keep(world)
    with acting("bea"), refused(ErrorCode.FORBIDDEN):
        await begin(world, kept.id)
    state = await begin(world, kept.id)
    with acting("bea"):  # the callback comes without a token: the one who began counts
        assert (await take(world, state)).credential_id == kept.id


async def test_of_many_that_need_a_token_one_gets_the_lease(world: World) -> None:
    kept = await keep(world, oauthTokenData={"access_token": "old", "refresh_token": "r"})
    assert await connected(world, kept.id)
    answers = await asyncio.gather(*(lease(world, kept.id, "old") for _ in range(8)))
    granted = [each.lease for each in answers if each.lease]
    assert len(granted) == 1
    assert sum(each.busy for each in answers) == 7
    await put(world, kept.id, granted[0], "new")
    found = await lease(world, kept.id, "old")
    assert (found.lease, found.busy) == ("", False)
    assert orjson.loads(found.data)["oauthTokenData"] == {"access_token": "new"}
    with refused(ErrorCode.NOT_FOUND):
        await lease(world, kept.id, "new", OTHER)


async def test_a_lease_that_is_over_writes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = await keep(world, clientId="a")
    first = (await lease(world, kept.id)).lease
    await put(world, kept.id, first, "")
    second = (await lease(world, kept.id)).lease
    assert second not in {"", first}
    with refused(ErrorCode.CONFLICT):
        await put(world, kept.id, first, "late")
    change = pb.UpdateCredentialRequest(credential_id=kept.id, data=b'{"clientId":"b"}')
    await world.credentials.Update(change)
    for held in (second, ""):
        with refused(ErrorCode.CONFLICT):
            await put(world, kept.id, held, "for the old client")
    assert not await connected(world, kept.id)
    monkeypatch.setattr(postgres_sign_ins, "LEASE_SECONDS", -1)
    died = (await lease(world, kept.id)).lease
    again = (await lease(world, kept.id)).lease
    assert again not in {"", died}
