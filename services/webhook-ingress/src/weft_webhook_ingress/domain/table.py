"""All production routes, in memory. A workflow's routes are replaced as a whole, by rising `seq`."""

from collections.abc import Iterable, Iterator, Sequence

from weft_webhook_ingress.domain.hook import Hook

Found = tuple[Hook, dict[str, str]]
"""The hook that answers, and its path parameters."""


class RouteTable:
    """Paths that stand as they are come before patterns; of two patterns, the one whose fixed segments come first."""

    def __init__(self) -> None:
        self._exact: dict[str, dict[str, Hook]] = {}
        self._patterns: dict[int, list[Hook]] = {}
        self._hooks: dict[str, list[Hook]] = {}
        self._seqs: dict[str, int] = {}

    def find(self, method: str, path: str) -> Found | None:
        """`path` without the prefix and without a slash at its ends."""
        hooks = self._exact.get(path)
        if hooks is not None:
            hook = hooks.get(method)
            if hook is not None:
                return hook, {}
        if self._patterns:
            parts = tuple(path.split("/"))
            for hook in self._patterns.get(len(parts), ()):
                if hook.method == method and (parameters := hook.match(parts)) is not None:
                    return hook, parameters
        return None

    def methods(self, path: str) -> list[str]:
        """The methods that the path answers to."""
        parts = tuple(path.split("/"))
        patterns = [hook for hook in self._patterns.get(len(parts), ()) if hook.match(parts) is not None]
        return sorted({*self._exact.get(path, ()), *(hook.method for hook in patterns)})

    def replace(self, workflow_id: str, seq: int, hooks: Sequence[Hook]) -> bool:
        """Whether the news were newer than what was known."""
        if seq <= self._seqs.get(workflow_id, -1):
            return False
        self._seqs[workflow_id] = seq
        for hook in self._hooks.pop(workflow_id, ()):
            self._remove(hook)
        for hook in hooks:
            self._add(hook)
        return True

    def add(self, hook: Hook, seq: int) -> None:
        """One route of a workflow whose news have not come yet; ignored where they have."""
        if seq > self._seqs.get(hook.owner.workflow_id, -1):
            self._remove(hook)
            self._add(hook)

    def known(self) -> dict[str, int]:
        """Workflow to the newest `seq` seen, of workflows with routes."""
        return {workflow_id: self._seqs.get(workflow_id, -1) for workflow_id in self._hooks}

    def retain(self, before: dict[str, int], listed: Iterable[str]) -> None:
        """Drops workflows that were known as `before`, have not changed since, and are not listed any more."""
        listed = set(listed)
        for workflow_id, seq in before.items():
            if workflow_id not in listed and self._seqs.get(workflow_id, -1) == seq:
                for hook in self._hooks.pop(workflow_id, ()):
                    self._remove(hook)

    def __iter__(self) -> Iterator[Hook]:
        for hooks in self._hooks.values():
            yield from hooks

    def _add(self, hook: Hook) -> None:
        self._hooks.setdefault(hook.owner.workflow_id, []).append(hook)
        if hook.segments is None:
            self._exact.setdefault(hook.path, {})[hook.method] = hook
        else:
            alike = self._patterns.setdefault(len(hook.segments), [])
            alike.append(hook)
            alike.sort(key=lambda each: [part.startswith(":") for part in each.segments or ()])

    def _remove(self, hook: Hook) -> None:
        """Takes the route off its address, unless another workflow has it by now."""
        workflow_id = hook.owner.workflow_id
        same = [
            each
            for each in self._patterns.get(len(hook.segments or ()), ())
            if each.owner.workflow_id == workflow_id and (each.method, each.path) == (hook.method, hook.path)
        ]
        for each in same:
            self._patterns[len(each.segments or ())].remove(each)
        methods = self._exact.get(hook.path, {})
        if hook.method in methods and methods[hook.method].owner.workflow_id == workflow_id:
            del methods[hook.method]
            if not methods:
                del self._exact[hook.path]
