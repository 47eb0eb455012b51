"""RabbitMQ against a real server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aio_pika
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from weft_kit.testing.brokers import RabbitMq
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.cases import evaluate, has_expressions
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.rabbit_mq.connection import check

CATALOGUE = Catalogue.load()
pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


class SecuredRabbitMq(RabbitMq):
    """Listens by TLS too; a client's certificate signs in who its common name says."""

    def __init__(self, folder: Path, authority: trustme.CA) -> None:
        super().__init__(folder)
        self._authority = authority

    @property
    def tls_port(self) -> int:
        return self._port("tls")

    def _prepare(self) -> None:
        super()._prepare()
        (self.folder / "plugins").write_text("[rabbitmq_amqp1_0, rabbitmq_auth_mechanism_ssl].\n")
        server = self._authority.issue_cert("localhost")
        self._authority.cert_pem.write_to_path(self.folder / "ca.pem")
        server.private_key_pem.write_to_path(self.folder / "key.pem")
        server.cert_chain_pems[0].write_to_path(self.folder / "cert.pem")
        settings = {
            "listeners.ssl.default": f"127.0.0.1:{self.tls_port}",
            "ssl_options.cacertfile": self.folder / "ca.pem",
            "ssl_options.certfile": self.folder / "cert.pem",
            "ssl_options.keyfile": self.folder / "key.pem",
            "ssl_options.verify": "verify_peer",
            "ssl_options.fail_if_no_peer_cert": "false",
            "auth_mechanisms.1": "PLAIN",
            "auth_mechanisms.2": "EXTERNAL",
            "ssl_cert_login_from": "common_name",
        }
        lines = (f"{name} = {held}\n" for name, held in settings.items())
        (self.folder / "rabbitmq.conf").write_text("".join(lines))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[SecuredRabbitMq]:
    started = SecuredRabbitMq(tmp_path_factory.mktemp("rabbitmq"), authority)
    started.start()
    yield started
    started.kill()


@pytest.fixture
def secret(server: RabbitMq) -> dict[str, Any]:
    return {
        "hostname": "localhost",
        "port": server.port,
        "username": "guest",
        "password": "guest",
        "vhost": "/",
    }


@pytest.fixture
async def channel(server: RabbitMq) -> AsyncIterator[Any]:
    async with await aio_pika.connect(port=server.port) as connection:
        yield await connection.channel()


class Context(FakeContext):
    """Connects to what a name stands for, as a runner does."""

    async def connect_address(self, host: str, port: int) -> str:
        return (await super().connect_address(host, port)).replace("localhost", "127.0.0.1")


def context(
    secret: dict[str, Any],
    items: Any = ({},),
    version: float = 1.2,
    on_error: str = "stopWorkflow",
    **parameters: Any,
) -> FakeContext:
    return Context(
        CATALOGUE.fill_defaults("rabbitmq", version, parameters),
        [[{"json": each} for each in items]],
        version=version,
        type="rabbitmq",
        credentials={"rabbitmq": secret},
        evaluate_value=evaluate if has_expressions(parameters) else None,
        on_error=on_error,
        refused_hosts=frozenset({"inside"}),
    )


async def run(*given: Any, **named: Any) -> Any:
    ctx = context(*given, **named)
    (items,) = await CATALOGUE.implementation("rabbitmq")(ctx)
    return items


async def taken(queue: Any) -> list[Any]:
    """All messages of a queue."""
    found = []
    while message := await queue.get(fail=False, no_ack=True):
        found.append(message)
    return found


@pytest.mark.parametrize("version", [1, 1.1, 1.2])
async def test_items_go_to_a_queue(secret: dict[str, Any], channel: Any, version: float) -> None:
    queue = await channel.declare_queue("people", durable=True)
    ctx = context(secret, [{"a": "é"}, {"a": 2}], version=version, queue="people")
    (found,) = await CATALOGUE.implementation("rabbitmq")(ctx)
    assert found == [{"json": {"success": True}, "pairedItem": {"item": index}} for index in range(2)]
    assert ctx.connected == [("localhost", secret["port"])]
    sent = await taken(queue)
    assert [each.body for each in sent] == ['{"a":"é"}'.encode(), b'{"a":2}']
    assert {each.delivery_mode for each in sent} == {aio_pika.DeliveryMode.PERSISTENT}


async def test_messages_with_headers(secret: dict[str, Any], channel: Any) -> None:
    queue = await channel.declare_queue("headed", auto_delete=True)
    headers = [{"key": "h", "value": "v"}, {"key": "n", "value": "={{ $json.n }}"}]
    await run(
        secret,
        [{"m": "é", "n": 5}, {"m": {"x": 1}, "n": None}, {"m": None, "n": {"a": [True, 1.5]}}],
        queue="headed",
        sendInputData=False,
        message="={{ $json.m }}",
        options={"headers": {"header": headers}},
    )
    sent = await taken(queue)
    assert [each.body for each in sent] == ["é".encode(), b'{"x":1}', b""]
    assert [each.headers for each in sent] == [
        {"h": "v", "n": 5},
        {"h": "v", "n": None},
        {"h": "v", "n": {"a": [True, 1.5]}},
    ]


async def test_exchanges_find_queues(secret: dict[str, Any], channel: Any) -> None:
    exchange = await channel.declare_exchange("news", "topic", auto_delete=True)
    queue = await channel.declare_queue("sports", auto_delete=True)
    await queue.bind(exchange, "sports.*")
    keys = [{"k": "sports.ball"}, {"k": "weather"}, {"k": "sports.chess"}]
    found = await run(
        secret, keys, mode="exchange", exchange="news", exchangeType="topic", routingKey="={{ $json.k }}"
    )
    assert [each["json"] for each in found] == [{"success": True}] * 3
    assert [each.routing_key for each in await taken(queue)] == ["sports.ball", "sports.chess"]


