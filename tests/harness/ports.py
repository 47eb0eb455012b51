"""Ports of this machine: free ones, and those behind which something is ready."""

import socket

import httpx

_ASKING = httpx.Client(
    timeout=2, verify=False, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
)
"""One for all: making a client reads the machine's certificates, which takes longer than the answer."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Whether it answers 200."""
    try:
        return _ASKING.get(url).status_code == 200
    except httpx.HTTPError:
        return False
