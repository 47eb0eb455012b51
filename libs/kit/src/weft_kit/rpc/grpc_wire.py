"""What both ends of a gRPC call agree on: metadata, statuses, limits, TLS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import orjson
from weft_contracts.errors import ErrorCode, WeftError

from weft_kit.rpc import Caller

CALLER: Final = "weft-caller-bin"
ERROR: Final = "weft-error-bin"
TRACEPARENT: Final = "traceparent"
STOP_GRACE: Final = 10.0
"""Seconds that calls under way have when a server stops."""
_MAX_ERROR_BYTES = 6000
"""Peers refuse metadata of over 8 kB."""

LIMITS: Final = (
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)

STATUS: Final[Mapping[ErrorCode, grpc.StatusCode]] = {
    ErrorCode.BAD_REQUEST: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorCode.VALIDATION_ERROR: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorCode.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    ErrorCode.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    ErrorCode.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorCode.CONFLICT: grpc.StatusCode.ABORTED,
    ErrorCode.TOO_LARGE: grpc.StatusCode.OUT_OF_RANGE,
    ErrorCode.UNPROCESSABLE: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorCode.RATE_LIMITED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ErrorCode.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    ErrorCode.TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
    ErrorCode.INTERNAL: grpc.StatusCode.INTERNAL,
}


@dataclass(frozen=True)
class Tls:
    """PEM files. With `ca` both ends must show a certificate that it signed."""

    certificate: Path
    key: Path
    ca: Path

    def server(self) -> Any:
        pair = (self.key.read_bytes(), self.certificate.read_bytes())
        return grpc.ssl_server_credentials([pair], self.ca.read_bytes(), require_client_auth=True)

    def client(self) -> Any:
        return grpc.ssl_channel_credentials(
            self.ca.read_bytes(), self.key.read_bytes(), self.certificate.read_bytes()
        )


def write_caller(who: Caller) -> bytes:
    return orjson.dumps([who.user_id, who.scopes, who.address, who.request_id])


def read_caller(data: bytes) -> Caller:
    user_id, scopes, address, request_id = orjson.loads(data)
    return Caller(user_id, tuple(scopes), address, request_id)


def write_error(error: WeftError) -> bytes:
    """Details that would not fit into metadata are left out."""
    data = orjson.dumps([error.code, error.message, error.details], default=str)
    if len(data) > _MAX_ERROR_BYTES:
        data = orjson.dumps([error.code, error.message[:1000], {}])
    return data


def read_error(metadata: Sequence[tuple[str, Any]]) -> WeftError | None:
    """The error that a servicer raised, if the metadata bears one."""
    for key, value in metadata:
        if key == ERROR:
            code, message, details = orjson.loads(value)
            return WeftError(ErrorCode(code), message, **details)
    return None
