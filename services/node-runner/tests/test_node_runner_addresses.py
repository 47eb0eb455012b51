"""Where nodes may connect to."""

import pytest
from weft_node_runner.adapters.address_policy import Policy
from weft_node_sdk.context import NodeRunError


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.1.2.3", "169.254.169.254", "::1", "127.1", "0.0.0.0"]
)
async def test_a_private_address_is_refused(host: str) -> None:
    with pytest.raises(NodeRunError) as caught:
        await Policy([]).connect_address(host, 5432)
    assert caught.value.code == "ADDRESS_REFUSED"
    assert f"WEFT_NET_ALLOW={host}:5432" in caught.value.description


async def test_an_allowed_port_is_given_alone() -> None:
    policy = Policy(["localhost:5432"])
    assert await policy.connect_address("localhost", 5432) == "127.0.0.1"
    with pytest.raises(NodeRunError):
        await policy.connect_address("localhost", 5433)


async def test_a_public_address_passes() -> None:
    assert await Policy([]).connect_address("8.8.8.8", 25) == "8.8.8.8"


@pytest.mark.parametrize("host", ["", "x" * 70 + ".example"])
async def test_what_is_no_host_is_said(host: str) -> None:
    with pytest.raises(NodeRunError) as caught:
        await Policy([]).connect_address(host, 1)
    assert caught.value.code in {"CONNECTION_ERROR", "ADDRESS_REFUSED"}
