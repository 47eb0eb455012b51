"""Credentials and variables: sealed at rest, opened for tasks only."""

import orjson
import pytest
from weft_contracts.errors import ErrorCode
from weft_contracts.messages import AuditRecorded, CredentialChanged
from weft_contracts.pb import workflow_store_pb2 as pb

from .store_world import HOME, OTHER, World, acting, refused

pytestmark = pytest.mark.integration
SECRET = "s3cr3t-passphrase"


async def keep(world: World, name: str = "Login", project_id: str = "") -> pb.Credential:
    data = orjson.dumps({"user": "ada", "password": SECRET})
    call = pb.CreateCredentialRequest(name=name, type="httpBasicAuth", data=data, project_id=project_id)
    return (await world.credentials.Create(call)).credential


async def opened(world: World, credential_id: str, project_id: str = HOME) -> dict[str, str]:
    call = pb.DecryptRequest(credential_id=credential_id, project_id=project_id)
    found: dict[str, str] = orjson.loads((await world.credentials.Decrypt(call)).data)
    return found


async def test_a_secret_is_sealed_and_opens_for_its_project_only(world: World) -> None:
    kept = await keep(world)
    assert await opened(world, kept.id) == {"user": "ada", "password": SECRET}
    with refused(ErrorCode.NOT_FOUND):
        await opened(world, kept.id, OTHER)
    for table in ("credentials", "outbox"):
        rows = await world.rows(f"SELECT t::text AS row FROM workflow_store.{table} t")
        assert not any(SECRET in row["row"] or SECRET.encode().hex() in row["row"] for row in rows)


async def test_no_answer_holds_a_secret(world: World) -> None:
    kept = await keep(world)
    change = pb.UpdateCredentialRequest(credential_id=kept.id, name="New")
    answers = (
        kept,
        await world.credentials.Get(pb.GetCredentialRequest(credential_id=kept.id)),
        await world.credentials.List(pb.ListCredentialsRequest()),
        await world.credentials.Update(change),
    )
    for answer in answers:
        assert SECRET.encode() not in answer.SerializeToString()


async def test_equal_secrets_look_different_and_are_not_exchangeable(world: World) -> None:
    first, second = await keep(world), await keep(world)
    rows = await world.rows("SELECT wrapped_key, data FROM workflow_store.credentials")
    assert len({row["data"] for row in rows}) == len({row["wrapped_key"] for row in rows}) == 2
    swap = (
        "UPDATE workflow_store.credentials SET (wrapped_key, data) = "
        "(SELECT wrapped_key, data FROM workflow_store.credentials WHERE id = $1) WHERE id = $2"
    )
    await world.rows(swap, first.id, second.id)
    with refused(ErrorCode.INTERNAL):
        await opened(world, second.id)
    assert await opened(world, first.id)


async def test_another_master_key_opens_nothing(world: World) -> None:
    kept = await keep(world)
    await world.again(master_key="another key of enough characters")
    with refused(ErrorCode.INTERNAL):
        await opened(world, kept.id)


async def test_credentials_are_changed_in_parts(world: World) -> None:
    kept = await keep(world)
    change = pb.UpdateCredentialRequest(credential_id=kept.id, name="Renamed")
    assert (await world.credentials.Update(change)).credential.name == "Renamed"
    assert (await opened(world, kept.id))["password"] == SECRET
    change = pb.UpdateCredentialRequest(credential_id=kept.id, data=b'{"password":"new"}')
    assert (await world.credentials.Update(change)).credential.name == "Renamed"
    assert await opened(world, kept.id) == {"password": "new"}
    await world.credentials.Delete(pb.DeleteCredentialRequest(credential_id=kept.id))
    with refused(ErrorCode.NOT_FOUND):
        await opened(world, kept.id)
    events = await world.told(4, kept.id, CredentialChanged)
    assert [event.action for event in events] == ["created", "updated", "updated", "deleted"]
    audit = await world.told(4, kept.id, AuditRecorded)
    assert {event.actor for event in audit} == {"ada"}
    assert audit[0].action == "credential.created"


