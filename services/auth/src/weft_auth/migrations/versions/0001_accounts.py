"""Accounts, projects, sessions, keys, the audit log."""

from alembic import op
from weft_kit.outbox import outbox_ddl

revision, down_revision = "0001", None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE auth.installation (
            only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
            issuer text NOT NULL,
            pepper bytea NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        );

        CREATE TABLE auth.signing_keys (
            kid text PRIMARY KEY,
            private_key bytea NOT NULL,
            public_key text NOT NULL,
            created_at timestamptz NOT NULL,
            retired_at timestamptz
        );

        CREATE TABLE auth.users (
            id text PRIMARY KEY,
            email text NOT NULL UNIQUE,
            password_hash text NOT NULL,
            first_name text NOT NULL,
            last_name text NOT NULL,
            role text NOT NULL,
            personal_project_id text NOT NULL,
            created_at timestamptz NOT NULL
        );

        CREATE TABLE auth.projects (
            id text PRIMARY KEY,
            name text NOT NULL,
            kind text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        );

        CREATE TABLE auth.project_members (
            project_id text NOT NULL REFERENCES auth.projects ON DELETE CASCADE,
            user_id text NOT NULL REFERENCES auth.users ON DELETE CASCADE,
            role text NOT NULL,
            PRIMARY KEY (user_id, project_id)
        );
        CREATE INDEX project_members_project ON auth.project_members (project_id);

        CREATE TABLE auth.sessions (
            id text PRIMARY KEY,
            user_id text NOT NULL REFERENCES auth.users ON DELETE CASCADE,
            token_hash bytea NOT NULL,
            expires_at timestamptz NOT NULL,
            revoked boolean NOT NULL DEFAULT false,
            address text NOT NULL,
            user_agent text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX sessions_user ON auth.sessions (user_id);
        CREATE INDEX sessions_expiry ON auth.sessions (expires_at);

        CREATE TABLE auth.api_keys (
            id text PRIMARY KEY,
            user_id text NOT NULL REFERENCES auth.users ON DELETE CASCADE,
            name text NOT NULL,
            prefix text NOT NULL,
            salt bytea NOT NULL,
            digest bytea NOT NULL,
            scopes text[] NOT NULL,
            created_at timestamptz NOT NULL,
            expires_at timestamptz,
            last_used_at timestamptz
        );
        CREATE INDEX api_keys_user ON auth.api_keys (user_id);
        CREATE INDEX api_keys_prefix ON auth.api_keys (prefix);

        CREATE TABLE auth.sign_in_failures (
            subject text PRIMARY KEY,
            count integer NOT NULL,
            last_at timestamptz NOT NULL
        );

        CREATE TABLE auth.audit_log (
            id text PRIMARY KEY,
            actor text NOT NULL,
            action text NOT NULL,
            object_type text NOT NULL,
            object_id text NOT NULL,
            project_id text NOT NULL,
            at timestamptz NOT NULL,
            address text NOT NULL,
            request_id text NOT NULL,
            details jsonb NOT NULL
        );
        CREATE INDEX audit_log_project ON auth.audit_log (project_id, at);
        CREATE INDEX audit_log_actor ON auth.audit_log (actor, at);
    """)
    op.execute(outbox_ddl("auth"))
