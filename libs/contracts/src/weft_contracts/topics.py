"""Topic names and how each is keyed. See docs/architecture.md, Topics."""

from typing import Final

EXECUTION_COMMANDS: Final = "execution.commands"  # partition = shard of the execution
NODE_RESULTS: Final = "node.results"  # partition = shard of the execution
EXECUTION_EVENTS: Final = "execution.events"  # partition = shard of the execution
SHARDED: Final = (EXECUTION_COMMANDS, NODE_RESULTS, EXECUTION_EVENTS)
RUNNER_HEARTBEATS: Final = "runner.heartbeats"  # key = runner
RUNNER_CONTROL: Final = "runner.control"  # partition = the runner's own
WORKFLOW_EVENTS: Final = "workflow.events"  # key = workflow
CREDENTIAL_EVENTS: Final = "credential.events"  # key = credential
IDENTITY_EVENTS: Final = "identity.events"  # key = user or project
AUDIT_EVENTS: Final = "audit.events"  # key = entity

RUNNER_PARTITIONS: Final = 64
"""Partitions of `node.tasks.<pool>` and `runner.control`; a registered runner owns one number in all of them."""

POOLS: Final = ("default", "code", "heavy", "ai")


def node_tasks(pool: str) -> str:
    return f"node.tasks.{pool}"


def dead_letters(topic: str) -> str:
    return f"{topic}.dlq"


def reply_channel(instance: str) -> str:
    """Best-effort channel on which an ingress instance waits for webhook replies."""
    return f"reply.{instance}"


UI_EVENTS: Final = "ui.events"  # best-effort channel: caught test calls, presence, notifications