async def test_some_fields_are_changed_and_the_others_kept(world: World) -> None:
    kept = await keep(world)

    async def change(data: dict[str, object]) -> dict[str, str]:
        call = pb.UpdateCredentialRequest(credential_id=kept.id, data=orjson.dumps(data), partial=True)
        assert (await world.credentials.Update(call)).credential.name == "Login"
        return await opened(world, kept.id)

    assert await change({"user": "bea"}) == {"user": "bea", "password": SECRET}
    assert await change({}) == {"user": "bea", "password": SECRET}
    assert await change({"password": "new", "user": None}) == {"password": "new"}
    signed_in = {"password": "new", "oauthTokenData": {"access_token": "t"}}
    assert await change({"oauthTokenData": {"access_token": "t"}}) == signed_in
    assert await change({"password": "new"}) == signed_in
    assert await change({"user": "ada"}) == {"user": "ada", "password": "new"}
    with refused(ErrorCode.VALIDATION_ERROR):
        await change([])  # type: ignore[arg-type]


async def test_a_kept_secret_does_not_go_to_another_place(world: World) -> None:
    held = {"url": "https://api.openai.test/v1", "apiKey": SECRET}
    call = pb.CreateCredentialRequest(name="n", type="openAiApi", data=orjson.dumps(held))
    kept = (await world.credentials.Create(call)).credential
    move = {"url": "https://evil.test/v1"}

    def change(data: dict[str, str]) -> pb.UpdateCredentialRequest:
        return pb.UpdateCredentialRequest(
            credential_id=kept.id, name="Moved", data=orjson.dumps(data), partial=True
        )

    with refused(ErrorCode.VALIDATION_ERROR):
        await world.credentials.Update(change(move))
    found = await world.credentials.Get(pb.GetCredentialRequest(credential_id=kept.id))
    assert found.credential.name == "n"  # all or nothing
    assert await opened(world, kept.id) == held
    await world.credentials.Update(change({**move, "apiKey": "new"}))
    assert await opened(world, kept.id) == {**move, "apiKey": "new"}


async def test_fields_that_are_no_secrets_are_shown_to_who_may_change_them(world: World) -> None:
    async def shown(credential_id: str) -> tuple[object, list[str]]:
        found = await world.credentials.Get(pb.GetCredentialRequest(credential_id=credential_id))
        return orjson.loads(found.data or b"null"), list(found.secret_fields)

    kept = await keep(world)
    assert await shown(kept.id) == ({"user": "ada"}, ["password"])
    with acting("bea"):
        assert await shown(kept.id) == (None, [])
    held = {
        "url": "https://ada:pw@service.test/",
        "header": False,
        "apiKey": SECRET,
        "headerValue": "",
        "undeclared": SECRET,
        "oauthTokenData": {"access_token": SECRET},
    }
    for kind, data in (
        ("openAiApi", ({"header": False}, ["url", "apiKey", "undeclared"])),
        ("noSuchApi", ({}, ["url", "header", "apiKey", "undeclared"])),
    ):
        call = pb.CreateCredentialRequest(name="n", type=kind, data=orjson.dumps(held))
        assert await shown((await world.credentials.Create(call)).credential.id) == data


async def test_poor_credentials_are_refused(world: World) -> None:
    for fields in (
        {"name": " ", "type": "t"},
        {"name": "n" * 129, "type": "t"},
        {"name": "n\0", "type": "t"},
        {"name": "n", "type": ""},
        {"name": "n", "type": "t", "data": b"[1]"},
        {"name": "n", "type": "t", "data": b"{"},
    ):
        with refused(ErrorCode.VALIDATION_ERROR):
            await world.credentials.Create(pb.CreateCredentialRequest(**fields))  # type: ignore[arg-type]
    large = pb.CreateCredentialRequest(name="n", type="t", data=b'{"x":"' + b"x" * 262_144 + b'"}')
    with refused(ErrorCode.TOO_LARGE):
        await world.credentials.Create(large)


async def test_credentials_are_listed_by_name_kind_and_project(world: World) -> None:
    for name, project in (("beta", ""), ("Alpha", ""), ("gamma", OTHER)):
        await keep(world, name, project)

    async def names(**options: object) -> list[str]:
        found = await world.credentials.List(pb.ListCredentialsRequest(**options))  # type: ignore[arg-type]
        return [each.name for each in found.credentials]

    assert await names() == ["Alpha", "beta", "gamma"]
    assert await names(search="ET") == ["beta"]
    assert await names(type="other") == []
    assert await names(project_ids=[OTHER]) == ["gamma"]
    assert await names(limit=1, page=2) == ["beta"]
    with acting("bea"):
        assert await names() == ["Alpha", "beta"]


