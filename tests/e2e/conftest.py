"""One installation of each form for the whole e2e suite."""

from collections.abc import Iterator

import pytest

from tests.harness.cluster import Cluster
from tests.harness.embedded import Embedded
from tests.harness.stub import Stub
from tests.harness.user import User


@pytest.fixture(scope="session")
def stub_server() -> Iterator[Stub]:
    server = Stub()
    yield server
    server.close()


@pytest.fixture(scope="session")
def stub(stub_server: Stub) -> str:
    return stub_server.base


@pytest.fixture(scope="session", params=["embedded", "cluster"])
def weft(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, stub_server: Stub
) -> Iterator[Embedded | Cluster]:
    home = tmp_path_factory.mktemp("e2e") / "home"
    form = {"embedded": Embedded, "cluster": Cluster}[request.param]
    made: Embedded | Cluster = form(home, allow=stub_server.address)
    try:
        made.start()
        yield made
        made.stop()
    finally:
        made.close()


@pytest.fixture(scope="session")
def owner(weft: Embedded | Cluster) -> User:
    return User(weft.base).register()
