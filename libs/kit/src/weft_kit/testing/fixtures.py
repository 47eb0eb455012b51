"""Real servers for tests, started when first asked for, one of each per session."""

import os
import subprocess
from collections.abc import Iterator
from uuid import uuid4

import pytest

from weft_kit.testing.remote import LdapServer, SshServer
from weft_kit.testing.servers import Kafka, Postgres, Redis


@pytest.fixture(scope="session")
def pg_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def pg_dsn(pg_server: Postgres) -> str:
    """The DSN of a fresh database."""
    return pg_server.create_database(f"t{uuid4().hex}")


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    server = Kafka(tmp_path_factory.mktemp("kafka"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def kafka(kafka_server: Kafka) -> str:
    """Its bootstrap address."""
    return kafka_server.bootstrap


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def redis_url(redis_server: Redis) -> str:
    return redis_server.url


@pytest.fixture(scope="session")
def ssh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    if os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], check=False).returncode:  # noqa: S607
        pytest.skip("sshd as root wants a mount namespace: CAP_SYS_ADMIN is missing")
    server = SshServer(tmp_path_factory.mktemp("ssh"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def ldap_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LdapServer]:
    server = LdapServer(tmp_path_factory.mktemp("ldap"))
    server.start()
    yield server
    server.kill()