async def test_what_is_not_there_is_made_as_the_options_say(secret: dict[str, Any], channel: Any) -> None:
    """The queue is short: it forgets all but the newest message."""
    arguments = {"argument": [{"key": "x-max-length", "value": "={{ $json.most }}"}]}
    await run(secret, [{"most": 1}] * 3, queue="short", options={"durable": False, "arguments": arguments})
    queue = await channel.declare_queue("short", durable=False, arguments={"x-max-length": 1})
    assert len(await taken(queue)) == 1
    await channel.declare_exchange("rest", "fanout")
    rest = await channel.declare_queue("rest")
    await rest.bind("rest")
    options = {"alternateExchange": "rest", "autoDelete": False}
    await run(
        secret, mode="exchange", exchange="main", exchangeType="direct", routingKey="x", options=options
    )
    assert [each.body for each in await taken(rest)] == [b"{}"]


async def test_what_is_there_stays_as_it_is(secret: dict[str, Any], channel: Any) -> None:
    queue = await channel.declare_queue("kept", durable=False)
    await run(secret, queue="kept", options={"durable": True, "autoDelete": True})
    assert len(await taken(queue)) == 1


async def test_errors_are_the_item_s(secret: dict[str, Any], channel: Any) -> None:
    queue = await channel.declare_queue("there")
    items = [{"q": "there"}, {"q": "nowhere"}, {"q": ""}, {"q": "there"}]
    found = await run(secret, items, on_error="continueRegularOutput", queue="={{ $json.q }}")
    assert [each["pairedItem"]["item"] for each in found] == [0, 1, 2, 3]
    assert [each["json"] for each in found[::3]] == [{"success": True}] * 2
    assert found[1]["json"]["error"].startswith("RabbitMQ: queue 'nowhere': NOT_FOUND")
    assert found[2]["json"]["error"] == "The queue's name is missing"
    assert len(await taken(queue)) == 2
    with pytest.raises(NodeRunError, match="nowhere") as caught:
        await run(secret, items, queue="={{ $json.q }}")
    assert (caught.value.item_index, caught.value.code) == (1, "MESSAGING_ERROR")
    with pytest.raises(NodeRunError, match="exchange 'nowhere': NOT_FOUND"):
        await run(secret, mode="exchange", exchange="nowhere")


async def test_connections_that_fail(secret: dict[str, Any]) -> None:
    with pytest.raises(NodeRunError) as refused:
        await run({**secret, "hostname": "inside"}, queue="q")
    assert refused.value.code == "ADDRESS_REFUSED"
    with pytest.raises(NodeRunError, match="no connection to localhost:1: "):
        await run({**secret, "port": 1}, queue="q")
    with pytest.raises(NodeRunError, match="no connection") as caught:
        await run({**secret, "password": "wrong-word"}, queue="q")
    assert "wrong-word" not in caught.value.message
    with pytest.raises(NodeRunError, match="no connection"):
        await run({**secret, "vhost": "nowhere"}, queue="q")
    for name in ("username", "password"):
        with pytest.raises(NodeRunError, match="needs a user and a password"):
            await run({**secret, name: ""}, queue="q")


async def test_a_credential_is_tried(secret: dict[str, Any]) -> None:
    ctx = context(secret)
    await check(ctx, secret)
    with pytest.raises(NodeRunError, match="no connection"):
        await check(ctx, {**secret, "password": "wrong"})


async def test_by_tls(
    server: SecuredRabbitMq, authority: trustme.CA, secret: dict[str, Any], channel: Any
) -> None:
    await channel.declare_queue("secured", auto_delete=True)
    trusted = authority.cert_pem.bytes().decode()
    secured = {**secret, "port": server.tls_port, "ssl": True, "passwordless": False, "ca": trusted}
    assert len(await run(secured, queue="secured")) == 1
    for wrong in ({"ca": ""}, {"hostname": "127.0.0.1"}):
        with pytest.raises(NodeRunError, match="certificate verify failed"):
            await run({**secured, **wrong}, queue="secured")
    with pytest.raises(NodeRunError, match="certificate can't be used"):
        await run({**secured, "ca": "no PEM"}, queue="secured")


@pytest.mark.parametrize("passphrase", ["", "open sesame"])
async def test_a_certificate_signs_in(
    server: SecuredRabbitMq, authority: trustme.CA, secret: dict[str, Any], channel: Any, passphrase: str
) -> None:
    await channel.declare_queue("passwordless", auto_delete=True)
    client = authority.issue_cert("guest@example.com", common_name="guest")
    key = client.private_key_pem.bytes()
    if passphrase:
        locked = BestAvailableEncryption(passphrase.encode())
        key = load_pem_private_key(key, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
    secured = {
        "hostname": "localhost",
        "port": server.tls_port,
        "ssl": True,
        "ca": authority.cert_pem.bytes().decode(),
        "cert": client.cert_chain_pems[0].bytes().decode(),
        "key": key.decode(),
        "passphrase": passphrase,
    }
    assert len(await run(secured, queue="passwordless")) == 1
    with pytest.raises(NodeRunError, match="no connection"):
        await run({**secured, "cert": "", "key": ""}, queue="passwordless")
    if passphrase:
        for wrong in ("wrong", ""):  # nobody is asked at a terminal
            with pytest.raises(NodeRunError, match="certificate can't be used"):
                await run({**secured, "passphrase": wrong}, queue="passwordless")
