"""`make cluster`: the distributed form here until Ctrl-C; data under .run/cluster."""

import os
import signal
import threading
from pathlib import Path

from tests.harness.cluster import Cluster, summary

FOLDER = Path(__file__).resolve().parent.parent / ".run" / "cluster"


def main() -> None:
    cluster = Cluster(
        FOLDER,
        port=int(os.environ.get("WEFT_PORT", "8080")),
        allow=os.environ.get("WEFT_NET_ALLOW", ""),
        WEFT_LOG_LEVEL=os.environ.get("WEFT_LOG_LEVEL", "INFO"),
    )
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        seconds = cluster.start()
        print(f"Weft runs as a cluster at {cluster.base} after {seconds:.1f} s; Ctrl-C stops it.")
        print("\n".join(summary(cluster)))
        ended.wait()
        cluster.stop()
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
