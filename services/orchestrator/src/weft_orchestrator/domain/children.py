"""What a parent and the runs of its sub-workflows tell each other."""

from weft_contracts import messages as m
from weft_contracts.ids import derived_id

from weft_orchestrator.domain.live import Key, Live


def starts(parent: Live, report: m.NodeWaiting, children: tuple[m.ChildStart, ...]) -> list[m.StartExecution]:
    """The starts of the children that a node run asks for and that `parent.waiting` has counted."""
    key = report.node, report.run_index
    row = parent.rows.get(key)
    first = 0 if row is None else row.details.woken_before
    return [
        m.StartExecution(
            child_id(parent, key, report.at, index),
            parent.project_id,
            child.workflow_id,
            child.version_id,
            "sub_workflow",
            child.trigger_node,
            child.items,
            child.counts,
            parent=m.ParentLink(parent.id, report.node, report.run_index, first + index, child.wait),
            root_id=parent.head.root_id or parent.id,
            depth=parent.head.depth + 1,
            created_by=parent.head.created_by,
        )
        for index, child in enumerate(children)
    ]


def cancels(parent: Live, key: Key, count: int, started: int) -> list[m.CancelExecution]:
    """For the `count` children that a node run of an ended parent has asked for at `started`."""
    return [
        m.CancelExecution(child_id(parent, key, started, index), reason="The parent ended.")
        for index in range(count)
    ]


def end_of(child: Live) -> m.ResumeExecution | None:
    """What wakes the parent, where it waits."""
    parent, status = child.head.parent, child.state.status
    if parent is None or not parent.wait:
        return None
    row = child.last.get(child.state.last_node)
    return m.ResumeExecution(
        parent.execution_id,
        parent.node,
        parent.run_index,
        "child",
        index=parent.index,
        data=row.output if row else None,
        counts=row.details.counts if row else (),
        error=None if status == "success" else child.error or m.NodeError(f"The run was {status}."),
    )


def child_id(parent: Live, key: Key, at: int, index: int) -> str:
    """The same however often it is asked for. `at`: when the node run asked, microseconds."""
    return derived_id(at // 1000, parent.id, *key, index)
