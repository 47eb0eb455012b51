"""What Git's listings say, as items."""

from typing import Any, Final

_LOG_FIELDS: Final = ("hash", "date", "message", "refs", "body", "author_name", "author_email")
LOG_FORMAT: Final = "--format=%H%x00%aI%x00%s%x00%D%x00%b%x00%aN%x00%aE"
REFLOG_FORMAT: Final = "--format=%h%x00%gd%x00%gs"
_CONFLICTS: Final = frozenset({"DD", "AU", "UD", "UA", "DU", "AA", "UU"})


def commits(listed: str) -> list[dict[str, Any]]:
    """Of `git log -z` with LOG_FORMAT."""
    return [dict(zip(_LOG_FIELDS, row, strict=True)) for row in _rows(listed, len(_LOG_FIELDS))]


def movements(listed: str) -> list[dict[str, Any]]:
    """Of `git reflog -z` with REFLOG_FORMAT."""
    found = []
    for short, reference, subject in _rows(listed, 3):
        action, separator, message = subject.partition(": ")
        found.append(
            {
                "hash": short,
                "ref": reference,
                "action": action if separator else "",
                "message": message if separator else subject,
                "raw": f"{short} {reference}: {subject}",
            }
        )
    return found


def _rows(listed: str, width: int) -> list[list[str]]:
    fields = listed.removesuffix("\0").split("\0") if listed else []
    return [fields[at : at + width] for at in range(0, len(fields), width)]


def status(listed: str) -> dict[str, Any]:
    """Of `git status --porcelain=v2 --branch -z`."""
    found: dict[str, Any] = {
        name: []
        for name in (
            "not_added",
            "conflicted",
            "created",
            "deleted",
            "modified",
            "renamed",
            "files",
            "staged",
        )
    }
    found |= {"ahead": 0, "behind": 0, "current": None, "tracking": None, "detached": False}
    records = iter(listed.split("\0"))
    for record in records:
        match record[:1]:
            case "#":
                _branch(found, record[2:])
            case "?":
                _changed(found, "??", record[2:])
            case "1":
                _changed(found, record[2:4], record.split(" ", 8)[8])
            case "2":
                _changed(found, record[2:4], record.split(" ", 9)[9], next(records, ""))
            case "u":
                _changed(found, record[2:4], record.split(" ", 10)[10])
    return found


def _branch(found: dict[str, Any], header: str) -> None:
    name, _, value = header.partition(" ")
    if name == "branch.head":
        found["detached"] = value == "(detached)"
        found["current"] = "HEAD" if found["detached"] else value
    elif name == "branch.upstream":
        found["tracking"] = value
    elif name == "branch.ab":
        ahead, behind = value.split()
        found["ahead"], found["behind"] = int(ahead), -int(behind)


def _changed(found: dict[str, Any], signs: str, path: str, source: str = "") -> None:
    """Sorts a file in. `signs`: its state in the index and in the work tree; a dot for none."""
    signs = signs.replace(".", " ")
    index, tree = signs[0], signs[1]
    file: dict[str, Any] = {"path": path, "index": index, "working_dir": tree}
    if source:
        file["from"] = source
    found["files"].append(file)
    if signs == "??":
        found["not_added"].append(path)
        return
    if signs in _CONFLICTS:
        found["conflicted"].append(path)
        return
    if index == "A":
        found["created"].append(path)
    if "D" in signs:
        found["deleted"].append(path)
    if "M" in signs:
        found["modified"].append(path)
    if index in "RC":
        found["renamed"].append({"from": source, "to": path})
    if index in "AMD":
        found["staged"].append(path)
