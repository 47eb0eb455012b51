"""A seccomp filter that lets through what V8 and an interpreter at work need. Everything else fails with EPERM: no new
program, process, socket, file, mount, or look at another process."""

import ctypes
import os
import platform
import struct
from typing import Final

_MACHINES: Final = {
    "x86_64": (0xC000003E, {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11,
        "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "readv": 19, "writev": 20,
        "sched_yield": 24, "mremap": 25, "madvise": 28, "nanosleep": 35, "getpid": 39, "sendto": 44, "recvfrom": 45,
        "exit": 60, "gettimeofday": 96, "getrlimit": 97, "getrusage": 98, "sysinfo": 99, "times": 100, "getuid": 102,
        "geteuid": 107, "getppid": 110, "sigaltstack": 131, "gettid": 186, "time": 201, "futex": 202,
        "sched_setaffinity": 203, "sched_getaffinity": 204, "restart_syscall": 219, "clock_gettime": 228,
        "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "set_robust_list": 273, "ppoll": 271,
        "getrandom": 318, "membarrier": 324, "pkey_mprotect": 329, "pkey_alloc": 330, "pkey_free": 331, "rseq": 334,
    }, {"clone": 56, "tgkill": 234, "clone3": 435, "capset": 126, "pivot_root": 155}),
    "aarch64": (0xC00000B7, {
        "read": 63, "write": 64, "close": 57, "fstat": 80, "lseek": 62, "mmap": 222, "mprotect": 226, "munmap": 215,
        "brk": 214, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "readv": 65, "writev": 66,
        "sched_yield": 124, "mremap": 216, "madvise": 233, "nanosleep": 101, "getpid": 172, "sendto": 206,
        "recvfrom": 207, "exit": 93, "gettimeofday": 169, "getrlimit": 163, "getrusage": 165, "sysinfo": 179,
        "times": 153, "getuid": 174, "geteuid": 175, "getppid": 173, "sigaltstack": 132, "gettid": 178, "futex": 98,
        "sched_setaffinity": 122, "sched_getaffinity": 123, "restart_syscall": 128, "clock_gettime": 113,
        "clock_getres": 114, "clock_nanosleep": 115, "exit_group": 94, "set_robust_list": 99, "ppoll": 73,
        "getrandom": 278, "membarrier": 283, "pkey_mprotect": 288, "pkey_alloc": 289, "pkey_free": 290, "rseq": 293,
    }, {"clone": 220, "tgkill": 131, "clone3": 435, "capset": 91, "pivot_root": 41}),
}  # fmt: skip
_ARCHITECTURE, _ALLOWED, _SPECIAL = _MACHINES.get(platform.machine(), (0, {}, {}))
CAPSET: Final = _SPECIAL.get("capset", -1)
PIVOT_ROOT: Final = _SPECIAL.get("pivot_root", -1)

_LOAD, _EQUAL, _AND, _RETURN, _GREATER_EQUAL = 0x20, 0x15, 0x54, 0x06, 0x35
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_EPERM, _ENOSYS = 1, 38
_CLONE_THREAD: Final = 0x00010000
_X32_BIT: Final = 0x40000000
_NUMBER, _MACHINE, _ARGUMENT_0 = 0, 4, 16
_PR_SET_SECCOMP, _FILTER = 22, 2


def _program(process_id: int) -> bytes:
    """`struct sock_filter[]`: (operation, jump if true, jump if false, constant)."""
    code: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _MACHINE),
        (_EQUAL, 1, 0, _ARCHITECTURE),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_GREATER_EQUAL, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, _ERRNO | _EPERM),
        # glibc falls back to clone, whose flags can be seen, when there is no clone3
        (_EQUAL, 0, 1, _SPECIAL["clone3"]),
        (_RETURN, 0, 0, _ERRNO | _ENOSYS),
        (_EQUAL, 0, 5, _SPECIAL["clone"]),
        (_LOAD, 0, 0, _ARGUMENT_0),
        (_AND, 0, 0, _CLONE_THREAD),
        (_EQUAL, 0, 1, _CLONE_THREAD),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | _EPERM),
        # abort() signals its own threads
        (_EQUAL, 0, 4, _SPECIAL["tgkill"]),
        (_LOAD, 0, 0, _ARGUMENT_0),
        (_EQUAL, 0, 1, process_id),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | _EPERM),
    ]
    for number in sorted(_ALLOWED.values()):
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    code.append((_RETURN, 0, 0, _ERRNO | _EPERM))
    return b"".join(struct.pack("=HBBI", *line) for line in code)


class _SockFprog(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install() -> None:
    """Filters this thread and those it starts, for good. Raises OSError where the kernel or machine has no filter."""
    if not _ARCHITECTURE:
        raise OSError(_ENOSYS, f"no filter for {platform.machine()}")
    program = _program(os.getpid())
    libc = ctypes.CDLL(None, use_errno=True)
    described = _SockFprog(len(program) // 8, program)
    if libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.byref(described), 0, 0) < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"seccomp: {os.strerror(code)}")
