"""LDAP: OpenLDAP's server."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from weft_kit.testing.remote import LdapServer
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.ldap_.connection import connected

from tests.compat.cases.build import Case, named
from tests.compat.servers.served import HOST, Served, asked, chain

ROOT = LdapServer.suffix
PEOPLE = f"ou=people,{ROOT}"
_ENTRIES: Mapping[str, Mapping[str, list[bytes]]] = {
    ROOT: {"objectClass": [b"dcObject", b"organization"], "dc": [b"example"], "o": [b"Example"]},
    PEOPLE: {"objectClass": [b"organizationalUnit"], "ou": [b"people"]},
    f"uid=ada,{PEOPLE}": {
        "objectClass": [b"inetOrgPerson"],
        "uid": [b"ada"],
        "cn": [b"Ada"],
        "sn": [b"Lovelace"],
        "mail": [b"ada@example.org", b"a@example.org"],
        "description": ["Zoë's friend".encode()],
    },
    f"uid=bob,{PEOPLE}": {
        "objectClass": [b"inetOrgPerson"],
        "uid": [b"bob"],
        "cn": [b"Bob (the builder)"],
        "sn": [b"B"],
        "jpegPhoto": [bytes([0xFF, 0xD8, 0])],
    },
}


async def _reset(secret: Mapping[str, Any]) -> None:
    context = FakeContext({}, [[]], type="ldap", credentials={"ldap": dict(secret)})
    async with connected(context, dict(secret)) as directory:
        try:
            found = await directory.search(ROOT, attributes=("1.1",))
        except Exception:  # noqa: BLE001 - there is no tree yet
            found = []
        for entry in sorted(found, key=lambda each: -len(each.dn)):
            await directory.delete(entry.dn)
        for dn, attributes in _ENTRIES.items():
            await directory.add(dn, attributes)


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    server = LdapServer(folder / "ldap")
    server.start()
    secret = {
        "hostname": HOST,
        "port": str(server.port),
        "bindDN": server.admin,
        "bindPassword": server.password,
        "connectionSecurity": "none",
        "timeout": 30,
    }
    try:
        yield Served({"ldap": secret}, lambda: asyncio.run(_reset(secret)))
    finally:
        server.kill()


def _search(text: str, **more: Any) -> dict[str, Any]:
    asked = {"baseDN": ROOT, "searchFor": "custom", "customFilter": text, "returnAll": True}
    return {"operation": "search", **asked, **more}


def _attributes(**groups: Mapping[str, str]) -> dict[str, Any]:
    pairs = {
        group: [{"id": name, "value": held} for name, held in values.items()]
        for group, values in groups.items()
    }
    return {"attributes": pairs}


def cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    after = asked("ldap", "ldap", 1, _search("(objectClass=inetOrgPerson)"), "Seen", executeOnce=True)

    def add(name: str, parameters: Mapping[str, Any], *, changes: bool = False) -> None:
        node = asked(
            "ldap", "ldap", 1, parameters, onError="continueRegularOutput", alwaysOutputData=not changes
        )
        found[name] = chain(node, *([after] if changes else []), rows=[{"who": "ada"}])

    searches: dict[str, dict[str, Any]] = {
        "everyone": _search("(uid=*)"),
        "everything": _search("(objectclass=*)"),
        "nobody": _search("(uid=nobody)"),
        "by expression": _search("=(uid={{ $json.who }})"),
        "limited": {**_search("(uid=*)"), "returnAll": False, "limit": 1},
        "some attributes": _search("(uid=*)", options={"attributes": ["cn", "mail"]}),
        "one level": _search("(objectclass=*)", options={"scope": "one"}),
        "the base": _search("(objectclass=*)", options={"scope": "base"}),
        "pages": _search("(objectclass=*)", options={"pageSize": 1}),
        "a wrong filter": _search("(uid=ada"),
        "an unknown base": _search("(uid=*)", baseDN="dc=nowhere"),
        "escaped": _search(r"(cn=Bob \28the builder\29)"),
        "and, or, not": _search("(&(objectClass=inetOrgPerson)(|(uid=ada)(uid=x))(!(uid=bob)))"),
        "by class": {
            **_search(""),
            "searchFor": "(objectclass=inetorgperson)",
            "attribute": "uid",
            "searchText": "a*",
        },
    }
    for name, parameters in searches.items():
        add(f"search {name}", parameters)
    ada = f"uid=ada,{PEOPLE}"
    for name, more in named(
        {
            "equal": {"id": "sn", "value": "Lovelace"},
            "unequal": {"id": "sn", "value": "no"},
            "unknown attribute": {"id": "nope", "value": "x"},
        }
    ):
        add(f"compare {name}", {"operation": "compare", "dn": ada, **more})
    add("compare unknown entry", {"operation": "compare", "dn": f"uid=no,{PEOPLE}", "id": "sn", "value": "x"})
    new = {"objectClass": "inetOrgPerson", "uid": "cy", "cn": "Cy é", "sn": "C"}
    add(
        "create",
        {"operation": "create", "dn": f"uid=cy,{PEOPLE}", **_attributes(attribute=new)},
        changes=True,
    )
    add(
        "create without class",
        {"operation": "create", "dn": f"uid=cy,{PEOPLE}", **_attributes(attribute={"uid": "cy"})},
        changes=True,
    )
    add("create again", {"operation": "create", "dn": ada, **_attributes(attribute=new)}, changes=True)
    add("delete", {"operation": "delete", "dn": "=uid={{ $json.who }}," + PEOPLE}, changes=True)
    add("delete unknown", {"operation": "delete", "dn": f"uid=no,{PEOPLE}"}, changes=True)
    add("delete not a name", {"operation": "delete", "dn": "nonsense"}, changes=True)
    add("rename", {"operation": "rename", "dn": ada, "targetDn": f"uid=eva,{PEOPLE}"}, changes=True)
    add("move", {"operation": "rename", "dn": ada, "targetDn": f"uid=ada,{ROOT}"}, changes=True)
    changes: dict[str, dict[str, dict[str, str]]] = {
        "add": {"add": {"title": "Countess"}},
        "add to values": {"add": {"mail": "third@example.org"}},
        "replace": {"replace": {"sn": "King"}},
        "delete a value": {"delete": {"mail": "a@example.org"}},
        "delete all values": {"delete": {"mail": ""}},
        "everything": {"add": {"title": "Countess"}, "replace": {"sn": "K"}, "delete": {"description": ""}},
        "unknown attribute": {"add": {"nope": "x"}},
        "nothing": {},
    }
    for name, groups in changes.items():
        add(f"update {name}", {"operation": "update", "dn": ada, **_attributes(**groups)}, changes=True)
    return found
