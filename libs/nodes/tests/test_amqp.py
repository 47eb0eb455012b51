"""AMQP 1.0 against RabbitMQ, which speaks it too."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from weft_kit.testing.brokers import RabbitMq
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.cases import evaluate, has_expressions
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.amqp.connection import Sender, check

CATALOGUE = Catalogue.load()
pytestmark = pytest.mark.integration


async def run(
    secret: dict[str, Any], items: Any = ({},), on_error: str = "stopWorkflow", **parameters: Any
) -> Any:
    ctx = FakeContext(
        CATALOGUE.fill_defaults("amqp", 1, parameters),
        [[{"json": each} for each in items]],
        version=1,
        type="amqp",
        credentials={"amqp": secret},
        evaluate_value=evaluate if has_expressions(parameters) else None,
        on_error=on_error,
        refused_hosts=frozenset({"inside"}),
    )
    (found,) = await CATALOGUE.implementation("amqp")(ctx)
    return found


async def test_without_the_library_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "proton", None)
    monkeypatch.setitem(sys.modules, "proton.utils", None)
    with pytest.raises(NodeRunError, match="is not installed") as caught:
        await run({"hostname": "localhost"}, sink="q")
    assert caught.value.code == "NOT_INSTALLED"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMq]:
    pytest.importorskip("proton", reason="weft-nodes[amqp] is not installed")
    started = RabbitMq(tmp_path_factory.mktemp("amqp"))
    started.start()
    yield started
    started.kill()


@pytest.fixture
def secret(server: RabbitMq) -> dict[str, Any]:
    return {"hostname": "localhost", "port": server.port, "username": "guest", "password": "guest"}


def taken(server: RabbitMq, queue: str, count: int) -> list[Any]:
    """Messages of a queue."""
    from proton.utils import BlockingConnection

    address = f"amqp://guest:guest@127.0.0.1:{server.port}"
    connection = BlockingConnection(address, timeout=30, allowed_mechs="PLAIN")
    receiver = connection.create_receiver(queue)
    found = []
    for _ in range(count):
        found.append(receiver.receive(timeout=30))
        receiver.accept()
    connection.close()
    return found


async def test_items_are_sent_as_json(server: RabbitMq, secret: dict[str, Any]) -> None:
    found = await run(secret, [{"a": "é"}, {"a": {"b": [1]}}], sink="/queue/people")
    assert found == [
        {"json": {"id": 0}, "pairedItem": {"item": 0}},
        {"json": {"id": 1}, "pairedItem": {"item": 1}},
    ]
    sent = taken(server, "/queue/people", 2)
    assert [each.body for each in sent] == ['{"a":"é"}', '{"a":{"b":[1]}}']
    assert [each.properties for each in sent] == [None, None]


async def test_items_as_objects_with_properties(server: RabbitMq, secret: dict[str, Any]) -> None:
    json = {"n": 1, "f": 1.5, "t": True, "s": "x", "none": None, "l": [1, "a"], "o": {"k": "v"}}
    await run(
        secret,
        [json],
        sink="/queue/objects",
        headerParametersJson='{"h": "v", "n": 5, "o": {"a": 1}}',
        options={"dataAsObject": True, "containerId": "test"},
    )
    (message,) = taken(server, "/queue/objects", 1)
    assert message.body == json
    assert message.properties == {"h": "v", "n": 5, "o": '{"a":1}'}


@pytest.mark.parametrize(("as_object", "expected"), [(False, ['"x"', "5"]), (True, ["x", 5])])
async def test_one_field_is_sent(
    server: RabbitMq, secret: dict[str, Any], as_object: bool, expected: list[Any]
) -> None:
    options = {"sendOnlyProperty": "a", "dataAsObject": as_object}
    await run(secret, [{"a": "x", "b": 1}, {"a": 5}], sink="/queue/fields", options=options)
    assert [each.body for each in taken(server, "/queue/fields", 2)] == expected
    with pytest.raises(NodeRunError, match="no field 'a'"):
        await run(secret, [{}], sink="/queue/fields", options=options)


async def test_errors_are_the_item_s(server: RabbitMq, secret: dict[str, Any]) -> None:
    """The server ends the session over an exchange that is not there; the next item has a new one."""
    items = [{"q": "/queue/there"}, {"q": "/exchange/nowhere/k"}, {"q": ""}, {"q": "/queue/there"}]
    found = await run(secret, items, "continueRegularOutput", sink="={{ $json.q }}")
    assert [each["pairedItem"]["item"] for each in found] == [0, 1, 2, 3]
    assert found[1]["json"]["error"].startswith("AMQP: '/exchange/nowhere/k': NOT_FOUND")
    assert found[2]["json"]["error"] == "The queue or topic is missing"
    assert found[3]["json"] == {"id": 1}
    assert len(taken(server, "/queue/there", 2)) == 2
    with pytest.raises(NodeRunError, match="nowhere") as caught:
        await run(secret, items, sink="={{ $json.q }}", options={"reconnect": False})
    assert (caught.value.item_index, caught.value.code) == (1, "MESSAGING_ERROR")
    with pytest.raises(NodeRunError, match="not valid JSON"):
        await run(secret, sink="/queue/there", headerParametersJson="{")


async def test_a_lost_connection_is_opened_again(
    server: RabbitMq, secret: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server cuts it after each second message."""
    sent, send = [], Sender._send

    def cutting(self: Sender, sink: str, message: Any) -> None:
        send(self, sink, message)
        sent.append(message.body)
        if len(sent) % 2 == 0:
            self._connection.conn.transport.close_tail()

    monkeypatch.setattr(Sender, "_send", cutting)
    items = [{"n": number} for number in range(6)]
    failures = {}
    for reconnect in (True, False):
        found = await run(
            secret, items, "continueRegularOutput", sink="/queue/cut", options={"reconnect": reconnect}
        )
        failures[reconnect] = [index for index, each in enumerate(found) if "error" in each["json"]]
    assert failures == {True: [2, 5], False: [2, 3, 4, 5]}


async def test_a_credential_is_tried(secret: dict[str, Any]) -> None:
    ctx = FakeContext({})
    await check(ctx, secret)
    with pytest.raises(NodeRunError, match="no connection"):
        await check(ctx, {**secret, "password": "wrong"})


async def test_connections_that_fail(secret: dict[str, Any]) -> None:
    with pytest.raises(NodeRunError) as refused:
        await run({**secret, "hostname": "inside"}, sink="q")
    assert refused.value.code == "ADDRESS_REFUSED"
    with pytest.raises(NodeRunError, match="no connection to localhost:1: "):
        await run({**secret, "port": 1}, sink="q")
    with pytest.raises(NodeRunError, match="no connection") as caught:
        await run({**secret, "password": "wrong-word"}, sink="q")
    assert "wrong-word" not in caught.value.message
    with pytest.raises(NodeRunError, match="no connection"):
        await run({**secret, "transportType": "tls"}, sink="q")
