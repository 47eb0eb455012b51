"""Sign-ins at services: one that is open, who may get new tokens, since when there are some."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE workflow_store.credentials
            ADD COLUMN sign_in bytea,
            ADD COLUMN lease text NOT NULL DEFAULT '',
            ADD COLUMN lease_until timestamptz NOT NULL DEFAULT '-infinity',
            ADD COLUMN connected_at timestamptz;
    """)
