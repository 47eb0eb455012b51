"""Client certificates, against a TLS server that asks for one."""

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from weft_node_runner.adapters.http import GuardedHttp
from weft_node_sdk.context import ClientCertificate, NodeRunError


class Server:
    """Answers with the name in the client's certificate. `connections`: how many there were."""

    def __init__(self) -> None:
        self.authority = trustme.CA()
        self.connections = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert("127.0.0.1").configure_cert(context)
        self.authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        self._server = await asyncio.start_server(self._client, "127.0.0.1", 0, ssl=context)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                shown = writer.get_extra_info("ssl_object").getpeercert()["subjectAltName"][0][1].encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(shown), shown))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def certificate(self, name: str, passphrase: str = "") -> ClientCertificate:
        made = self.authority.issue_cert(name)
        key = made.private_key_pem.bytes()
        if passphrase:
            loaded = serialization.load_pem_private_key(key, None)
            key = loaded.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(passphrase.encode()),
            )
        return ClientCertificate(
            made.cert_chain_pems[0].bytes().decode(),
            key.decode(),
            passphrase,
            self.authority.cert_pem.bytes().decode(),
        )


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    yield made
    made.stop()


async def test_each_certificate_has_connections_of_its_own(server: Server) -> None:
    port = await server.start()
    http = GuardedHttp([f"127.0.0.1:{port}"])
    url = f"https://127.0.0.1:{port}/"
    try:
        for name, passphrase in (("ada.test", ""), ("bea.test", "of the key"), ("ada.test", "")):
            answer = await http.request("GET", url, client=server.certificate(name, passphrase))
            assert answer.body.decode() == name
        assert server.connections == 3
        with pytest.raises(NodeRunError) as caught:
            await http.request("GET", url, verify=False)
        assert caught.value.code == "CONNECTION_ERROR"
    finally:
        await http.close()


async def test_what_is_no_certificate_is_refused_in_words(server: Server) -> None:
    port = await server.start()
    http = GuardedHttp([f"127.0.0.1:{port}"])
    good, locked = server.certificate("a.test"), server.certificate("a.test", "of the key")
    wrong = (
        ClientCertificate("no PEM", good.key),
        ClientCertificate(good.certificate, "no PEM"),
        ClientCertificate(good.certificate, locked.key),
        ClientCertificate(good.certificate, locked.key, "wrong"),
        ClientCertificate(good.certificate, server.certificate("b.test").key),
        ClientCertificate(good.certificate, good.key, ca="no PEM"),
        ClientCertificate(good.certificate),
    )
    try:
        for each in wrong:
            with pytest.raises(NodeRunError) as caught:
                await http.request("GET", f"https://127.0.0.1:{port}/", client=each)
            assert "client certificate can't be used" in caught.value.message
        public = ClientCertificate(good.certificate, good.key)  # nobody publicly trusted signed the server's
        with pytest.raises(NodeRunError) as caught:
            await http.request("GET", f"https://127.0.0.1:{port}/", client=public)
        assert caught.value.code == "CONNECTION_ERROR"
    finally:
        await http.close()
    assert server.connections == 0
