"""TLS to a server whose address was resolved before."""

import ssl
from typing import Any


class NamedContext(ssl.SSLContext):
    """Checks certificates against a name, whatever address the driver connects to by itself."""

    server_name: str

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        incoming, outgoing = arguments[:2] or (named["incoming"], named["outgoing"])
        return super().wrap_bio(
            incoming, outgoing, server_hostname=self.server_name, session=named.get("session")
        )

    def wrap_socket(self, *arguments: Any, **named: Any) -> ssl.SSLSocket:
        return super().wrap_socket(*arguments, **{**named, "server_hostname": self.server_name})


def client_context(
    host: str, *, verify: bool = True, ca: str = "", certificate: str = "", key: str = ""
) -> NamedContext:
    """`ca`: PEM of the authority to trust instead of the machine's. `certificate`, `key`: the client's, as PEM.
    Raises ValueError for a PEM that is none."""
    context = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.server_name = host
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca:
        context.load_verify_locations(cadata=ca)
    else:
        context.load_default_certs()
    if certificate and key:
        _load_client(context, certificate, key)
    return context


def _load_client(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """The library reads certificates from files only; this one is gone at once."""
    from tempfile import NamedTemporaryFile

    with NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(f"{certificate.strip()}\n{key.strip()}\n")
        file.flush()
        try:
            context.load_cert_chain(file.name)
        except ssl.SSLError as error:
            raise ValueError(f"the client's certificate can't be read: {error}") from None
