"""Second factors, and when a session was used last."""

from alembic import op

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE auth.second_factors (
            user_id text PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE,
            secret bytea NOT NULL,
            enabled boolean NOT NULL,
            last_step bigint NOT NULL,
            recovery bytea[] NOT NULL
        );
        ALTER TABLE auth.sessions ADD COLUMN last_used_at timestamptz NOT NULL DEFAULT now();
    """)
