"""TLS to a server whose address was resolved before."""

import os
import ssl
from functools import cache
from typing import Any


class NamedContext(ssl.SSLContext):
    """Checks certificates against a name, whatever address the driver connects to by itself."""

    server_name: str
    shared: ssl.SSLContext | None = None
    """Makes the connections in place of this one, which is then only a name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if self.shared is not None:
            raise AttributeError(f"{name} would be without effect; take a context that is not shared")
        super().__setattr__(name, value)

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        incoming, outgoing = arguments[:2] or (named["incoming"], named["outgoing"])
        wrap = self.shared.wrap_bio if self.shared else super().wrap_bio
        return wrap(incoming, outgoing, server_hostname=self.server_name, session=named.get("session"))

    def wrap_socket(self, *arguments: Any, **named: Any) -> ssl.SSLSocket:
        wrap = self.shared.wrap_socket if self.shared else super().wrap_socket
        return wrap(*arguments, **{**named, "server_hostname": self.server_name})


@cache
def _machine() -> ssl.SSLContext:
    """Trusts the machine's authorities. To read them takes 90 ms, so it is done once; nobody gets it to change it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context


def client_context(
    host: str,
    *,
    verify: bool = True,
    ca: str = "",
    certificate: str = "",
    key: str = "",
    passphrase: str = "",
    shared: bool = True,
) -> NamedContext:
    """`ca`: PEM of the authority to trust instead of the machine's. `certificate`, `key`: the client's, as PEM.
    `shared`: nothing can be set on the context any more, and a connection's may be another one.
    Raises ValueError for a PEM that is none, or that the passphrase does not open."""
    context = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.server_name = host
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca:
        context.load_verify_locations(cadata=ca)
    elif shared and not (certificate and key):
        context.shared = _machine()
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
