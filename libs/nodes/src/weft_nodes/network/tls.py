"""TLS to a server whose address was resolved before."""

import os
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
    host: str,
    *,
    verify: bool = True,
    ca: str = "",
    certificate: str = "",
    key: str = "",
    passphrase: str = "",
) -> NamedContext:
    """`ca`: PEM of the authority to trust instead of the machine's. `certificate`, `key`: the client's, as PEM.
    Raises ValueError for a PEM that is none, or that the passphrase does not open."""
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
        _load_client(context, f"{certificate.strip()}\n{key.strip()}\n", passphrase)
    return context


def _load_client(context: ssl.SSLContext, pem: str, passphrase: str) -> None:
    """The library reads certificates from files only; this one is on no disk."""
    file = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(file, pem.encode())
        # without a passphrase the library would ask for one at the terminal
        context.load_cert_chain(f"/proc/self/fd/{file}", password=passphrase)
    except ssl.SSLError as error:
        raise ValueError(f"the client's certificate can't be read: {error}") from None
    finally:
        os.close(file)
