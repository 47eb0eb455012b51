"""Shards, executions and node runs by day, what wakes waits, runners, the outbox."""

from alembic import op
from weft_kit.outbox import outbox_ddl

revision, down_revision = "0001", None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE orchestrator.shards (
            shard smallint PRIMARY KEY,
            owner text NOT NULL DEFAULT '',
            epoch bigint NOT NULL DEFAULT 0,
            expires_at timestamptz NOT NULL DEFAULT '-infinity',
            commands_pos bigint NOT NULL DEFAULT 0,
            results_pos bigint NOT NULL DEFAULT 0
        ) WITH (fillfactor = 50);
        INSERT INTO orchestrator.shards (shard) SELECT generate_series(0, 63);

        CREATE TABLE orchestrator.members (
            instance text PRIMARY KEY,
            expires_at timestamptz NOT NULL
        );

        CREATE TABLE orchestrator.runners (
            partition smallint PRIMARY KEY,
            runner text NOT NULL,
            expires_at timestamptz NOT NULL
        );

        CREATE TABLE orchestrator.executions (
            id uuid PRIMARY KEY,
            shard smallint NOT NULL,
            project_id text NOT NULL,
            workflow_id text NOT NULL,
            version_id text NOT NULL,
            status text NOT NULL,
            mode text NOT NULL,
            seq bigint NOT NULL,
            created_at bigint NOT NULL,
            started_at bigint,
            finished_at bigint,
            due_at bigint,
            last_node text NOT NULL,
            data_size bigint NOT NULL,
            follow_up boolean NOT NULL,
            head bytea NOT NULL,
            error bytea,
            reply bytea
        ) PARTITION BY RANGE (id);
        COMMENT ON COLUMN orchestrator.executions.follow_up IS 'what its end asks for is not done yet';
        COMMENT ON COLUMN orchestrator.executions.head IS 'what it was started with, JSON (domain.records.Head)';
        CREATE INDEX ON orchestrator.executions (project_id, id DESC);
        CREATE INDEX ON orchestrator.executions (workflow_id, id DESC);
        CREATE INDEX ON orchestrator.executions (shard) WHERE status IN ('queued', 'running');
        CREATE INDEX ON orchestrator.executions (shard, due_at) WHERE due_at IS NOT NULL;
        CREATE INDEX ON orchestrator.executions (shard) WHERE follow_up;

        CREATE TABLE orchestrator.node_runs (
            execution_id uuid NOT NULL,
            node text NOT NULL,
            run_index integer NOT NULL,
            seq bigint NOT NULL,
            status text NOT NULL,
            started_at bigint NOT NULL,
            finished_at bigint,
            details bytea NOT NULL,
            codec smallint NOT NULL,
            size bigint NOT NULL,
            ref text NOT NULL,
            data bytea,
            PRIMARY KEY (execution_id, node, run_index)
        ) PARTITION BY RANGE (execution_id);
        ALTER TABLE orchestrator.node_runs ALTER COLUMN data SET STORAGE EXTERNAL;
        COMMENT ON COLUMN orchestrator.node_runs.details IS 'JSON (domain.records.RunDetails)';

        CREATE TABLE orchestrator.wakes (
            execution_id uuid NOT NULL,
            node text NOT NULL,
            run_index integer NOT NULL,
            index integer NOT NULL,
            kind text NOT NULL,
            error bytea,
            codec smallint NOT NULL,
            size bigint NOT NULL,
            ref text NOT NULL,
            data bytea,
            PRIMARY KEY (execution_id, node, run_index, index)
        );
        COMMENT ON TABLE orchestrator.wakes IS 'calls and ended sub-executions that wake waiting node runs';

        CREATE TABLE orchestrator.executions_default PARTITION OF orchestrator.executions DEFAULT;
        CREATE TABLE orchestrator.node_runs_default PARTITION OF orchestrator.node_runs DEFAULT;

        -- The bound of a day: the least UUIDv7 of its first millisecond.
        CREATE FUNCTION orchestrator.day_bound(day date) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
            SELECT (lpad(to_hex((extract(epoch FROM day) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
        $$;

        -- Partitions of the days from today on; a day that already has rows elsewhere stays where it is.
        CREATE FUNCTION orchestrator.prepare_days(ahead integer) RETURNS void LANGUAGE plpgsql AS $$
        DECLARE day date; kind text;
        BEGIN
            PERFORM pg_advisory_xact_lock(2003133044);
            FOR i IN 0..ahead LOOP
                day := (now() AT TIME ZONE 'UTC')::date + i;
                FOREACH kind IN ARRAY ARRAY['executions', 'node_runs'] LOOP
                    IF to_regclass(format('orchestrator.%s_%s', kind, to_char(day, 'YYYYMMDD'))) IS NULL THEN
                        BEGIN
                            EXECUTE format(
                                'CREATE TABLE orchestrator.%1$s_%2$s PARTITION OF orchestrator.%1$s'
                                ' FOR VALUES FROM (%3$L) TO (%4$L)',
                                kind, to_char(day, 'YYYYMMDD'),
                                orchestrator.day_bound(day), orchestrator.day_bound(day + 1));
                        EXCEPTION WHEN check_violation THEN NULL;
                        END;
                    END IF;
                END LOOP;
            END LOOP;
        END $$;
        SELECT orchestrator.prepare_days(3);

        -- Ends the statement that calls it, and with it the commit, unless it found what it had to.
        CREATE FUNCTION orchestrator.must(what text, got bigint, expected bigint) RETURNS boolean
        LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN
            IF got <> expected THEN
                RAISE EXCEPTION 'orchestrator: %', what
                    USING ERRCODE = CASE what WHEN 'fenced' THEN 'WF001' ELSE 'WF002' END;
            END IF;
            RETURN true;
        END $$;
    """)
    op.execute(outbox_ddl("orchestrator"))
