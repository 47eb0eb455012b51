"""What workflows remember between runs."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE workflow_store.static_data (
            workflow_id text PRIMARY KEY REFERENCES workflow_store.workflows (id) ON DELETE CASCADE,
            data bytea NOT NULL,
            execution_id text NOT NULL,
            updated_at timestamptz NOT NULL DEFAULT now()
        );
        COMMENT ON COLUMN workflow_store.static_data.execution_id IS 'the run that changed it last';
    """)
