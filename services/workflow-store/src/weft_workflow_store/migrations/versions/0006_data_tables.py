"""Data tables: their columns, and rows as one object each."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE workflow_store.data_tables (
            id text PRIMARY KEY,
            project_id text NOT NULL,
            name text NOT NULL,
            columns jsonb NOT NULL,
            next_row bigint NOT NULL DEFAULT 1,
            row_count bigint NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (project_id, name)
        );
        CREATE TABLE workflow_store.data_table_rows (
            table_id text NOT NULL REFERENCES workflow_store.data_tables (id) ON DELETE CASCADE,
            id bigint NOT NULL,
            data jsonb NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (table_id, id)
        );
    """)
