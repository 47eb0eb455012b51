"""Folders that hold what is ours alone."""

import os
from pathlib import Path


def make_private(folder: Path) -> None:
    """Makes it, and those of its parents that are missing, for our user alone; durable once this returns. Modes of
    what exists stay."""
    if folder.exists():
        return
    make_private(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync(folder.parent)


def sync(folder: Path) -> None:
    """A name outlives a power cut only once the folder that it is in has been synced."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
