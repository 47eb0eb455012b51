"""One Weft for each data folder, one for each port."""

import errno
import fcntl
import os
import socket
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.folders import make_private


def open_port(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CONFLICT with what to do where the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            message = (
                f"Port {port} is in use. Stop what uses it, or choose another: WEFT_PORT={port + 1} make run"
            )
            raise WeftError(ErrorCode.CONFLICT, message) from None
        raise WeftError(ErrorCode.CONFLICT, f"Port {port} can't be opened: {error.strerror}.") from None
    listener.listen(2048)
    listener.setblocking(False)
    return listener


class HomeLock:
    """Holds `WEFT_HOME/lock` for as long as the process lives; a kill -9 releases it. Raises CONFLICT where another
    holds it, or the folder can't be written."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            make_private(self.home)
            self._file = (self.home / "lock").open("a+")
        except OSError as error:
            message = (
                f"{self.home} can't hold Weft's data: {error.strerror}. Set WEFT_HOME to a folder that can."
            )
            raise WeftError(ErrorCode.CONFLICT, message) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            message = (
                f"Another Weft (process {holder}) already runs on {self.home}. Stop it, or set WEFT_HOME."
            )
            raise WeftError(ErrorCode.CONFLICT, message) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
