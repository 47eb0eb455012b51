"""Microseconds per execution by stage, from a recording of py-spy: `py-spy record --nonblocking -f raw -p PID -o FILE`.

    python tests/load/stages.py FILE --per-execution CPU_MS

A sample belongs to the innermost stage that its stack passes through. CPU_MS is the process's own CPU time per
execution while it was recorded (load.py and bench.py print it for all processes together).
"""

import argparse
from collections import Counter
from pathlib import Path

STAGES = {
    "HTTP server (uvicorn)": ("uvicorn/",),
    "webhook ingress: request to command, reply to answer": ("weft_webhook_ingress/",),
    "bus in process": ("weft_kit/bus/",),
    "orchestrator: engine, rows, dispatch": (
        "weft_orchestrator/application/",
        "weft_orchestrator/domain/",
        "weft_engine/",
    ),
    "orchestrator: group commit": ("weft_orchestrator/adapters/postgres_commits", "asyncpg/"),
    "runner: walk, context, lineage": ("weft_node_runner/",),
    "expressions": ("weft_expressions/",),
    "nodes": ("weft_nodes/", "weft_node_sdk/"),
    "codec: JSON, zstd": ("weft_kit/items",),
    "events to browsers": ("weft_realtime/",),
}
REST = "event loop and everything else"


def stage_of(stack: str) -> str:
    """Of the frames from the innermost outwards, the first that belongs to a stage."""
    for frame in reversed(stack.split(";")):
        for stage, marks in STAGES.items():
            if any(mark in frame for mark in marks):
                return stage
    return REST


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--per-execution", type=float, required=True, metavar="CPU_MS")
    arguments = parser.parse_args()
    found: Counter[str] = Counter()
    for line in arguments.file.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        found[stage_of(stack)] += int(count)
    total = found.total()
    print("| stage | share | µs per execution |\n|---|---|---|")
    for stage, count in found.most_common():
        print(f"| {stage} | {count / total:.0%} | {count / total * arguments.per_execution * 1000:.0f} |")


if __name__ == "__main__":
    main()
