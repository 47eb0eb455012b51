"""Tables of the schema `auth`, for queries; migrations make them."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="auth")
_WHEN = DateTime(timezone=True)

installation = Table("installation", metadata, Column("issuer", Text), Column("pepper", LargeBinary))

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("private_key", LargeBinary),
    Column("public_key", Text),
    Column("created_at", _WHEN),
    Column("retired_at", _WHEN),
)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text),
    Column("password_hash", Text),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("role", Text),
    Column("personal_project_id", Text),
    Column("created_at", _WHEN),
)

projects = Table(
    "projects",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text),
    Column("kind", Text),
    Column("created_at", _WHEN),
)

project_members = Table(
    "project_members",
    metadata,
    Column("project_id", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("role", Text),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text),
    Column("token_hash", LargeBinary),
    Column("expires_at", _WHEN),
    Column("revoked", Boolean),
    Column("address", Text),
    Column("user_agent", Text),
    Column("created_at", _WHEN),
    Column("last_used_at", _WHEN),
)

second_factors = Table(
    "second_factors",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("secret", LargeBinary),
    Column("enabled", Boolean),
    Column("last_step", BigInteger),
    Column("recovery", ARRAY(LargeBinary)),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text),
    Column("name", Text),
    Column("prefix", Text),
    Column("salt", LargeBinary),
    Column("digest", LargeBinary),
    Column("scopes", ARRAY(Text)),
    Column("created_at", _WHEN),
    Column("expires_at", _WHEN),
    Column("last_used_at", _WHEN),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("count", Integer),
    Column("last_at", _WHEN),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Text, primary_key=True),
    Column("actor", Text),
    Column("action", Text),
    Column("object_type", Text),
    Column("object_id", Text),
    Column("project_id", Text),
    Column("at", _WHEN),
    Column("address", Text),
    Column("request_id", Text),
    Column("details", JSONB),
)
