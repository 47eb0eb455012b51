"""LDAP against OpenLDAP's server."""

import asyncio
from typing import Any

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st
from weft_kit.testing.remote import LdapServer
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.cases import evaluate, has_expressions
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.ldap_ import ber, connection, filters, names, options

CATALOGUE = Catalogue.load()
ROOT = "dc=example,dc=org"
PEOPLE = f"ou=people,{ROOT}"
ADA = {"objectClass": ["inetOrgPerson"], "uid": ["ada"], "cn": ["Ada"], "sn": ["Lovelace"]}


@pytest.fixture
def secret(ldap_server: LdapServer) -> dict[str, Any]:
    return {
        "hostname": "localhost",
        "port": str(ldap_server.port),
        "bindDN": ldap_server.admin,
        "bindPassword": ldap_server.password,
    }


@pytest.fixture
async def people(secret: dict[str, Any]) -> str:
    """An empty `ou=people`."""
    async with connection.connected(context(secret, "search"), secret) as directory:
        try:
            found = await directory.search(ROOT, attributes=("1.1",))
        except NodeRunError:
            found = []
        for entry in sorted(found, key=lambda each: -len(each.dn)):
            await directory.delete(entry.dn)
        await directory.add(
            ROOT, {"objectClass": [b"dcObject", b"organization"], "dc": [b"example"], "o": [b"Example"]}
        )
        await directory.add(PEOPLE, {"objectClass": [b"organizationalUnit"], "ou": [b"people"]})
    return PEOPLE


def context(
    secret: dict[str, Any], operation: str, items: Any = ({"json": {}},), **given: Any
) -> FakeContext:
    on_error = given.pop("on_error", "stopWorkflow")
    return FakeContext(
        CATALOGUE.fill_defaults("ldap", 1, {"operation": operation, **given}),
        [list(items)],
        type="ldap",
        credentials={"ldap": secret},
        evaluate_value=evaluate if has_expressions(given) else None,
        on_error=on_error,
        refused_hosts=frozenset({"inside"}),
    )


async def run(
    secret: dict[str, Any], operation: str, items: Any = ({"json": {}},), **given: Any
) -> list[Any]:
    outputs = await CATALOGUE.implementation("ldap")(context(secret, operation, items, **given))
    assert isinstance(outputs, list)
    return [item["json"] for item in outputs[0]]


async def create(secret: dict[str, Any], dn: str, attributes: dict[str, list[str]]) -> None:
    pairs = [{"id": name, "value": each} for name, values in attributes.items() for each in values]
    found = await run(secret, "create", dn=dn, attributes={"attribute": pairs})
    assert found == [{"dn": dn, "result": "success"}]


async def search(secret: dict[str, Any], text: str = "(uid=*)", **given: Any) -> list[Any]:
    given = {"baseDN": ROOT, "searchFor": "custom", "customFilter": text, "returnAll": True, **given}
    return await run(secret, "search", **given)


@pytest.mark.integration
async def test_an_entry_is_made_found_changed_and_deleted(secret: dict[str, Any], people: str) -> None:
    dn = f"uid=ada,{people}"
    await create(secret, dn, {**ADA, "mail": ["ada@example.org", "a@example.org"], "description": ["é"]})
    (found,) = await search(secret)
    assert found == {
        "dn": dn,
        "objectClass": "inetOrgPerson",
        "uid": "ada",
        "cn": "Ada",
        "sn": "Lovelace",
        "mail": ["ada@example.org", "a@example.org"],
        "description": "é",
    }
    changes = {
        "add": [{"id": "title", "value": "Countess"}],
        "replace": [{"id": "sn", "value": "King"}],
        "delete": [{"id": "mail", "value": "a@example.org"}, {"id": "description", "value": ""}],
    }
    (changed,) = await run(secret, "update", dn=dn, attributes=changes)
    assert (changed["dn"], changed["result"]) == (dn, "success")
    assert changed["changes"][0] == {
        "operation": "add",
        "modification": {"buffers": [], "type": "title", "values": ["Countess"]},
    }
    (found,) = await search(secret)
    assert (found["title"], found["sn"], found["mail"]) == ("Countess", "King", "ada@example.org")
    assert "description" not in found
    assert await run(secret, "update", dn=dn, attributes={}) == [
        {"dn": dn, "result": "success", "changes": []}
    ]
    assert await run(secret, "compare", dn=dn, id="cn", value="Ada") == [
        {"dn": dn, "attribute": "cn", "result": True}
    ]
    assert (await run(secret, "compare", dn=dn, id="cn", value="Bob"))[0]["result"] is False
    assert await run(secret, "delete", dn=dn) == [{"dn": dn, "result": "success"}]
    assert await search(secret) == []


