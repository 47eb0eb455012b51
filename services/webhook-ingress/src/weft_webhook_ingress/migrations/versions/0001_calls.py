"""Idempotency keys and test listeners."""

from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE webhook_ingress.idempotency_keys (
            workflow_id text NOT NULL,
            node text NOT NULL,
            key text NOT NULL,
            accepted_ms bigint NOT NULL,
            PRIMARY KEY (workflow_id, node, key)
        );
        CREATE INDEX idempotency_keys_age ON webhook_ingress.idempotency_keys (accepted_ms);
        COMMENT ON COLUMN webhook_ingress.idempotency_keys.accepted_ms IS
            'the time part of the execution id, Unix milliseconds';

        CREATE TABLE webhook_ingress.test_listeners (
            workflow_id text NOT NULL,
            node text NOT NULL,
            method text NOT NULL,
            path text NOT NULL,
            project_id text NOT NULL,
            version_id text NOT NULL,
            route bytea NOT NULL,
            created_by text NOT NULL,
            until timestamptz NOT NULL,
            PRIMARY KEY (method, path)
        );
        CREATE INDEX test_listeners_workflow ON webhook_ingress.test_listeners (workflow_id);
    """)
