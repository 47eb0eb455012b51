"""How many executions began in each quarter of an hour, by what became of them."""

from alembic import op

revision, down_revision = "0003", "0002"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE orchestrator.counts (
            project_id text NOT NULL,
            quarter integer NOT NULL,
            workflow_id text NOT NULL,
            status text NOT NULL,
            executions bigint NOT NULL,
            ended bigint NOT NULL,
            milliseconds bigint NOT NULL,
            PRIMARY KEY (project_id, quarter, workflow_id, status)
        );
        CREATE INDEX ON orchestrator.counts (quarter);
        COMMENT ON TABLE orchestrator.counts IS 'derived from executions';
        COMMENT ON COLUMN orchestrator.counts.quarter IS 'of an hour, since the epoch';
        COMMENT ON COLUMN orchestrator.counts.milliseconds IS 'that the ended ones took together';

        CREATE TABLE orchestrator.counted (
            quarter integer PRIMARY KEY,
            next_at timestamptz NOT NULL
        );
        CREATE INDEX ON orchestrator.counted (next_at) WHERE next_at < 'infinity';
        COMMENT ON TABLE orchestrator.counted IS 'quarters that counts has, without a gap; next_at: once more';
    """)
