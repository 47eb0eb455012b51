"""Kafka against a real broker."""

import io
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import trustme
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from fastavro import schemaless_reader
from weft_kit.testing.servers import Kafka
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer, NodeRunError
from weft_node_sdk.testing.cases import evaluate, has_expressions
from weft_node_sdk.testing.fake import FakeContext, FakeHttp, Request
from weft_nodes.kafka_.connection import check

CATALOGUE = Catalogue.load()
pytestmark = pytest.mark.integration
ACKNOWLEDGED = {"acks": True}


async def made_topic(bootstrap: str, partitions: int = 1, **connection: Any) -> str:
    name = f"t{uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **connection)
    await admin.start()
    await admin.create_topics([NewTopic(name, partitions, 1)])
    await admin.close()
    return name


async def messages(bootstrap: str, topic: str, count: int, **connection: Any) -> list[Any]:
    """The first messages of partition 0."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", **connection)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        return [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()


@pytest.fixture
async def topic(kafka: str) -> str:
    return await made_topic(kafka)


@pytest.fixture
def secret(kafka: str) -> dict[str, Any]:
    return {"brokers": kafka, "clientId": "test", "ssl": False, "authentication": False}


class Context(FakeContext):
    """Connects to what a name stands for, as a runner does."""

    async def connect_address(self, host: str, port: int) -> str:
        return (await super().connect_address(host, port)).replace("localhost", "127.0.0.1")


def context(
    secret: dict[str, Any],
    items: Any = ({},),
    version: float = 2,
    on_error: str = "stopWorkflow",
    refused: frozenset[str] = frozenset(),
    **parameters: Any,
) -> FakeContext:
    return Context(
        CATALOGUE.fill_defaults("kafka", version, parameters),
        [[{"json": each} for each in items]],
        version=version,
        type="kafka",
        credentials={"kafka": secret},
        evaluate_value=evaluate if has_expressions(parameters) else None,
        on_error=on_error,
        refused_hosts=refused,
    )


async def run(*given: Any, **named: Any) -> Any:
    (items,) = await CATALOGUE.implementation("kafka")(context(*given, **named))
    return items


async def test_items_are_sent_in_their_order(kafka: str, secret: dict[str, Any], topic: str) -> None:
    found = await run(secret, [{"a": "é"}, {"a": 2}, {}], topic=topic, options=ACKNOWLEDGED)
    assert found == [
        {
            "json": {
                "topicName": topic,
                "partition": 0,
                "errorCode": 0,
                "baseOffset": "0",
                "logAppendTime": "-1",
                "logStartOffset": "0",
            },
            "pairedItem": [{"item": 0}, {"item": 1}, {"item": 2}],
        }
    ]
    sent = await messages(kafka, topic, 3)
    assert [each.value for each in sent] == ['{"a":"é"}'.encode(), b'{"a":2}', b"{}"]
    assert [(each.key, each.headers) for each in sent] == [(None, ())] * 3


async def test_without_acknowledgement_nothing_is_known(
    kafka: str, secret: dict[str, Any], topic: str
) -> None:
    found = await run(secret, [{"a": 1}, {"a": 2}], topic=topic)
    assert found == [{"json": {"success": True}, "pairedItem": [{"item": 0}, {"item": 1}]}]
    assert [each.value for each in await messages(kafka, topic, 2)] == [b'{"a":1}', b'{"a":2}']


@pytest.mark.parametrize(
    ("version", "compression"),
    [(1, True), (2, "gzip"), (2, "lz4"), (2, "snappy"), (2, "zstd"), (2, "none")],
)
async def test_messages_with_keys_and_headers(
    kafka: str, secret: dict[str, Any], topic: str, version: float, compression: Any
) -> None:
    await run(
        secret,
        [{"v": {"x": 1}, "k": "é"}, {"v": 5, "k": 7}, {"v": None, "k": ""}],
        version=version,
        topic=topic,
        sendInputData=False,
        message="={{ $json.v }}",
        useKey=True,
        key="={{ $json.k }}",
        headersUi={"headerValues": [{"key": "h", "value": "={{ $json.k }}"}, {"key": "g", "value": "w"}]},
        options={"acks": True, "compression": compression},
    )
    sent = await messages(kafka, topic, 3)
    assert [(each.key, each.value) for each in sent] == [
        ("é".encode(), b'{"x":1}'),
        (b"7", b"5"),
        (b"", b""),
    ]
    assert [dict(each.headers) for each in sent] == [
        {"h": "é".encode(), "g": b"w"},
        {"h": b"7", "g": b"w"},
        {"h": b"", "g": b"w"},
    ]


async def test_a_key_keeps_its_partition(kafka: str, secret: dict[str, Any]) -> None:
    topic = await made_topic(kafka, partitions=8)
    items = [{"k": f"key {number % 10}"} for number in range(40)]
    found = await run(secret, items, topic=topic, useKey=True, key="={{ $json.k }}", options=ACKNOWLEDGED)
    partitions = {pair["item"]: item["json"]["partition"] for item in found for pair in item["pairedItem"]}
    assert sorted(partitions) == list(range(40))
    assert all(partitions[index] == partitions[index % 10] for index in range(40))
    assert len(found) > 1


async def test_headers_as_json(kafka: str, secret: dict[str, Any], topic: str) -> None:
    given = {"topic": topic, "jsonParameters": True, "options": ACKNOWLEDGED}
    await run(secret, headerParametersJson='{"x": "y", "n": {"a": 1}}', **given)
    await run(secret, headerParametersJson={"x": 5}, **given)
    await run(secret, **given)
    sent = await messages(kafka, topic, 3)
    assert [dict(each.headers) for each in sent] == [{"x": b"y", "n": b'{"a":1}'}, {"x": b"5"}, {}]
    found = await run(
        secret,
        [{"h": "{"}, {"h": "{}"}],
        on_error="continueRegularOutput",
        headerParametersJson="={{ $json.h }}",
        **given,
    )
    assert found[0]["json"]["error"].startswith("The headers are not valid JSON")
    assert found[1]["pairedItem"] == [{"item": 1}]
    with pytest.raises(NodeRunError, match="must be an object"):
        await run(secret, headerParametersJson="[1]", **given)


async def test_more_than_is_under_way_at_once(kafka: str, secret: dict[str, Any], topic: str) -> None:
    found = await run(secret, [{"n": number} for number in range(2500)], topic=topic, options=ACKNOWLEDGED)
    (item,) = found
    assert item["json"]["baseOffset"] == "0"
    assert len(item["pairedItem"]) == 2500
    last = (await messages(kafka, topic, 2500))[-1]
    assert last.value == b'{"n":2499}'


async def test_errors_are_the_item_s(kafka: str, secret: dict[str, Any], topic: str) -> None:
    items = [{"t": topic}, {"t": "not.there"}, {"t": "not.there"}, {"t": ""}, {"t": topic}]
    given = {"topic": "={{ $json.t }}", "options": {"acks": True, "timeout": 1500}}
    found = await run(secret, items, on_error="continueRegularOutput", **given)
    assert found[0]["pairedItem"] == [{"item": 0}, {"item": 4}]
    assert [each["pairedItem"] for each in found[1:]] == [{"item": 1}, {"item": 2}, {"item": 3}]
    assert found[1]["json"]["error"].startswith("Kafka: topic 'not.there': ")
    assert found[3]["json"]["error"] == "The topic is missing"
    with pytest.raises(NodeRunError, match=r"not\.there") as caught:
        await run(secret, items, **given)
    assert caught.value.item_index == 1
    for wrong in ({"compression": "rar"}, {"timeout": "long"}):
        with pytest.raises(NodeRunError, match=r"The compression 'rar'|The timeout is no number"):
            await run(secret, topic=topic, options=wrong)
    too_large = [{"x": "y" * 40_000_000}]
    with pytest.raises(NodeRunError, match="larger than the maximum request size"):
        await run(secret, too_large, topic=topic, options=ACKNOWLEDGED)


async def test_another_broker_is_tried(secret: dict[str, Any], topic: str) -> None:
    both = {**secret, "brokers": f"127.0.0.1:1, {secret['brokers']}"}
    assert len(await run(both, topic=topic, options=ACKNOWLEDGED)) == 1
    with pytest.raises(NodeRunError, match=r"Kafka: no connection to 127\.0\.0\.1:1: ") as caught:
        await run({**secret, "brokers": "127.0.0.1:1"}, topic=topic)
    assert caught.value.code == "MESSAGING_ERROR"
    with pytest.raises(NodeRunError, match="names no broker"):
        await run({**secret, "brokers": ""}, topic=topic)
    with pytest.raises(NodeRunError, match="'x:y' is no address"):
        await run({**secret, "brokers": "x:y"}, topic=topic)


async def test_a_credential_is_tried(secret: dict[str, Any]) -> None:
    ctx = context(secret)
    await check(ctx, secret)
    with pytest.raises(NodeRunError, match="no connection"):
        await check(ctx, {**secret, "brokers": "localhost:1"})


async def test_addresses_are_checked(kafka: str, secret: dict[str, Any], topic: str) -> None:
    """Those of the credential, and those that the cluster names."""
    port = kafka.rpartition(":")[2]
    given = {"topic": topic, "options": ACKNOWLEDGED}
    ctx = context({**secret, "brokers": f"localhost:{port}"}, **given)
    await CATALOGUE.implementation("kafka")(ctx)
    assert ctx.connected == [("localhost", int(port)), ("127.0.0.1", int(port))]
    for brokers, refused in ((f"inside:{port}", "inside"), (f"localhost:{port}", "127.0.0.1")):
        with pytest.raises(NodeRunError) as caught:
            await run({**secret, "brokers": brokers}, refused=frozenset({refused}), **given)
        assert caught.value.code == "ADDRESS_REFUSED"


ORDER = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "lines", "type": {"type": "array", "items": "double"}, "default": []},
    ],
}


class Registry:
    """Answers as a schema registry does; `asked`: what came."""

    def __init__(self, **subjects: dict[str, Any]) -> None:
        self.asked: list[Request] = []
        self._subjects = subjects

    def __call__(self, request: Request) -> HttpAnswer:
        self.asked.append(request)
        subject = request.url.removeprefix("http://registry:8081/base/subjects/").removesuffix(
            "/versions/latest"
        )
        if subject not in self._subjects:
            body = {"error_code": 40401, "message": f"Subject '{subject}' not found."}
            return HttpAnswer(404, "Not Found", [], json.dumps(body).encode())
        body = {"subject": subject, "version": 1, "id": 7, **self._subjects[subject]}
        return HttpAnswer(200, "OK", [], json.dumps(body).encode())


async def with_registry(
    secret: dict[str, Any], registry: Registry, items: Any, held: dict[str, Any] | None = None, **given: Any
) -> Any:
    parameters = {"useSchemaRegistry": True, "schemaRegistryUrl": "http://registry:8081/base/", **given}
    ctx = context(secret, items, on_error="continueRegularOutput", options=ACKNOWLEDGED, **parameters)
    ctx.server = FakeHttp(registry)
    ctx.http = ctx.server
    if held is not None:
        ctx.credentials = {**ctx.credentials, "schemaRegistryApi": held}
        ctx.node = replace(ctx.node, credentials={name: {"id": "1"} for name in ctx.credentials})
    (found,) = await CATALOGUE.implementation("kafka")(ctx)
    return found


async def test_messages_by_a_schema(kafka: str, secret: dict[str, Any], topic: str) -> None:
    registry = Registry(orders={"schema": json.dumps(ORDER)})
    orders = [{"id": 1, "note": "é", "lines": [1.5, 2]}, {"id": 2, "more": True}, {"id": "x"}, {}]
    found = await with_registry(secret, registry, orders, topic=topic, eventName="orders")
    assert found[0]["pairedItem"] == [{"item": 0}, {"item": 1}]
    for failed in found[1:]:
        assert failed["json"]["error"].startswith("The message does not fit the schema of 'orders'")
    assert len(registry.asked) == 1
    sent = [each.value for each in await messages(kafka, topic, 2)]
    assert {each[:5] for each in sent} == {b"\0\0\0\0\x07"}
    read = [schemaless_reader(io.BytesIO(each[5:]), ORDER, None) for each in sent]
    assert read == [{"id": 1, "note": "é", "lines": [1.5, 2.0]}, {"id": 2, "note": None, "lines": []}]


async def test_messages_by_a_schema_of_json(kafka: str, secret: dict[str, Any], topic: str) -> None:
    registry = Registry(**{"a%2Fb": {"schema": "{}", "schemaType": "JSON"}})
    await with_registry(secret, registry, [{"a": 1}], topic=topic, eventName="a/b")
    (sent,) = await messages(kafka, topic, 1)
    assert sent.value == b'\0\0\0\0\x07{"a":1}'


async def test_schemas_that_can_t_be_used(secret: dict[str, Any], topic: str) -> None:
    registry = Registry(
        proto={"schema": 'syntax = "proto3";', "schemaType": "PROTOBUF"},
        references={"schema": "{}", "references": [{"name": "x"}]},
        broken={"schema": '{"type": "nothing"}'},
    )
    items = [{"s": name} for name in ("proto", "references", "broken", "none")]
    found = await with_registry(secret, registry, items, topic=topic, eventName="={{ $json.s }}")
    assert [each["json"]["error"] for each in found[:2]] == [
        "The schema of 'proto': schemas of the kind PROTOBUF can't be used",
        "The schema of 'references': schemas that refer to others can't be used",
    ]
    assert found[2]["json"]["error"].startswith("The schema of 'broken' can't be read: ")
    assert found[3]["json"]["error"] == "The schema registry has no 'none': Subject 'none' not found."


async def test_a_registry_s_credential(secret: dict[str, Any], topic: str) -> None:
    """It goes to the registry that it names and nowhere else."""
    registry = Registry(a={"schema": '"string"'})
    held = {"url": "http://registry:8081/base", "username": "u", "password": "p"}
    given = {"topic": topic, "eventName": "a", "sendInputData": False, "message": '"x"'}

    async def run_with(held: dict[str, Any], **changes: Any) -> Any:
        (found,) = await with_registry(secret, registry, [{}], held, **{**given, **changes})
        return found["json"]

    assert "baseOffset" in await run_with(held, schemaRegistryUrl="")
    assert registry.asked[-1].headers["authorization"] == "Basic dTpw"
    assert "baseOffset" in await run_with({**held, "authentication": "none"})
    assert "authorization" not in registry.asked[-1].headers
    count = len(registry.asked)
    assert "is not sent to evil" in (await run_with(held, schemaRegistryUrl="http://evil/"))["error"]
    assert len(registry.asked) == count


class SecuredKafka(Kafka):
    """Clients sign in, by TLS."""

    def __init__(self, folder: Path, authority: trustme.CA) -> None:
        super().__init__(folder)
        self._authority = authority

    @property
    def secured(self) -> str:
        return f"localhost:{self._port('secured')}"

    def _prepare(self) -> None:
        super()._prepare()
        server = self._authority.issue_cert("localhost")
        chain = b"".join(each.bytes() for each in server.cert_chain_pems)
        key = load_pem_private_key(server.private_key_pem.bytes(), None)
        key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        controller = f"CONTROLLER://127.0.0.1:{self._port('controller')}"
        plain, secured = f"PLAINTEXT://{self.bootstrap}", f"SECURED://{self.secured}"
        module = "org.apache.kafka.common.security"
        settings = {
            "listeners": f"{plain},{secured},{controller}",
            "advertised.listeners": f"{plain},{secured}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            "listener.name.secured.plain.sasl.jaas.config": f'{module}.plain.PlainLoginModule required user_ada="p";',
            "ssl.keystore.type": "PEM",
            "ssl.keystore.certificate.chain": chain.decode().replace("\n", "\\n"),
            "ssl.keystore.key": key_pem.decode().replace("\n", "\\n"),
        }
        for size in ("256", "512"):
            name = f"listener.name.secured.scram-sha-{size}.sasl.jaas.config"
            settings[name] = f"{module}.scram.ScramLoginModule required;"
        with (self.folder / "server.properties").open("a") as file:
            file.writelines(f"{name}={held}\n" for name, held in settings.items())

    def add_user(self, mechanism: str, name: str, password: str) -> None:
        words = ["kafka.admin.ConfigCommand", "--bootstrap-server", self.bootstrap, "--alter"]
        words += ["--entity-type", "users", "--entity-name", name]
        words += ["--add-config", f"{mechanism}=[password={password}]"]
        subprocess.run(self._java(*words), check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[SecuredKafka]:
    server = SecuredKafka(tmp_path_factory.mktemp("secured"), authority)
    server.start()
    server.add_user("SCRAM-SHA-512", "bob", "q")
    yield server
    server.kill()


@pytest.mark.parametrize(
    ("mechanism", "user", "password"), [("plain", "ada", "p"), ("scram-sha-512", "bob", "q")]
)
async def test_signing_in_by_tls(
    secured: SecuredKafka, authority: trustme.CA, mechanism: str, user: str, password: str
) -> None:
    topic = await made_topic(secured.bootstrap)
    secret = {
        "brokers": secured.secured,
        "ssl": True,
        "ca": authority.cert_pem.bytes().decode(),
        "authentication": True,
        "saslMechanism": mechanism,
        "username": user,
        "password": password,
    }
    given = {"topic": topic, "options": ACKNOWLEDGED}
    assert len(await run(secret, **given)) == 1
    assert [each.value for each in await messages(secured.bootstrap, topic, 1)] == [b"{}"]
    with pytest.raises(NodeRunError, match="no connection") as caught:
        await run({**secret, "password": "wrong-word"}, **given)
    assert "wrong-word" not in caught.value.message
    with pytest.raises(NodeRunError, match="no connection"):
        await run({**secret, "ca": ""}, **given)
    by_address = {**secret, "brokers": secured.secured.replace("localhost", "127.0.0.1")}
    with pytest.raises(NodeRunError, match="no connection"):
        await run(by_address, **given)
    assert len(await run({**secret, "ca": "", "allowUnauthorizedCerts": True}, **given)) == 1
    with pytest.raises(NodeRunError, match="certificate can't be used"):
        await run({**secret, "ca": "no PEM"}, **given)
