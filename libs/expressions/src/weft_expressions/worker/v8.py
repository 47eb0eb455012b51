"""V8 isolates through the C interface of the mini-racer wheel.

The wheel's Python side runs an asyncio loop in a second thread and costs 130 ms more at start, 10 MB, and three times
as much per call; here one lock hands results over. Only strings cross, and no host function is ever given to V8.
"""

import _thread
import ctypes
import os
import sys
from typing import Any, Final

_STRING, _BUFFER = 5, 101
_ERRORS: Final = range(200, 207)
_OUT_OF_MEMORY, _TERMINATED = 202, 204
_TICKS: Final = 4
"""How often in a timeout the progress is looked at."""


class _Union(ctypes.Union):
    _fields_ = (("pointer", ctypes.c_void_p), ("integer", ctypes.c_int64), ("double", ctypes.c_double))


class _Value(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("value", _Union), ("length", ctypes.c_size_t), ("kind", ctypes.c_uint8))


_Handle = ctypes.POINTER(_Value)
_Callback = ctypes.CFUNCTYPE(None, ctypes.c_uint64, _Handle)


class JavaScriptError(Exception):
    """What V8 raised outside the prelude's own handling."""


class OutOfMemory(JavaScriptError):
    """The isolate's limit was reached; it must be closed."""


class Terminated(JavaScriptError):
    """The call was cancelled."""


class Hung(JavaScriptError):
    """The call made no progress for too long and was cancelled."""


def load() -> Any:
    """The wheel's library, V8 started in it. Reads files; call once, before the jail closes. `--single-threaded`: no
    helper threads, one thread per isolate."""
    folder = next(
        found
        for entry in sys.path
        if os.path.isdir(found := os.path.join(entry, "py_mini_racer"))  # noqa: PTH112, PTH118 - no pathlib: start-up
    )
    library = ctypes.CDLL(os.path.join(folder, "libmini_racer.so"))  # noqa: PTH118
    number, size, byte = ctypes.c_uint64, ctypes.c_size_t, ctypes.c_uint8
    signatures = {
        "mr_init_v8": (None, [ctypes.c_char_p, ctypes.c_char_p]),
        "mr_init_context": (number, [_Callback]),
        "mr_free_context": (None, [number]),
        "mr_eval": (number, [number, _Handle, number]),
        "mr_call_function": (number, [number, _Handle, _Handle, _Handle, number]),
        "mr_cancel_task": (None, [number, number]),
        "mr_alloc_string_val": (_Handle, [number, ctypes.c_char_p, number, byte]),
        "mr_free_value": (None, [number, _Handle]),
        "mr_set_hard_memory_limit": (None, [number, size]),
        "mr_low_memory_notification": (None, [number]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.mr_init_v8(b"--single-threaded", os.path.join(folder, "icudtl.dat").encode())  # noqa: PTH118
    return library


class Isolate:
    """One V8 isolate with the prelude in it. Calls are made from one thread."""

    def __init__(self, library: Any, prelude: bytes, memory_bytes: int) -> None:
        self._library = library
        self._done = _thread.allocate_lock()
        self._done.acquire()
        self._result: Any = None
        self._progress: Any = (0,)
        self._callback = _Callback(self._finished)
        self._context: int = library.mr_init_context(self._callback)
        self._function = self._take(self._evaluate(prelude), timeout=30.0)
        self._arguments = self._take(self._evaluate(b"[]"), timeout=5.0)
        library.mr_set_hard_memory_limit(self._context, memory_bytes)
        self._progress = self._progress_counter()
        self.libraries: set[str] = set()

    def close(self) -> None:
        """Frees everything of it."""
        self._library.mr_free_context(self._context)

    def collect(self) -> None:
        """Gives memory back that is not needed."""
        self._library.mr_low_memory_notification(self._context)

    @property
    def evaluations(self) -> int:
        """How many single evaluations were finished since the isolate began, modulo 2**32."""
        return int(self._progress[0])

    def call(self, message: bytes, timeout: float) -> bytes:
        """What the prelude's function answers. `timeout`: seconds that one evaluation may take; a call with many may
        take longer while it makes progress. Raises JavaScriptError."""
        handle = self._send(message)
        return self._text(self._take(handle, timeout))

    def _finished(self, _: int, handle: Any) -> None:
        self._result = handle
        self._done.release()

    def _string(self, data: bytes) -> Any:
        return self._library.mr_alloc_string_val(self._context, data, len(data), _STRING)

    def _evaluate(self, source: bytes) -> int:
        text = self._string(source)
        task = self._library.mr_eval(self._context, text, 0)
        self._library.mr_free_value(self._context, text)
        return int(task)

    def _send(self, message: bytes) -> int:
        """Calls the function with the message as `this`: the one argument that crosses without a switch of threads
        of its own."""
        text = self._string(message)
        task = self._library.mr_call_function(self._context, self._function, text, self._arguments, 0)
        self._library.mr_free_value(self._context, text)
        return int(task)

    def _take(self, task: int, timeout: float) -> Any:
        """The result's handle. A task that makes no progress for `timeout` is cancelled."""
        before, idle, hung = self.evaluations, 0, False
        while not self._done.acquire(timeout=timeout / _TICKS):
            idle = idle + 1 if self.evaluations == before else 0
            before = self.evaluations
            if idle == _TICKS:
                hung = True
                self._library.mr_cancel_task(self._context, task)
        handle, self._result = self._result, None
        kind = handle.contents.kind
        if kind in _ERRORS:
            message = self._text_of(handle)
            if hung:
                raise Hung(message)
            raise {_OUT_OF_MEMORY: OutOfMemory, _TERMINATED: Terminated}.get(kind, JavaScriptError)(message)
        return handle

    def _text(self, handle: Any) -> bytes:
        if handle.contents.kind != _STRING:
            self._library.mr_free_value(self._context, handle)
            raise JavaScriptError("the prelude gave no text")
        return self._bytes_of(handle)

    def _bytes_of(self, handle: Any) -> bytes:
        data = ctypes.string_at(handle.contents.value.pointer, handle.contents.length)
        self._library.mr_free_value(self._context, handle)
        return data

    def _text_of(self, handle: Any) -> str:
        return self._bytes_of(handle)[:300].decode(errors="replace")

    def _progress_counter(self) -> Any:
        handle = self._take(self._send(b"B"), timeout=5.0)
        if handle.contents.kind != _BUFFER:
            raise JavaScriptError("the prelude gave no progress counter")
        return (ctypes.c_uint32 * 1).from_address(handle.contents.value.pointer)
