"""A service for workflows to call: waits, answers, and counts its calls by key."""

import asyncio
import threading
from collections import Counter
from urllib.parse import parse_qs, urlsplit


class Stub:
    """`ANY /delay?ms=N&key=K` answers `{"ok": true}` after N ms. `calls[K]` counts what began."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),), daemon=True)
        self._thread.start()
        self._ready.wait(5)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._client, "127.0.0.1", 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                lengths = [int(line[15:]) for line in lines if line.lower().startswith("content-length:")]
                await reader.readexactly(lengths[0] if lengths else 0)
                query = parse_qs(urlsplit(lines[0].split(" ")[1]).query)
                self.calls[query.get("key", [""])[0]] += 1
                await asyncio.sleep(int(query.get("ms", ["0"])[0]) / 1000)
                body = b'{"ok":true}'
                kind = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                writer.write(kind % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(5)
