"""Workflows, versions, webhook routes, schedules, credentials, variables, the outbox."""

from alembic import op
from weft_kit.outbox import outbox_ddl

revision, down_revision = "0001", None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE workflow_store.installation (
            only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
            welcomed boolean NOT NULL DEFAULT false
        );
        INSERT INTO workflow_store.installation DEFAULT VALUES;

        CREATE TABLE workflow_store.workflows (
            id text PRIMARY KEY,
            project_id text NOT NULL,
            created_by text NOT NULL,
            name text NOT NULL,
            description text NOT NULL,
            document bytea NOT NULL,
            content_hash bytea NOT NULL,
            version_id text NOT NULL,
            version integer NOT NULL DEFAULT 0,
            published_version_id text,
            published_version integer NOT NULL DEFAULT 0,
            seq bigint NOT NULL DEFAULT 0,
            issues bytea NOT NULL,
            node_count integer NOT NULL,
            tags text[] NOT NULL,
            source_id text NOT NULL,
            idempotency_key text,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            deleted_at timestamptz
        );
        CREATE INDEX workflows_project ON workflow_store.workflows (project_id, updated_at DESC);
        CREATE INDEX workflows_source ON workflow_store.workflows (project_id, source_id) WHERE source_id <> '';
        CREATE UNIQUE INDEX workflows_once ON workflow_store.workflows (created_by, idempotency_key)
            WHERE idempotency_key IS NOT NULL;

        CREATE TABLE workflow_store.versions (
            id text PRIMARY KEY,
            workflow_id text NOT NULL,
            project_id text NOT NULL,
            version integer NOT NULL,
            document bytea NOT NULL,
            content_hash bytea NOT NULL,
            created_by text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (workflow_id, version)
        );

        CREATE TABLE workflow_store.webhooks (
            method text NOT NULL,
            path_key text NOT NULL,
            path text NOT NULL,
            workflow_id text NOT NULL,
            project_id text NOT NULL,
            version_id text NOT NULL,
            seq bigint NOT NULL,
            route bytea NOT NULL,
            PRIMARY KEY (method, path_key)
        );
        CREATE INDEX webhooks_workflow ON workflow_store.webhooks (workflow_id);

        CREATE TABLE workflow_store.schedules (
            workflow_id text NOT NULL,
            number integer NOT NULL,
            project_id text NOT NULL,
            version_id text NOT NULL,
            seq bigint NOT NULL,
            timezone text NOT NULL,
            rule bytea NOT NULL,
            PRIMARY KEY (workflow_id, number)
        );

        CREATE TABLE workflow_store.credentials (
            id text PRIMARY KEY,
            project_id text NOT NULL,
            created_by text NOT NULL,
            name text NOT NULL,
            type text NOT NULL,
            wrapped_key bytea NOT NULL,
            data bytea NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX credentials_project ON workflow_store.credentials (project_id, name);

        CREATE TABLE workflow_store.variables (
            project_id text NOT NULL,
            key text NOT NULL,
            value bytea NOT NULL,
            type text NOT NULL,
            is_secret boolean NOT NULL,
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (project_id, key)
        );
        COMMENT ON COLUMN workflow_store.variables.value IS 'sealed with the master key';
    """)
    op.execute(outbox_ddl("workflow_store"))
