"""What retention needs: who was made of whom, and the counts of what was removed."""

from alembic import op

revision, down_revision = "0004", "0003"


def upgrade() -> None:
    op.execute("""
        -- Executions that one was made of: by a retry, by a call. Its items may name their files.
        CREATE FUNCTION orchestrator.origins(head bytea) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
            SELECT array_remove(
                ARRAY[head->>'retry_of', head->>'root_id', head#>>'{parent,execution_id}'], NULL)
            FROM (SELECT convert_from(head, 'UTF8')::json AS head) read
        $$;
        CREATE INDEX executions_origins ON orchestrator.executions USING gin (orchestrator.origins(head))
        WHERE position('"root_id":'::bytea IN head) > 0 OR position('"retry_of":'::bytea IN head) > 0;

        CREATE TABLE orchestrator.removed (
            project_id text NOT NULL,
            quarter integer NOT NULL,
            workflow_id text NOT NULL,
            status text NOT NULL,
            executions bigint NOT NULL,
            milliseconds bigint NOT NULL,
            PRIMARY KEY (quarter, project_id, workflow_id, status)
        );
        COMMENT ON TABLE orchestrator.removed IS 'what retention removed of executions, for counts; all had ended';

        -- Drops the days before this one that have no rows left. A day that is in use stays until the next time.
        CREATE FUNCTION orchestrator.drop_days(before date) RETURNS integer LANGUAGE plpgsql AS $$
        DECLARE
            day text; filled boolean; dropped integer := 0;
            rows CONSTANT text := 'SELECT EXISTS (SELECT FROM orchestrator.executions_%1$s) OR '
                'EXISTS (SELECT FROM orchestrator.node_runs_%1$s)';
        BEGIN
            PERFORM pg_advisory_xact_lock(2003133044);
            PERFORM set_config('lock_timeout', '200ms', true);
            FOR day IN
                SELECT right(inhrelid::regclass::text, 8) FROM pg_inherits
                WHERE inhparent = 'orchestrator.executions'::regclass
                AND inhrelid::regclass::text ~ '_[0-9]{8}$' AND right(inhrelid::regclass::text, 8)::date < before
            LOOP
                BEGIN
                    -- commits would wait until the end for the locks: only a day that seems to be empty is worth them
                    EXECUTE format(rows, day) INTO filled;
                    CONTINUE WHEN filled;
                    EXECUTE format('LOCK TABLE orchestrator.executions, orchestrator.node_runs, '
                        'orchestrator.executions_default, orchestrator.node_runs_default, '
                        'orchestrator.executions_%1$s, orchestrator.node_runs_%1$s', day);
                    EXECUTE format(rows, day) INTO filled;
                    IF NOT filled THEN
                        EXECUTE format('DROP TABLE orchestrator.executions_%1$s, orchestrator.node_runs_%1$s', day);
                        dropped := dropped + 1;
                    END IF;
                EXCEPTION WHEN lock_not_available OR undefined_table THEN NULL;
                END;
            END LOOP;
            RETURN dropped;
        END $$;
    """)
