"""`make bench`: the load scenarios against a Weft of its own, and the tables of docs/performance.md.

    python tests/load/bench.py [--form embedded|cluster] [--scenarios peer-b,peer-d] [--seconds 10] [--reps 3]
                               [--peer BASE --peer-pids CMD --peer-counts CMD] [--out results.json]

Every execution is durable before it is acknowledged, and the data of every node is kept. Load goes to 127.0.0.1
alone. Where the peer runs (BASE is its webhook address), the same scenarios run against it in the same call, and
ratios are printed. CPU and memory are of all processes of the installation, its database and broker included, the
load generator and the stub not.
"""

import argparse
import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from tests.harness.cluster import Cluster  # noqa: E402 - the repository is no package
from tests.harness.embedded import Embedded  # noqa: E402
from tests.harness.latency import manual_run_latency  # noqa: E402
from tests.harness.user import User, scenario  # noqa: E402

STUB_PORT = 18999
COUNTS = (
    "SELECT coalesce(json_object_agg(status, n), '{{}}') FROM (SELECT e.status, count(*) AS n "
    "FROM orchestrator.executions e JOIN workflow_store.webhooks r USING (workflow_id) "
    "WHERE r.path = '{path}' GROUP BY 1) AS counted"
)


def memory(roots: list[int]) -> int:
    """PSS of the process trees, MB."""
    from tests.load.load import usage

    return round(usage(roots)[0] / 2**20)


def members(cluster: Cluster) -> None:
    """Prints of each service its idle memory, and how long one process of it takes to be ready again."""
    for member in cluster.members:
        assert member.process is not None
        idle = memory([member.process.pid])
        member.signal(signal.SIGTERM)
        member.process.wait(60)
        began = time.monotonic()
        member.launch(cluster.environment)
        member.wait()
        print(f"{member.name}: idle memory {idle} MB (PSS), start to ready {time.monotonic() - began:.2f} s")


def prepare(base: str) -> None:
    """Imports and publishes every scenario, and calls each once."""
    user = User(base)
    user.register()
    for entry in json.loads((HERE / "manifest.json").read_text()):
        if entry.get("load"):
            user.import_workflow(scenario(entry["key"]))
            answer = user.ready_hook(entry["path"], json=entry["body"])
            assert answer.is_success, f"{entry['key']}: {answer.status_code} {answer.text}"


def load(base: str, arguments: argparse.Namespace, pids: str, counts: str, out: Path) -> list[dict[str, Any]]:
    command = [
        sys.executable,
        str(HERE / "load.py"),
        "--base",
        base,
        "--out",
        str(out),
        "--success-status",
        "success",
    ]
    command += ["--busy-status", "queued,running,new", "--pids-cmd", pids, "--counts-cmd", counts]
    command += ["--seconds", str(arguments.seconds), "--reps", str(arguments.reps), "--quiet-wait", "10"]
    command += ["--scenarios", arguments.scenarios, "--gentle-seconds", str(arguments.gentle)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    scenarios: list[dict[str, Any]] = json.loads(out.read_text())["scenarios"]
    return scenarios


def figure(row: dict[str, Any], phase: str, name: str) -> str:
    value = row.get(phase, {}).get(name)
    return f"{value['med']:.1f}" if value else "–"


def table(rows: list[dict[str, Any]], peer: list[dict[str, Any]]) -> str:
    """Markdown; the ratio's column is there where the peer was measured."""
    others = {row["scenario"]: row for row in peer}
    lines = [
        (
            "| scenario | exec/s (min–max) | ratio | CPU ms/exec | ms at 10/s: p50 / p99 | at 50 callers "
            "| errors | PSS MB |"
        ),
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if "saturation" not in row:
            lines.append(f"| {row['scenario']} | failed: {row.get('probe')} | | | | | | |")
            continue
        rate = row["saturation"]["exec_per_s"]
        other = others.get(row["scenario"], {}).get("saturation", {}).get("exec_per_s", {}).get("med")
        ratio = f"{rate['med'] / other:.1f}×" if other else "–"
        lines.append(
            f"| {row['scenario']} | **{rate['med']:.1f}** ({rate['min']:.1f}–{rate['max']:.1f}) "
            f"| {ratio} | {figure(row, 'saturation', 'cpu_ms_per_exec')} "
            f"| {figure(row, 'gentle', 'p50')} / {figure(row, 'gentle', 'p99')} "
            f"| {figure(row, 'saturation', 'p50')} / {figure(row, 'saturation', 'p99')} "
            f"| {row['saturation']['errors']['max']} | {row['saturation']['rss_peak_mb']['max']} |"
        )
    return "\n".join(lines)


def machine() -> str:
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "",
    )
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    cores, load = os.cpu_count(), os.getloadavg()[0]
    return f"{time.strftime('%Y-%m-%d')}, commit {commit}, {cores} cores ({model}), load average {load:.1f} before"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--form", choices=["embedded", "cluster"], default="embedded")
    parser.add_argument("--scenarios", default="")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--gentle", type=float, default=10)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--peer", default="")
    parser.add_argument("--peer-pids", default="")
    parser.add_argument("--peer-counts", default="")
    parser.add_argument("--out", default="build/bench.json")
    arguments = parser.parse_args()
    known = {entry["key"] for entry in json.loads((HERE / "manifest.json").read_text()) if entry.get("load")}
    if unknown := {key for key in arguments.scenarios.split(",") if key} - known:
        parser.error(f"no scenarios: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    print(machine())
    out = Path(arguments.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    stub = subprocess.Popen([sys.executable, str(HERE / "stub.py"), "--port", str(STUB_PORT)])
    form = Embedded if arguments.form == "embedded" else Cluster
    with tempfile.TemporaryDirectory() as folder:
        extra: dict[str, Any] = {} if form is Embedded else {"replicas": {"orchestrator": 1}}
        weft = form(Path(folder) / "home", allow=f"127.0.0.1:{STUB_PORT}", **extra)
        try:
            first = weft.start()
            prepare(weft.base)
            weft.stop()
            second = weft.start()
            time.sleep(5)
            idle = memory(weft.pids())
            print(
                f"start to healthy: first {first:.2f} s, second {second:.2f} s; idle memory {idle} MB (PSS)"
            )
            if isinstance(weft, Cluster):
                members(weft)
            latency = manual_run_latency(User(weft.base).login())
            median, longest = statistics.median(latency), max(latency)
            print(f"run by execute to finished on the WebSocket: p50 {median:.1f} ms, max {longest:.1f} ms")
            psql = f"{weft.database_client()} -c {shlex.quote(COUNTS)}"
            rows = load(
                f"{weft.base}/webhook", arguments, f"echo {' '.join(map(str, weft.pids()))}", psql, out
            )
        finally:
            weft.close()
            stub.kill() if not arguments.peer else None
    peer: list[dict[str, Any]] = []
    if arguments.peer:
        peer = load(
            arguments.peer,
            arguments,
            arguments.peer_pids,
            arguments.peer_counts,
            out.with_suffix(".peer.json"),
        )
        stub.kill()
    print(table(rows, peer))


if __name__ == "__main__":
    main()
