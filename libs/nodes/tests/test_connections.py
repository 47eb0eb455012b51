"""What the nodes that connect by themselves have in common."""

import asyncio
import ssl
import time
from pathlib import Path
from typing import Any, cast

import pytest
from weft_kit.testing.certificates import self_signed
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.amqp import connection as amqp
from weft_nodes.ftp import by_ftp
from weft_nodes.microsoft_sql import connection as microsoft_sql
from weft_nodes.mongo_db import connection as mongo_db
from weft_nodes.mqtt_ import connection as mqtt
from weft_nodes.my_sql import connection as my_sql
from weft_nodes.network import tls
from weft_nodes.network.ports import port_of
from weft_nodes.postgres import connection as postgres
from weft_nodes.rabbit_mq import connection as rabbit_mq
from weft_nodes.redis_ import connection as redis
from weft_nodes.send_email import connection as send_email


@pytest.mark.parametrize("given", ["", None, 0, "0", " "])
def test_no_port_is_the_kind_s_own(given: Any) -> None:
    assert port_of(given, 25) == 25


@pytest.mark.parametrize("given", [1, "65535", 443.0, " 443 "])
def test_ports(given: Any) -> None:
    assert port_of(given, 25) == int(float(given))


@pytest.mark.parametrize("given", ["many", "-1", 65536, "1e3", "٤٤٣", "9" * 10_000, [1], {"a": 1}, 1.5])
def test_what_is_no_port_is_said(given: Any) -> None:
    with pytest.raises(NodeRunError, match="is no port") as caught:
        port_of(given, 25)
    assert caught.value.code == "CREDENTIAL_INVALID"
    assert len(caught.value.message) < 100


async def _entered(manager: Any) -> None:
    async with manager:
        pass


CONNECTING: dict[str, Any] = {
    "amqp": lambda ctx, secret: amqp.Sender(ctx, secret).connect(),
    "ftp": lambda ctx, secret: _entered(by_ftp.connected(ctx, secret, seconds=1)),
    "microsoftSql": lambda ctx, secret: _entered(microsoft_sql.connect(ctx, secret)),
    "mongoDb": lambda ctx, secret: mongo_db._place(secret),
    "mqtt": lambda ctx, secret: _entered(mqtt.connected(ctx, secret)),
    "mySql": lambda ctx, secret: _entered(my_sql.connect(ctx, secret, {}, cast("Any", None))),
    "postgres": lambda ctx, secret: _entered(postgres.connect(ctx, secret, {}, "numbers")),
    "rabbitmq": lambda ctx, secret: _entered(rabbit_mq.connected(ctx, secret)),
    "redis": redis.client_of,
    "emailSend": lambda ctx, secret: send_email.client_of(ctx, secret, verify=True),
}


@pytest.mark.parametrize("node", CONNECTING)
async def test_a_credential_whose_port_is_none_is_a_clear_error(node: str) -> None:
    if node == "amqp":
        pytest.importorskip("proton")
    ctx = FakeContext({}, [[]], type=node)
    with pytest.raises(NodeRunError, match="is no port"):
        await CONNECTING[node](ctx, {"host": "h", "hostname": "h", "port": "many"})


def test_authorities_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tls.client_context("first")
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda *_: pytest.fail("read again"))
    began = time.process_time()
    contexts = [tls.client_context(f"host-{number}") for number in range(20)]
    assert time.process_time() - began < 1
    assert {each.server_name for each in contexts} == {f"host-{number}" for number in range(20)}
    with pytest.raises(AttributeError, match="not shared"):
        contexts[0].maximum_version = ssl.TLSVersion.TLSv1_2


async def test_a_shared_context_checks_authority_and_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = self_signed(tmp_path, "named.test")
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(certificate, key)
    tls._machine.cache_clear()
    monkeypatch.setattr(
        ssl.SSLContext, "load_default_certs", lambda self, *_: self.load_verify_locations(certificate)
    )
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=own)
    port = server.sockets[0].getsockname()[1]

    async def reached(context: ssl.SSLContext) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.close()

    try:
        await reached(tls.client_context("named.test"))
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            await reached(tls.client_context("other.test"))
        tls._machine.cache_clear()
        monkeypatch.undo()
        with pytest.raises(ssl.SSLCertVerificationError):
            await reached(tls.client_context("named.test"))
        await reached(tls.client_context("other.test", verify=False))
    finally:
        tls._machine.cache_clear()
        server.close()
