"""What executions keep of themselves, to be found by."""

from alembic import op

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE orchestrator.custom_data (
            execution_id uuid NOT NULL,
            key text NOT NULL,
            value text NOT NULL,
            PRIMARY KEY (execution_id, key)
        );
        COMMENT ON TABLE orchestrator.custom_data IS 'derived from node_runs.details, for search';
        CREATE INDEX ON orchestrator.custom_data (key, value, execution_id DESC);
    """)
