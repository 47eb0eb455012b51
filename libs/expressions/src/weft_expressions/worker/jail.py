"""The walls of an evaluator process: limits, no environment, no files, no network, few system calls.

Each wall that the kernel does not give is named in what `close` returns; the others stand all the same. To be called
after the last import and file, before the first thread: a user namespace wants a process with one.
"""

import ctypes
import os
import resource
from typing import Final

from weft_expressions.worker import seccomp

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_PRIVATE = 1, 2, 4, 8, 16384, 1 << 18
_MNT_DETACH: Final = 2
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
_NOBODY: Final = 65534
_CPU_SECONDS: Final = 3600
"""CPU time after which the kernel ends the process; a new one takes its place."""
_SPARE_DESCRIPTORS: Final = 16

_libc = ctypes.CDLL(None, use_errno=True)


class _Refused(OSError):
    """The kernel said no."""


def _check(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise _Refused(code, f"{what}: {os.strerror(code)}")


def close(memory_bytes: int) -> list[str]:
    """Closes the jail around this process for good. `memory_bytes` bounds its writable memory."""
    _close_descriptors()
    os.environ.clear()
    _libc.clearenv()
    missing: list[str] = []
    steps = (
        ("namespaces (no network, no files)", _leave_namespaces),
        ("unprivileged user", _become_nobody),
        ("resource limits", lambda: _limit(memory_bytes)),
        ("no new privileges", _no_new_privileges),
        ("system call filter", seccomp.install),
    )
    for name, step in steps:
        try:
            step()
        except OSError as error:
            missing.append(f"{name}: {error}")
    return missing


def _close_descriptors() -> None:
    """All but 0 (the socket) and what stands for output."""
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (1, 2):
        os.dup2(null, fd)
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0] if null < 0 else 1024)


def _leave_namespaces() -> None:
    """User, mount, network, IPC and host name of its own; the root is an empty read-only file system."""
    uid, gid = os.getuid(), os.getgid()
    kinds = _CLONE_NEWUSER | _CLONE_NEWNS | _CLONE_NEWNET | _CLONE_NEWIPC | _CLONE_NEWUTS
    _check(_libc.unshare(kinds), "unshare")
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{_NOBODY} {uid} 1")
    _write("/proc/self/gid_map", f"{_NOBODY} {gid} 1")
    _check(_libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "mount private")
    flags = _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    _check(_libc.mount(b"empty", b"/tmp", b"tmpfs", flags, b"size=4k"), "mount empty root")
    os.chdir("/tmp")  # noqa: S108
    _check(_libc.syscall(seccomp.PIVOT_ROOT, b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", _MNT_DETACH), "umount")
    os.chdir("/")


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:  # noqa: PTH123 - no pathlib: start-up
        file.write(text)


def _become_nobody() -> None:
    """Where namespaces were refused, root is given up at least; all capabilities go in any case."""
    for capability in range(64):
        if _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    none = (ctypes.c_uint32 * 6)()
    _check(_libc.syscall(seccomp.CAPSET, header, none), "capset")


def _limit(memory_bytes: int) -> None:
    """RLIMIT_DATA instead of RLIMIT_AS: V8 reserves address space by the gigabyte and never uses it."""
    limits = {
        resource.RLIMIT_DATA: memory_bytes,
        resource.RLIMIT_CPU: _CPU_SECONDS,
        resource.RLIMIT_NOFILE: _SPARE_DESCRIPTORS,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }
    for kind, value in limits.items():
        resource.setrlimit(kind, (value, value))


def _no_new_privileges() -> None:
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    _check(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl")
    _check(_libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0), "prctl")
