"""Named crash points: places where a test makes the process die as if by kill -9.

`WEFT_CRASH="commit.before:3"` kills at the third passing of `commit.before`. Unset, a point costs one comparison.
"""

import os
import signal
from typing import Final

POINTS: Final = ("commit.before", "commit.after", "publish.after", "position.before")

_armed, _, _count = os.environ.get("WEFT_CRASH", "").partition(":")
_left = int(_count or 1)


def point(name: str) -> None:
    """Dies here if the environment says so."""
    if name == _armed:
        _strike()


def _strike() -> None:
    global _left  # noqa: PLW0603 - one process, one countdown
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
