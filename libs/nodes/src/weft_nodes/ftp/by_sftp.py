"""A server of files by SFTP."""

from collections.abc import AsyncGenerator, AsyncIterable
from typing import Any

from weft_nodes.ftp.remote import Entry, moment, rights
from weft_nodes.ssh_.sftp import AHEAD, PART, Named, Sftp


def _shown(text: str) -> str:
    """What is not UTF-8 can't be in JSON."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def entry_of(named: Named) -> Entry:
    held = named.attributes
    about: dict[str, Any] = {
        "type": held.kind,
        "name": _shown(named.name),
        "size": held.size,
        "modifyTime": None if held.modified is None else moment(held.modified),
        "accessTime": None if held.accessed is None else moment(held.accessed),
        "rights": rights(held.mode or 0),
        "owner": held.owner,
        "group": held.group,
        "longname": _shown(named.long_name),
    }
    return Entry(named.name, held.kind, about)


class BySftp:
    """Implements Remote. `ahead`, `part`: how a file is read, see Sftp."""

    def __init__(self, sftp: Sftp) -> None:
        self._sftp = sftp
        self.ahead, self.part = AHEAD, PART
        self.rename = sftp.rename
        self.remove = sftp.remove
        self.remove_folder = sftp.remove_folder
        self.make_folder = sftp.make_folder

    async def entries(self, path: str) -> list[Entry]:
        return [entry_of(each) for each in await self._sftp.entries(path)]

    def read(self, path: str) -> AsyncGenerator[bytes, None]:
        return self._sftp.read(path, ahead=self.ahead, part=self.part)

    async def write(self, path: str, chunks: AsyncIterable[bytes]) -> None:
        await self._sftp.write(path, chunks)
