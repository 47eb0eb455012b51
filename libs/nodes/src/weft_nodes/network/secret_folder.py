"""Folders for keys and passwords that a program is to read: gone when it is done, and, where this process was killed
before that, when the next one begins."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

_NAME = re.compile(r"weft-secret-(\d+)-.+")


@contextmanager
def secret_folder() -> Iterator[str]:
    """Its path; of mode 0700."""
    _sweep(tempfile.gettempdir())
    with tempfile.TemporaryDirectory(prefix=f"weft-secret-{os.getpid()}-") as name:
        yield name


@cache
def _sweep(place: str) -> None:
    """Removes the folders of processes that are no more, once."""
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            found = _NAME.fullmatch(entry.name)
            if found is None or _lives(int(found[1])):
                continue
            with suppress(OSError):
                if entry.stat(follow_symlinks=False).st_uid == os.geteuid():
                    shutil.rmtree(entry.path, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
