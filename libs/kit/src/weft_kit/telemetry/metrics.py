"""Prometheus metrics of the process. Every name begins with `weft_`; one registry, served at `/metrics`."""

from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
LATENCIES: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds."""

registry = CollectorRegistry()
ProcessCollector(registry=registry)
PlatformCollector(registry=registry)
GCCollector(registry=registry)


@cache
def counter(name: str, about: str, labels: tuple[str, ...] = ()) -> Counter:
    """What only rises. `name` without `weft_` and `_total`. The same call gives the same counter."""
    return Counter(f"weft_{name}", about, labels, registry=registry)


@cache
def gauge(name: str, about: str, labels: tuple[str, ...] = ()) -> Gauge:
    """What rises and falls."""
    return Gauge(f"weft_{name}", about, labels, registry=registry)


@cache
def histogram(
    name: str, about: str, labels: tuple[str, ...] = (), buckets: tuple[float, ...] = LATENCIES
) -> Histogram:
    """How long, in seconds, or how much."""
    return Histogram(f"weft_{name}", about, labels, buckets=buckets, registry=registry)


def render() -> bytes:
    """The exposition of everything, in text format."""
    return generate_latest(registry)
