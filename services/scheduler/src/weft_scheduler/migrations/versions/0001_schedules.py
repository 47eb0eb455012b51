"""Schedules of published workflows, each with its next tick."""

from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE scheduler.workflows (
            workflow_id text PRIMARY KEY,
            seq bigint NOT NULL
        );
        CREATE TABLE scheduler.schedules (
            workflow_id text NOT NULL,
            number integer NOT NULL,
            project_id text NOT NULL,
            version_id text NOT NULL,
            timezone text NOT NULL,
            rule bytea NOT NULL,
            next_at bigint,
            PRIMARY KEY (workflow_id, number)
        );
        CREATE INDEX ON scheduler.schedules (next_at) WHERE next_at IS NOT NULL;
        CREATE INDEX ON scheduler.schedules (project_id, next_at);
        COMMENT ON COLUMN scheduler.schedules.next_at IS 'the first tick that has not fired, in µs';
    """)
