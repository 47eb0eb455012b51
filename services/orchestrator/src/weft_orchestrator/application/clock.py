"""The time that executions are told."""

import time


def now_us() -> int:
    """Unix time in microseconds."""
    return time.time_ns() // 1000
