"""Calls of n8n's public API, which this installation answers, too: https://docs.n8n.io/api/."""

from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import Http, NodeRunError
from weft_node_sdk.credentials import Authentication
from weft_node_sdk.values import entries, value

from weft_nodes.network.rest import Rest


def service(http: Http, added: Authentication, options: Mapping[str, Any]) -> Rest:
    """`options`: of the requests, as the node has them. Raises NodeRunError where the credential names no address."""
    base = str(added.secret.get("baseUrl") or "").rstrip("/")
    if not base:
        raise NodeRunError("The credential says not where the API is: its base URL is empty")
    milliseconds = value(options.get("timeout"))
    settings: dict[str, Any] = {"verify": options.get("allowUnauthorizedCerts") is not True}
    if isinstance(milliseconds, int | float) and milliseconds > 0:
        settings["timeout"] = milliseconds / 1000
    if proxy := str(value(options.get("proxy")) or ""):
        settings["proxy"] = proxy
    return Rest(http, "The API", base, added, settings)


def batching(options: Mapping[str, Any]) -> tuple[int, float]:
    """Items per batch, 0 for all, and the seconds between two batches."""
    batch = next(iter(entries(options, "batching", "batch")), None)
    size, interval = (batch or {}).get("batchSize", 50), (batch or {}).get("batchInterval", 1000)
    if batch is None or not isinstance(size, int | float) or not isinstance(interval, int | float):
        return 0, 0.0
    return max(int(size), 0), max(interval / 1000, 0.0)
