"""Trace context (W3C traceparent) across services, and spans where an exporter is configured.

Without `OTEL_EXPORTER_OTLP_ENDPOINT` nothing of OpenTelemetry is imported: a traceparent that came in goes on
as it is, and `span` does nothing.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

traceparent: ContextVar[str] = ContextVar("weft_traceparent", default="")
"""Of the work at hand; travels in gRPC metadata, envelopes and HTTP headers. Empty: no trace."""

_provider: Any = None
_tracer: Any = None


def configure(service: str, instance: str) -> bool:
    """Starts exporting spans by OTLP over HTTP where the environment names an endpoint. Whether it does."""
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return False
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": f"weft-{service}", "service.instance.id": instance})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    use(provider)
    return True


def use(provider: Any) -> None:
    """Spans go to this OpenTelemetry tracer provider from now on; None: to nobody."""
    global _provider, _tracer  # noqa: PLW0603 - one process, one tracer
    _provider = provider
    _tracer = provider.get_tracer("weft") if provider is not None else None


def stop() -> None:
    """Flushes what is still to be exported."""
    if _provider is not None:
        _provider.shutdown()
        use(None)


@contextmanager
def span(name: str, **attributes: str | float | bool) -> Iterator[None]:
    """A span around the block, child of `traceparent`, which names it inside."""
    if _tracer is None:
        yield
        return
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    propagator = TraceContextTextMapPropagator()
    parent = propagator.extract({"traceparent": traceparent.get()})
    with _tracer.start_as_current_span(name, context=parent, attributes=attributes):
        carrier: dict[str, str] = {}
        propagator.inject(carrier)
        token = traceparent.set(carrier.get("traceparent", ""))
        try:
            yield
        finally:
            traceparent.reset(token)
