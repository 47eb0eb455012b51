"""The topics of an installation, and how they are made."""

import asyncio
from collections.abc import Mapping
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError
from weft_contracts import topics
from weft_contracts.ids import SHARDS

MAX_MESSAGE: Final = 32 * 1024 * 1024
REQUEST_MS: Final = 10_000
HOUR_MS: Final = 3_600_000

_KEYED: Final = (
    topics.RUNNER_HEARTBEATS,
    topics.WORKFLOW_EVENTS,
    topics.CREDENTIAL_EVENTS,
    topics.IDENTITY_EVENTS,
    topics.AUDIT_EVENTS,
)
TOPICS: Final[Mapping[str, int]] = {
    **dict.fromkeys(topics.SHARDED, SHARDS),
    **{topics.node_tasks(pool): topics.RUNNER_PARTITIONS for pool in topics.POOLS},
    topics.RUNNER_CONTROL: topics.RUNNER_PARTITIONS,
    **dict.fromkeys(_KEYED, 8),
}
"""Topic to its number of partitions. Each has a dead-letter topic of one partition, which keeps the letters' order."""

_RETENTION_MS: Final[Mapping[str, int]] = {
    topics.RUNNER_HEARTBEATS: HOUR_MS,
    topics.RUNNER_CONTROL: HOUR_MS,
    topics.NODE_RESULTS: 24 * HOUR_MS,
    **{topics.node_tasks(pool): 24 * HOUR_MS for pool in topics.POOLS},
}
_LONGEST_MS: Final = 7 * 24 * HOUR_MS
_LETTERS_MS: Final = 30 * 24 * HOUR_MS


async def make_topics(brokers: str, client: str, wanted: Mapping[str, int]) -> None:
    """Those that are missing, with their dead-letter topics. Others may do the same at the same time."""
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers, client_id=client, request_timeout_ms=REQUEST_MS)
    try:
        await admin.start()
        replicas = max(1, min(3, len((await admin.describe_cluster())["brokers"])))
        there = set(await admin.list_topics())
        names = {**wanted, **{topics.dead_letters(topic): 1 for topic in wanted}}
        missing = [_topic(name, count, replicas) for name, count in names.items() if name not in there]
        if not missing:
            return
        answer = await admin.create_topics(missing, timeout_ms=REQUEST_MS)
        for name, code, *reason in answer.topic_errors:
            if code not in {0, 36}:  # 36: it is there already
                raise KafkaConnectionError(f"the topic {name} can't be made: {code} {reason}")
        # the broker that answers next may not know of them yet
        while not {topic.name for topic in missing} <= set(await admin.list_topics()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


def _topic(name: str, partitions: int, replicas: int) -> NewTopic:
    letters = name == topics.dead_letters(name.removesuffix(topics.dead_letters("")))
    retention = _LETTERS_MS if letters else _RETENTION_MS.get(name, _LONGEST_MS)
    settings = {
        "max.message.bytes": str(MAX_MESSAGE + 65_536),
        "retention.ms": str(retention),
        "min.insync.replicas": str(min(2, replicas)),
    }
    return NewTopic(name, partitions, replicas, topic_configs=settings)
