"""Rules that fire when the installation starts; the schedulers that run."""

from alembic import op

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE scheduler.schedules ADD COLUMN at_start boolean NOT NULL DEFAULT false;
        CREATE TABLE scheduler.members (
            instance text PRIMARY KEY,
            expires_at timestamptz NOT NULL
        );
        COMMENT ON TABLE scheduler.members IS 'schedulers that run; the first to join is a start of the installation';
    """)
