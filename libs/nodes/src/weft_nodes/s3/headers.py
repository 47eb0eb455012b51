"""Headers from the settings of an operation."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any, Final

from weft_node_sdk.context import NodeRunError
from weft_node_sdk.dates import parse
from weft_node_sdk.values import to_text, value

_CLASSES: Final = {
    "deepArchive": "DEEP_ARCHIVE",
    "glacier": "GLACIER",
    "intelligentTiering": "INTELLIGENT_TIERING",
    "onezoneIA": "ONEZONE_IA",
    "RecudedRedundancy": "REDUCED_REDUNDANCY",
    "standard": "STANDARD",
    "standardIA": "STANDARD_IA",
}


def _text(given: Any) -> str:
    return str(to_text(given) or "")


def _with_hyphens(given: Any) -> str:
    """`publicReadWrite` -> `public-read-write`."""
    return re.sub(r"(?<!^)([A-Z])", r"-\1", _text(given)).lower()


def _grantee(given: Any) -> str:
    """Raises NodeRunError for a yes: it names nobody."""
    if given is True:
        raise NodeRunError(
            "A grant must name who gets it",
            description='Give the field an expression with a grantee, as uri="…", id="…" or emailAddress="…".',
        )
    return "" if given is False else _text(given)


def _storage_class(given: Any) -> str:
    return _CLASSES.get(_text(given), _text(given))


def _moment(given: Any) -> str:
    if given in (None, ""):
        return ""
    moment = parse(given, "UTC")
    if moment is None:
        raise NodeRunError(f"'{given}' is no date")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_ENCRYPTION: Final = "x-amz-server-side-encryption"
_RULES: Final[Mapping[str, tuple[str, Callable[[Any], str]]]] = {
    "acl": ("x-amz-acl", _with_hyphens),
    "bucketObjectLockEnabled": ("x-amz-bucket-object-lock-enabled", lambda given: "true" if given else ""),
    "encryptionAwsKmsKeyId": (f"{_ENCRYPTION}-aws-kms-key-id", _text),
    "grantFullControl": ("x-amz-grant-full-control", _grantee),
    "grantRead": ("x-amz-grant-read", _grantee),
    "grantReadAcp": ("x-amz-grant-read-acp", _grantee),
    "grantWrite": ("x-amz-grant-write", _grantee),
    "grantWriteAcp": ("x-amz-grant-write-acp", _grantee),
    "lockLegalHold": ("x-amz-object-lock-legal-hold", lambda given: "ON" if given else "OFF"),
    "lockMode": ("x-amz-object-lock-mode", lambda given: _text(given).upper()),
    "lockRetainUntilDate": ("x-amz-object-lock-retain-until-date", _moment),
    "metadataDirective": ("x-amz-metadata-directive", lambda given: _text(given).upper()),
    "requesterPays": ("x-amz-request-payer", lambda given: "requester" if given else ""),
    "serverSideEncryption": (_ENCRYPTION, _text),
    "serverSideEncryptionContext": (f"{_ENCRYPTION}-context", _text),
    "serversideEncryptionCustomerAlgorithm": (f"{_ENCRYPTION}-customer-algorithm", _text),
    "serversideEncryptionCustomerKey": (f"{_ENCRYPTION}-customer-key", _text),
    "serversideEncryptionCustomerKeyMD5": (f"{_ENCRYPTION}-customer-key-md5", _text),
    "storageClass": ("x-amz-storage-class", _storage_class),
    "taggingDirective": ("x-amz-tagging-directive", lambda given: _text(given).upper()),
}


def headers_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """Only those that say something."""
    found = {
        name: text(value(settings[setting]))
        for setting, (name, text) in _RULES.items()
        if setting in settings
    }
    return {name: held for name, held in found.items() if held}
