"""MQTT against a real broker."""

import asyncio
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import trustme
from weft_kit.testing.brokers import Mosquitto
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.cases import evaluate, has_expressions
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.mqtt_.connection import check

CATALOGUE = Catalogue.load()
pytestmark = pytest.mark.integration
USERS = {"ada": "p"}


class SecuredMosquitto(Mosquitto):
    """Listens by TLS too; `certified_port` wants a certificate of the client."""

    def __init__(self, folder: Path, authority: trustme.CA) -> None:
        super().__init__(folder, USERS)
        self._authority = authority

    @property
    def tls_port(self) -> int:
        return self._port("tls")

    @property
    def certified_port(self) -> int:
        return self._port("certified")

    def _prepare(self) -> None:
        super()._prepare()
        server = self._authority.issue_cert("localhost")
        self._authority.cert_pem.write_to_path(self.folder / "ca.pem")
        server.private_key_pem.write_to_path(self.folder / "key.pem")
        server.cert_chain_pems[0].write_to_path(self.folder / "cert.pem")
        lines = []
        for port in (self.tls_port, self.certified_port):
            lines += [
                f"listener {port} 127.0.0.1",
                *(f"{name}file {self.folder}/{name}.pem" for name in ("ca", "key", "cert")),
            ]
        lines += ["require_certificate true"]
        with (self.folder / "mosquitto.conf").open("a") as file:
            file.writelines(f"{line}\n" for line in lines)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[SecuredMosquitto]:
    started = SecuredMosquitto(tmp_path_factory.mktemp("mosquitto"), authority)
    started.start()
    yield started
    started.kill()


@pytest.fixture
def secret(server: SecuredMosquitto) -> dict[str, Any]:
    return {"protocol": "mqtt", "host": "localhost", "port": server.port, "username": "ada", "password": "p"}


class Context(FakeContext):
    """Connects to what a name stands for, as a runner does."""

    async def connect_address(self, host: str, port: int) -> str:
        return (await super().connect_address(host, port)).replace("localhost", "127.0.0.1")


async def run(
    secret: dict[str, Any], items: Any = ({},), on_error: str = "stopWorkflow", **parameters: Any
) -> Any:
    ctx = Context(
        CATALOGUE.fill_defaults("mqtt", 1, parameters),
        [[{"json": each} for each in items]],
        version=1,
        type="mqtt",
        credentials={"mqtt": secret},
        evaluate_value=evaluate if has_expressions(parameters) else None,
        on_error=on_error,
        refused_hosts=frozenset({"inside"}),
    )
    (found,) = await CATALOGUE.implementation("mqtt")(ctx)
    assert ctx.connected == [(secret["host"], secret["port"])]
    return found


@asynccontextmanager
async def listening(server: Mosquitto, topic: str, qos: int = 2) -> Any:
    """A subscriber; calling it gives the next message."""
    async with aiomqtt.Client("127.0.0.1", server.port, username="ada", password="p") as client:
        await client.subscribe(topic, qos)

        async def following() -> aiomqtt.Message:
            async with asyncio.timeout(30):
                return await anext(client.messages)

        yield following


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_items_are_published_and_pass(
    server: SecuredMosquitto, secret: dict[str, Any], qos: int
) -> None:
    async with listening(server, "rooms/#") as following:
        found = await run(secret, [{"a": "é"}, {"a": 2}], topic="rooms/kitchen", options={"qos": qos})
        assert found == [
            {"json": {"a": "é"}, "pairedItem": {"item": 0}},
            {"json": {"a": 2}, "pairedItem": {"item": 1}},
        ]
        sent = [await following() for _ in range(2)]
    assert [each.payload for each in sent] == ['{"a":"é"}'.encode(), b'{"a":2}']
    assert {(str(each.topic), each.qos, each.retain) for each in sent} == {("rooms/kitchen", qos, False)}


async def test_messages_of_each_item(server: SecuredMosquitto, secret: dict[str, Any]) -> None:
    items = [{"t": "x/1", "m": {"k": [1]}}, {"t": "x/2", "m": 5}, {"t": "x/3", "m": None}]
    async with listening(server, "x/+") as following:
        await run(secret, items, topic="={{ $json.t }}", sendInputData=False, message="={{ $json.m }}")
        sent = [await following() for _ in range(3)]
    assert [(str(each.topic), each.payload) for each in sent] == [
        ("x/1", b'{"k":[1]}'),
        ("x/2", b"5"),
        ("x/3", b""),
    ]