async def test_others_credentials_do_not_exist(world: World) -> None:
    theirs, shared = await keep(world, project_id=OTHER), await keep(world)
    calls = {
        "get": lambda each: world.credentials.Get(pb.GetCredentialRequest(credential_id=each)),
        "put": lambda each: world.credentials.Update(pb.UpdateCredentialRequest(credential_id=each)),
        "del": lambda each: world.credentials.Delete(pb.DeleteCredentialRequest(credential_id=each)),
    }
    with acting("bea"):
        for call in calls.values():
            with refused(ErrorCode.NOT_FOUND):
                await call(theirs.id)
        assert (await calls["get"](shared.id)).credential.id == shared.id
        for verb in ("put", "del"):
            with refused(ErrorCode.FORBIDDEN):
                await calls[verb](shared.id)


async def put(world: World, key: str, value: str, *, create: bool = True, **more: object) -> pb.Variable:
    variable = pb.Variable(key=key, value=value, **more)  # type: ignore[arg-type]
    return (await world.variables.Put(pb.PutVariableRequest(variable=variable, create=create))).variable


async def test_variables_have_types_and_secrets_stay_hidden(world: World) -> None:
    for key, value, kind in (
        ("text", "1.0", ""),
        ("n", "1.5", "number"),
        ("yes", "true", "boolean"),
        ("tree", '{"a":[1]}', "json"),
    ):
        await put(world, key, value, type=kind)
    told = await put(world, "token", SECRET, is_secret=True)
    assert (told.value, told.project_id, told.type) == ("", HOME, "string")
    listed = {each.key: each for each in (await world.variables.List(pb.ListVariablesRequest())).variables}
    assert (listed["token"].value, listed["token"].is_secret, listed["n"].value) == ("", True, "1.5")
    values = await world.variables.GetValues(pb.GetValuesRequest(project_id=HOME))
    assert orjson.loads(values.values) == {
        "text": "1.0",
        "n": 1.5,
        "yes": True,
        "tree": {"a": [1]},
        "token": SECRET,
    }
    rows = await world.rows("SELECT v::text AS row FROM workflow_store.variables v")
    assert not any(SECRET in row["row"] or SECRET.encode().hex() in row["row"] for row in rows)
    elsewhere = await world.variables.GetValues(pb.GetValuesRequest(project_id=OTHER))
    assert orjson.loads(elsewhere.values) == {}


async def test_variables_are_addressed_by_key(world: World) -> None:
    await put(world, "k", "1")
    with refused(ErrorCode.CONFLICT):
        await put(world, "k", "2")
    await put(world, "k", "2", create=False)
    await put(world, "fresh", "3", create=False)
    await world.variables.Delete(pb.DeleteVariableRequest(key="k"))
    with refused(ErrorCode.NOT_FOUND):
        await world.variables.Delete(pb.DeleteVariableRequest(key="k"))
    for key, value, kind in (
        ("", "x", "string"),
        ("a-b", "x", "string"),
        ("a", "x", "number"),
        ("a", "true", "number"),
        ("a", "1", "boolean"),
        ("a", "{", "json"),
        ("a", "x", "colour"),
        ("a", "x" * 65_537, "string"),
        ("a", "\0", "string"),
    ):
        with refused(ErrorCode.VALIDATION_ERROR):
            await put(world, key, value, type=kind)
    with acting("bea"):
        assert [each.key for each in (await world.variables.List(pb.ListVariablesRequest())).variables] == [
            "fresh"
        ]
        for call in (
            lambda: put(world, "x", "1"),
            lambda: world.variables.Delete(pb.DeleteVariableRequest(key="fresh")),
        ):
            with refused(ErrorCode.FORBIDDEN):
                await call()
        with refused(ErrorCode.NOT_FOUND):
            await world.variables.List(pb.ListVariablesRequest(project_id=OTHER))
