"""Who may do what in a project. An action is `<kind>:<verb>`, for example `workflow:update`."""

from typing import Final

_LADDER: Final = ("viewer", "operator", "editor", "admin", "owner")
"""Each may do what those before it may."""
_CHANGES: Final = ("read", "create", "update", "delete")
ACTIONS: Final = frozenset(
    f"{kind}:{verb}"
    for kind, verbs in {
        "workflow": (*_CHANGES, "publish", "execute", "test"),
        "execution": ("read", "stop", "retry", "delete"),
        "credential": (*_CHANGES, "test"),
        "variable": _CHANGES,
        "data_table": _CHANGES,
        "tag": _CHANGES,
        "project": ("delete", "transfer"),
        "audit": ("read",),
    }.items()
    for verb in verbs
)
"""All that anybody asks for."""
_VERBS: Final = {
    "read": "viewer",
    "list": "viewer",
    "execute": "operator",
    "stop": "operator",
    "retry": "operator",
    "create": "editor",
    "update": "editor",
    "delete": "editor",
    "publish": "editor",
    "test": "editor",
    "use": "editor",
}
_KINDS: Final = {"project": "admin", "member": "admin", "audit": "admin"}
"""Things whose changes need more than the verb does."""
_ACTIONS: Final = {"project:delete": "owner", "project:transfer": "owner", "audit:read": "admin"}


def allows(role: str, action: str) -> bool:
    """Whether a member with the role may do it. What is not listed takes the owner."""
    kind, _, verb = action.partition(":")
    needed = _VERBS.get(verb, "owner")
    if verb not in {"read", "list"}:
        needed = max(needed, _KINDS.get(kind, needed), key=_LADDER.index)
    needed = _ACTIONS.get(action, needed)
    return role in _LADDER and _LADDER.index(role) >= _LADDER.index(needed)