@pytest.mark.integration
async def test_entries_are_renamed_and_moved(secret: dict[str, Any], people: str) -> None:
    old = f"uid=ada,{people}"
    await create(secret, old, ADA)
    for new in (rf"uid=a\,b,{people}", f"uid=moved,{ROOT}"):
        assert await run(secret, "rename", dn=old, targetDn=new) == [{"dn": new, "result": "success"}]
        old = new
    (found,) = await search(secret)
    assert (found["dn"], found["uid"]) == (f"uid=moved,{ROOT}", "moved")


@pytest.mark.integration
async def test_what_is_searched_for(secret: dict[str, Any], people: str) -> None:
    await create(secret, f"uid=ada,{people}", ADA)
    await create(secret, f"uid=g,{people}", {**ADA, "uid": ["g"], "cn": ["G (*)"], "title": ["é\\"]})

    async def found(text: str) -> str:
        return " ".join(each["uid"] for each in await search(secret, text))

    assert await found("(&(objectClass=person)(|(uid=ada)(uid=g))(!(cn=G*)))") == "ada"
    assert await found("uid=a*a") == "ada"
    assert await found(" ( uid = ada ) ") == "ada"
    assert (
        await found("(&(uid=*)(createTimestamp>=20200101000000Z)(!(createTimestamp<=20200101000000Z)))")
        == "ada g"
    )
    assert await found(r"(cn=G \28\2a\29)") == "g"
    assert await found("(title=é*)") == "g"
    assert await found("(cn:caseExactMatch:=ada)") == ""
    assert await found("(cn:caseExactMatch:=Ada)") == "ada"
    assert await found("(&(uid=*)(ou:dn:=people))") == "ada g"
    by_class = {"searchFor": "(objectclass=inetOrgPerson)", "attribute": "cn"}
    for text, expected in (("a*", ["ada"]), ("G (*)", ["g"]), (r"g (\2a)", ["g"]), ("none", [])):
        assert [each["uid"] for each in await search(secret, **by_class, searchText=text)] == expected
    assert [each["dn"] for each in await search(secret, "(ou=*)", options={"scope": "one"})] == [people]
    assert await search(secret, "(uid=*)", options={"scope": "base"}) == []
    assert await search(secret, "(uid=ada)", options={"attributes": ["cn", "mail"]}) == [
        {"dn": f"uid=ada,{people}", "cn": "Ada", "mail": []}
    ]


@pytest.mark.integration
async def test_many_entries_come_in_pages(secret: dict[str, Any], people: str) -> None:
    async with connection.connected(context(secret, "search"), secret) as directory:
        for index in range(23):
            attributes = {name: [value.encode() for value in held] for name, held in ADA.items()}
            await directory.add(f"uid={index},{people}", {**attributes, "uid": [str(index).encode()]})
    for size in (0, 1, 10, 23, 1000):
        assert len(await search(secret, options={"pageSize": size})) == 23
        assert len(await search(secret, options={"pageSize": size}, returnAll=False, limit=12)) == 12
    assert len(await search(secret, returnAll=False)) == 23


@pytest.mark.integration
async def test_values_that_are_no_text(secret: dict[str, Any], people: str) -> None:
    async with connection.connected(context(secret, "search"), secret) as directory:
        attributes = {name: [value.encode() for value in held] for name, held in ADA.items()}
        await directory.add(f"uid=ada,{people}", {**attributes, "jpegPhoto": [b"\xff\xd8\xff\x00"]})
    (found,) = await search(secret)
    assert found["jpegPhoto"] == {"type": "Buffer", "data": [255, 216, 255, 0]}


@pytest.mark.integration
async def test_errors_are_the_item_s(secret: dict[str, Any], people: str) -> None:
    await create(secret, f"uid=ada,{people}", ADA)
    items = [{"json": {"d": each}} for each in (f"uid=x,{people}", f"uid=ada,{people}", "", "no name")]
    found = await run(secret, "delete", items, dn="={{ $json.d }}", on_error="continueRegularOutput")
    assert found[0]["error"] == "LDAP: No such object"
    assert found[1]["result"] == "success"
    assert "missing" in found[2]["error"]
    assert "Invalid DN" in found[3]["error"]
    with pytest.raises(NodeRunError, match="Entry already exists"):
        await run(secret, "create", dn=people, attributes={"attribute": [
            {"id": "objectClass", "value": "organizationalUnit"}]})  # fmt: skip
    with pytest.raises(NodeRunError, match="is no distinguished name"):
        await run(secret, "rename", dn=people, targetDn="x")


