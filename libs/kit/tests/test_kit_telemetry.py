import logging
import subprocess
import sys
from collections.abc import Iterator

import orjson
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretBytes, SecretStr
from weft_kit.telemetry import logs, metrics, tracing

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def test_json_lines_carry_fields_and_hide_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("auth", "INFO")
    log = logging.getLogger("weft.test")
    token = tracing.traceparent.set(PARENT)
    log.info(
        "took %s", "over", extra=logs.fields(shard=3, key=SecretStr("pw"), deep={"k": [SecretBytes(b"pw")]})
    )
    tracing.traceparent.reset(token)
    log.debug("unseen")
    line = orjson.loads(capsys.readouterr().err)
    assert (line["message"], line["level"], line["service"], line["shard"]) == (
        "took over",
        "INFO",
        "auth",
        3,
    )
    assert line["traceparent"] == PARENT
    assert (line["key"], line["deep"]) == (logs.HIDDEN, {"k": [logs.HIDDEN]})


def test_failures_are_logged_with_their_trace(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("auth", "INFO", as_json=True)
    try:
        raise KeyError("x")
    except KeyError:
        logging.getLogger("weft.test").exception("it failed")
    assert "KeyError: 'x'" in orjson.loads(capsys.readouterr().err)["error"]


def test_lines_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("auth", "DEBUG", as_json=False)
    logging.getLogger("weft.test").warning("careful", extra=logs.fields(n=1, key=SecretStr("pw")))
    assert f"WARNING weft.test  careful  n=1  key={logs.HIDDEN}" in capsys.readouterr().err


def test_metrics_are_rendered_and_made_once() -> None:
    made = metrics.counter("test_things", "Things.", ("kind",))
    made.labels("a").inc(2)
    assert metrics.counter("test_things", "Things.", ("kind",)) is made
    metrics.gauge("test_level", "Level.").set(1.5)
    metrics.histogram("test_seconds", "Time.").observe(0.003)
    text = metrics.render().decode()
    assert 'weft_test_things_total{kind="a"} 2.0' in text
    assert "weft_test_level 1.5" in text
    assert 'weft_test_seconds_bucket{le="0.005"} 1.0' in text
    assert "process_resident_memory_bytes" in text


def test_without_an_exporter_a_span_passes_the_trace_on() -> None:
    token = tracing.traceparent.set(PARENT)
    with tracing.span("work"):
        assert tracing.traceparent.get() == PARENT
    tracing.traceparent.reset(token)
    script = (
        "import sys; from weft_kit.telemetry import tracing; assert not tracing.configure('auth', 'i')\n"
        "with tracing.span('work'): pass\n"
        "sys.exit('opentelemetry' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], env={}, check=False).returncode == 0


def test_spans_are_children_of_the_trace_that_came_in() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    token = tracing.traceparent.set(PARENT)
    try:
        with tracing.span("outer", kind="test"):
            outer = tracing.traceparent.get()
            with tracing.span("inner"):
                pass
        assert tracing.traceparent.get() == PARENT
    finally:
        tracing.traceparent.reset(token)
        tracing.stop()
    inner, out = exporter.get_finished_spans()
    assert out.parent is not None
    assert inner.parent is not None
    assert f"{out.parent.span_id:016x}" in PARENT
    assert f"{inner.parent.span_id:016x}" in outer
    assert outer.startswith(PARENT[:36])
    assert dict(out.attributes or {}) == {"kind": "test"}
