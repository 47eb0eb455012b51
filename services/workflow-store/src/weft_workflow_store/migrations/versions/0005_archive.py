"""Workflows that are put away."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE workflow_store.workflows ADD COLUMN archived_at timestamptz")
