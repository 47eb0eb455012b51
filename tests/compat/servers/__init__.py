"""Nodes that talk to servers, compared as those of tests/compat/cases are, against the same servers of this machine."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.compat.cases.build import Case
from tests.compat.servers import (
    amqp,
    email_send,
    ftp,
    git,
    http_auth,
    kafka,
    ldap,
    mongo_db,
    mqtt,
    my_sql,
    postgres,
    rabbit_mq,
    redis,
    s3,
    ssh,
)
from tests.compat.servers.served import Served


@dataclass(frozen=True)
class Group:
    """`serve`: starts the server on an empty folder."""

    cases: Mapping[str, Case]
    serve: Callable[[Path], AbstractContextManager[Served]]


_MODULES = {
    "postgres": postgres,
    "redis": redis,
    "mySql": my_sql,
    "mongoDb": mongo_db,
    "s3": s3,
    "ssh": ssh,
    "ftp": ftp,
    "emailSend": email_send,
    "git": git,
    "mqtt": mqtt,
    "rabbitmq": rabbit_mq,
    "amqp": amqp,
    "kafka": kafka,
    "ldap": ldap,
    "httpRequestSignedIn": http_auth,
}
GROUPS: Mapping[str, Group] = {name: Group(module.cases(), module.serve) for name, module in _MODULES.items()}
"""By node."""
KNOWN = Path(__file__).with_name("known.json")


def known() -> dict[str, dict[str, str]]:
    """Cases that differ here and why: `{group: {name: reason}}`."""
    found: dict[str, dict[str, str]] = json.loads(KNOWN.read_text(encoding="utf-8"))
    return found