async def test_a_retained_message_is_there_for_later(
    server: SecuredMosquitto, secret: dict[str, Any]
) -> None:
    await run(secret, topic="kept", sendInputData=False, message="é", options={"qos": 1, "retain": True})
    async with listening(server, "kept") as following:
        message = await following()
    assert (message.payload, message.retain) == ("é".encode(), True)


async def test_by_websocket(server: SecuredMosquitto, secret: dict[str, Any]) -> None:
    async with listening(server, "web") as following:
        await run({**secret, "protocol": "ws", "port": server.websocket_port}, [{"n": 1}] * 3, topic="web")
        assert [(await following()).payload for _ in range(3)] == [b'{"n":1}'] * 3


async def test_a_session_that_is_remembered(secret: dict[str, Any]) -> None:
    assert len(await run({**secret, "clean": False}, topic="t", options={"qos": 1})) == 1
    assert len(await run({**secret, "clean": False, "clientId": "weft"}, topic="t", options={"qos": 2})) == 1


async def test_errors_are_the_item_s(server: SecuredMosquitto, secret: dict[str, Any]) -> None:
    items = [{"t": "a"}, {"t": "a/#"}, {"t": ""}, {"t": "a"}]
    found = await run(secret, items, "continueRegularOutput", topic="={{ $json.t }}")
    assert [each["pairedItem"]["item"] for each in found] == [0, 1, 2, 3]
    assert found[1]["json"]["error"].startswith("MQTT: topic 'a/#': ")
    assert "error" in found[2]["json"]
    assert found[3]["json"] == {"t": "a"}
    with pytest.raises(NodeRunError, match="wildcards") as caught:
        await run(secret, items, topic="={{ $json.t }}")
    assert (caught.value.item_index, caught.value.code) == (1, "MESSAGING_ERROR")
    with pytest.raises(NodeRunError, match="The QoS 7"):
        await run(secret, topic="a", options={"qos": 7})


async def test_connections_that_fail(secret: dict[str, Any]) -> None:
    with pytest.raises(NodeRunError) as refused:
        await run({**secret, "host": "inside"}, topic="t")
    assert refused.value.code == "ADDRESS_REFUSED"
    with pytest.raises(NodeRunError, match="no connection to localhost:1: "):
        await run({**secret, "port": 1}, topic="t")
    with pytest.raises(NodeRunError, match="no connection") as caught:
        await run({**secret, "password": "wrong-word"}, topic="t")
    assert "wrong-word" not in caught.value.message
    with pytest.raises(NodeRunError, match="no connection"):
        await run({**secret, "protocol": "mqtts"}, topic="t")


async def test_a_credential_is_tried(secret: dict[str, Any]) -> None:
    ctx = Context({})
    await check(ctx, secret)
    with pytest.raises(NodeRunError, match="no connection"):
        await check(ctx, {**secret, "password": "wrong"})


async def test_by_tls(server: SecuredMosquitto, authority: trustme.CA, secret: dict[str, Any]) -> None:
    trusted = authority.cert_pem.bytes().decode()
    secured = {**secret, "protocol": "mqtts", "port": server.tls_port, "ssl": True, "ca": trusted}
    for shown in (True, False):
        assert len(await run({**secured, "passwordless": shown}, topic="t", options={"qos": 1})) == 1
    for wrong in ({"ca": ""}, {"host": "127.0.0.1"}, {"ssl": False}):
        with pytest.raises(NodeRunError, match="certificate verify failed"):
            await run({**secured, **wrong}, topic="t")
    assert len(await run({**secured, "ca": "", "rejectUnauthorized": False}, topic="t")) == 1
    with pytest.raises(NodeRunError, match="certificate can't be used"):
        await run({**secured, "ca": "no PEM"}, topic="t")


async def test_a_client_shows_a_certificate(
    server: SecuredMosquitto, authority: trustme.CA, secret: dict[str, Any]
) -> None:
    client = authority.issue_cert("ada@example.com")
    secured = {
        **secret,
        "port": server.certified_port,
        "ssl": True,
        "ca": authority.cert_pem.bytes().decode(),
        "cert": client.cert_chain_pems[0].bytes().decode(),
        "key": client.private_key_pem.bytes().decode(),
    }
    assert len(await run(secured, topic="t", options={"qos": 1})) == 1
    with pytest.raises(NodeRunError, match="MQTT: "):
        await run({**secured, "passwordless": False}, topic="t", options={"qos": 1})
