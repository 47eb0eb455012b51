"""Becomes a program whose uid and gid are ordinary ones: `python -I -S ordinary.py PROGRAM [ARGUMENT…]`.

They get such numbers in a new user namespace; files stay ours. A process of its own does it, because a fork of one
that has threads (gRPC restarts its own in the child) may not enter a namespace. Exit code 1 where there are none.
"""

import ctypes
import os
import sys

_CLONE_NEWUSER = 0x10000000
_ORDINARY_ID = 1000


def _write(name: str, text: str) -> None:
    with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123 - pathlib would be half of this start
        file.write(text)


if __name__ == "__main__":
    uid, gid = os.getuid(), os.getgid()
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER):
        sys.exit(1)
    _write("setgroups", "deny")
    _write("uid_map", f"{_ORDINARY_ID} {uid} 1")
    _write("gid_map", f"{_ORDINARY_ID} {gid} 1")
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the caller names a program, not a shell's line
