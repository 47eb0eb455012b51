"""Which settings a repository may have: many of Git's name programs that it runs, files that it reads, or hosts that
it goes to. Only what can't do that is let through."""

import re
from typing import Final

from weft_node_sdk.context import NodeRunError

CHOICES: Final = frozenset({"user.email", "user.name", "remote.origin.url"})
"""What version 1.1 of the node offers to set."""
_HARMLESS: Final = re.compile(
    r"""core\.(repositoryformatversion|filemode|bare|logallrefupdates|ignorecase|precomposeunicode|symlinks|autocrlf|eol
        |safecrlf|quotepath|compression|abbrev|whitespace|sharedrepository
        |sparsecheckout|sparsecheckoutcone|untrackedcache|bigfilethreshold|longpaths)
    |user\.(name|email) | author\.(name|email) | committer\.(name|email)
    |remote\..+\.(url|fetch|push|prune|tagopt|mirror|skipdefaultupdate)
    |branch\..+\.(remote|merge|rebase|description) | branch\.(autosetupmerge|autosetuprebase|sort)
    |pull\.(rebase|ff) | push\.(default|autosetupremote|followtags) | fetch\.(prune|prunetags|parallel)
    |merge\.(ff|conflictstyle|renames|log) | rebase\.(autostash|autosquash) | rerere\.enabled
    |init\.defaultbranch | extensions\.(objectformat|refstorage) | i18n\..+ | color\..+ | advice\..+ | pack\..+
    |gc\.(auto|autodetach|autopacklimit|pruneexpire|reflogexpire|reflogexpireunreachable|writecommitgraph)
    |diff\.(renames|renamelimit|algorithm|mnemonicprefix|noprefix|context) | status\..+ | log\.(date|decorate|follow)
    |tag\.sort | submodule\..+\.(url|active|branch) | http\.(postbuffer|version)""",
    re.VERBOSE | re.DOTALL,
)


def parsed(listed: bytes) -> list[tuple[str, str]]:
    """What `git config --list -z` prints: the names of sections and variables in small letters."""
    found = []
    for line in listed.decode("utf-8", "replace").split("\0"):
        if line:
            name, _, held = line.partition("\n")
            found.append((name, held))
    return found


def lowered(name: str) -> str:
    """A setting's name as Git lists it: the part in the middle keeps its letters."""
    section, _, rest = name.partition(".")
    middle, dot, variable = rest.rpartition(".")
    return f"{section.lower()}.{middle}{dot}{variable.lower()}"


def check(name: str) -> None:
    """Raises NodeRunError for a setting that is not let through."""
    if not _HARMLESS.fullmatch(lowered(name)):
        raise NodeRunError(
            f"The Git setting '{name}' is not allowed",
            description="It could make Git run programs or leave the repository's folder.",
            code="GIT_REFUSED",
        )