@pytest.mark.integration
@pytest.mark.parametrize("security", ["tls", "startTls"])
async def test_by_tls(secret: dict[str, Any], people: str, ldap_server: LdapServer, security: str) -> None:
    port = ldap_server.tls_port if security == "tls" else ldap_server.port
    encrypted = {**secret, "connectionSecurity": security, "port": str(port)}
    trusted = {**encrypted, "caCertificate": ldap_server.authority}
    assert len(await search(trusted, "(ou=*)")) == 1
    assert len(await search({**encrypted, "allowUnauthorizedCerts": True}, "(ou=*)")) == 1
    with pytest.raises(NodeRunError, match=r"(?i)certificate verify failed"):
        await search(encrypted)
    with pytest.raises(NodeRunError, match=r"(?i)certificate verify failed"):
        await search({**trusted, "hostname": "127.0.0.1"})
    with pytest.raises(NodeRunError, match="certificate can't be read"):
        await search({**encrypted, "caCertificate": "none"})


@pytest.mark.integration
async def test_who_may_not_come_in(secret: dict[str, Any]) -> None:
    await connection.check(context(secret, "search"), secret)
    with pytest.raises(NodeRunError, match="Invalid credentials") as caught:
        await connection.check(context(secret, "search"), {**secret, "bindPassword": "wrong"})
    assert caught.value.code == "AUTHENTICATION_FAILED"
    with pytest.raises(NodeRunError, match="has no password"):
        await search({**secret, "bindPassword": ""})
    with pytest.raises(NodeRunError) as caught:
        await search({**secret, "hostname": "inside"})
    assert caught.value.code == "ADDRESS_REFUSED"
    with pytest.raises(NodeRunError) as caught:
        await search({**secret, "port": "1"})
    assert caught.value.code == "CONNECTION_ERROR"
    with pytest.raises(NodeRunError, match="is no port"):
        await search({**secret, "port": "x"})


@pytest.mark.integration
async def test_the_schema_offers_choices(secret: dict[str, Any]) -> None:
    class Loading(FakeContext):
        search = "inetorg"
        cursor = ""
        version = 1

    ctx = Loading({}, credentials={"ldap": secret})
    found = await options.LOADERS["searchFor"](ctx)  # type: ignore[arg-type]  # what it needs of it
    assert [(each.name, each.value) for each in found.options] == [
        ("inetOrgPerson", "(objectclass=inetOrgPerson)")
    ]
    ctx.search = "givenname"
    assert "givenName" in [
        each.value
        for each in (await options.LOADERS["attribute"](ctx)).options  # type: ignore[arg-type]
    ]


@pytest.fixture
def answering() -> Any:
    """A server that answers whatever it is sent with the same bytes."""

    async def start(answer: bytes) -> tuple[asyncio.Server, dict[str, Any]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(answer)
            while await reader.read(1024):
                pass
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        return server, {"hostname": "127.0.0.1", "port": str(port), "timeout": 0.3}

    return start


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9, "PROTOCOL_ERROR"),
        (b"\x30\x84\x7f\xff\xff\xff", "TOO_LARGE"),
        (b"\x30\x05\x02\x01\x01\x64\x7f", "PROTOCOL_ERROR"),
        (b"\x30\x80", "PROTOCOL_ERROR"),
        (b"", "TIMEOUT"),
        (b"\x30\x0c\x02\x01\x01\x64\x07\x0a\x01\x00\x04\x00\x04\x00", "PROTOCOL_ERROR"),
    ],
)
async def test_what_is_no_ldap_is_refused(answering: Any, answer: bytes, code: str) -> None:
    server, secret = await answering(answer)
    with pytest.raises(NodeRunError) as caught:
        await search(secret)
    assert caught.value.code == code
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    "text", ["(uid=", "(uid)", "(&(a=b)", "(a=b)(c=d)", "()", "((a=b))", r"(a=\zz)", "(a=b))", "(!(a=b)(c=d))",
    "(a b=c)", "(a:=b", "(:=b)", "(" * 60 + "a=b" + ")" * 60, "(!" * 60 + "(a=b)" + ")" * 60],
)  # fmt: skip
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(NodeRunError):
        filters.encoded(text)


@generated(st.text())
def test_a_pattern_is_one_value(text: str) -> None:
    """Whatever it holds, it does not end the filter's item."""
    found = filters.encoded(f"(&(a={filters.pattern(text)})(b=c))")
    ((_, parts),) = ber.elements(found)
    assert len(list(ber.elements(parts))) == 2


@generated(st.integers(-(2**40), 2**40), st.binary(max_size=70_000))
def test_elements_come_back(number: int, data: bytes) -> None:
    first, second = ber.elements(ber.integer(number) + ber.octets(data))
    assert (ber.number(first[1]), second[1]) == (number, data)


def test_names_are_parted() -> None:
    assert names.parted(r"cn=a\,b+sn=c, ou=x,dc=y") == (r"cn=a\,b+sn=c", "ou=x,dc=y")
    assert names.parted('cn="a,b",dc=y') == ('cn="a,b"', "dc=y")
    assert names.parted("dc=y") == ("dc=y", "")
    for wrong in ("", "x", ",dc=y", 'cn="a'):
        with pytest.raises(NodeRunError):
            names.parted(wrong)
