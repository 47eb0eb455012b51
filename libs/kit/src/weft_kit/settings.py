"""Settings: flag, then environment `WEFT_*`, then `WEFT_*_FILE` for secrets, then the file `WEFT_CONFIG`
(YAML), then the default. `docs/configuration.md` is generated from the classes, see
`scripts/gen_config_docs.py`.
"""

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)
from weft_contracts.errors import ErrorCode, WeftError

PREFIX = "WEFT_"


def _split(value: Any) -> Any:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Several values with commas between; in YAML a list does, too."""


def _default_home() -> Path:
    return Path("/var/lib/weft") if os.geteuid() == 0 else Path.home() / ".weft"


def is_secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr


class _SecretFiles(PydanticBaseSettingsSource):
    """`WEFT_MASTER_KEY_FILE` names the file that holds `WEFT_MASTER_KEY`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE", "") if is_secret(field) else ""
        return (Path(path).read_text().strip() if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


class CoreSettings(BaseSettings):
    """What every service needs."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)
    section: ClassVar[str] = "All services"
    """Heading in the generated guide; a service's own class uses its docstring."""

    home: Path = Field(
        default_factory=_default_home,
        description="Folder of all data on this machine. Default: `~/.weft`; `/var/lib/weft` as root.",
    )
    host: str = Field(
        default="127.0.0.1", description="Address to listen on, HTTP and gRPC; `0.0.0.0` for all."
    )
    port: int = Field(default=8080, ge=0, le=65535, description="Port of HTTP.")
    trusted_proxies: Words = Field(
        default=("127.0.0.1",),
        description="Proxies whose X-Forwarded-For names the caller; addresses or CIDRs.",
    )
    public_url: str = Field(
        default="",
        description="Address under which the outside reaches this installation (webhooks, OAuth). "
        "Default: `http://localhost:<port>`.",
    )
    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="PostgreSQL, `postgresql://user:password@host/database`. "
        "Empty: one of our own (`weft up`).",
    )
    database_connections: int = Field(default=12, ge=4, description="Most connections of one process.")
    kafka_brokers: str = Field(default="", description="`host:port`, several with commas. Distributed.")
    redis_url: SecretStr = Field(default=SecretStr(""), description="`redis://…`. Distributed.")
    blob_url: str = Field(
        default="",
        description="Where files and large payloads go: `file:///folder`, or `s3://bucket/prefix` of a service that "
        "speaks the S3 protocol. Default: `<home>/blobs`.",
    )
    blob_s3_endpoint: str = Field(
        default="", description="`https://host:port` of that service. Default: Amazon's of the region."
    )
    blob_s3_region: str = Field(default="us-east-1", description="Region of the bucket.")
    blob_s3_access_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key id for the bucket. Default: what the environment gives (AWS_*, the role of the machine or "
        "of the Kubernetes service account).",
    )
    blob_s3_secret_key: SecretStr = Field(default=SecretStr(""), description="Its secret.")
    master_key: SecretStr = Field(
        default=SecretStr(""),
        description="Encrypts credentials and keys at rest; best 32 random bytes in base64. "
        "Default: made at first start, in `<home>/secrets/master_key`.",
    )
    master_key_previous: SecretStr = Field(
        default=SecretStr(""),
        description="Another master key that still opens what it sealed; for the time of a rotation "
        "(`weft keys rotate`).",
    )
    cluster_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Services of one installation know each other by it; at least 16 characters. "
        "Default: made at first start, in `<home>/secrets/cluster_secret`.",
    )
    timezone: str = Field(default="UTC", description="Zone of workflows that name none.")
    registration: Literal["open", "invite", "closed"] = Field(
        default="invite", description="Who may register once there is an owner."
    )
    allow_nodes: Words = Field(default=(), description="Dangerous node types that may run.")
    allow_env: Words = Field(default=(), description="Environment variables that expressions may read.")
    net_allow: Words = Field(
        default=(), description="Private hosts, `host:port`s and CIDRs that nodes may connect to."
    )
    files_allow: Words = Field(
        default=(), description="Folders that file nodes may use. Default: `<home>/files`."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least level logged."
    )
    log_json: bool | None = Field(
        default=None, description="Logs as JSON lines. Default: where it is no terminal."
    )
    rpc_port: int = Field(default=9090, ge=0, le=65535, description="Port that gRPC listens on.")
    rpc_auth: str = Field(default="auth:9090", description="Where auth is; several with commas.")
    rpc_workflow_store: str = Field(default="workflow-store:9090", description="Where workflow-store is.")
    rpc_orchestrator: str = Field(default="orchestrator:9090", description="Where the orchestrators are.")
    rpc_node_runner: str = Field(default="node-runner:9090", description="Where the runners are.")
    rpc_scheduler: str = Field(default="scheduler:9090", description="Where scheduler is.")
    rpc_webhook_ingress: str = Field(default="webhook-ingress:9090", description="Where webhook-ingress is.")
    rpc_tls_certificate: Path | None = Field(
        default=None, description="PEM; with key and CA gRPC is mutual TLS."
    )
    rpc_tls_key: Path | None = Field(default=None, description="PEM of its key.")
    rpc_tls_ca: Path | None = Field(default=None, description="PEM of the cluster's CA.")

    @classmethod
    def load(cls, **flags: Any) -> Self:
        """The settings, with flags (None: not given) before everything else. Raises VALIDATION_ERROR that
        names each wrong setting, never its value."""
        try:
            return cls(**{name: value for name, value in flags.items() if value is not None})
        except ValidationError as error:
            wrong = [f"{PREFIX}{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors()]
            raise WeftError(ErrorCode.VALIDATION_ERROR, "Wrong settings. " + "; ".join(wrong)) from None
        except OSError as error:
            raise WeftError(ErrorCode.VALIDATION_ERROR, f"A settings file can't be read: {error}") from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        sources = (init_settings, env_settings, _SecretFiles(settings_cls))
        path = os.environ.get(f"{PREFIX}CONFIG")
        if not path:
            return sources
        Path(path).open().close()  # the source would pass over a missing file in silence
        return (*sources, YamlConfigSettingsSource(settings_cls, yaml_file=path))

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("no such time zone") from None
        return value

    @field_validator("master_key", "master_key_previous", "cluster_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < 16:
            raise ValueError("at least 16 characters are needed")
        return value

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @property
    def dsn(self) -> str:
        """`database_url` for a driver; never for a log."""
        return self.database_url.get_secret_value()

    @property
    def public_origin(self) -> str:
        """`public_url` or its default, without a slash at the end."""
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def blob_folder(self) -> Path:
        """Raises VALIDATION_ERROR where `blob_url` is not a folder."""
        scheme, separator, rest = self.blob_url.partition("://")
        if not self.blob_url:
            return self.home / "blobs"
        if separator and scheme != "file":
            message = f"WEFT_BLOB_URL: {scheme}:// is not supported; use s3://bucket or file:///folder."
            raise WeftError(ErrorCode.VALIDATION_ERROR, message)
        return Path(rest if separator else self.blob_url)

    @property
    def file_folders(self) -> tuple[Path, ...]:
        return tuple(Path(each).expanduser() for each in self.files_allow) or (self.home / "files",)

    @property
    def rpc_addresses(self) -> Mapping[str, str]:
        """Service to where it is."""
        services = ("auth", "workflow_store", "orchestrator", "node_runner", "scheduler", "webhook_ingress")
        return {service: getattr(self, f"rpc_{service}") for service in services}


def settings_class(service: str) -> type[CoreSettings]:
    """The settings class of a service (`workflow-store`), the one that its module `settings` defines."""
    module = importlib.import_module(f"weft_{service.replace('-', '_')}.settings")
    for value in vars(module).values():
        if (
            isinstance(value, type)
            and issubclass(value, CoreSettings)
            and value.__module__ == module.__name__
        ):
            return value
    raise LookupError(f"{module.__name__} defines no settings class")
