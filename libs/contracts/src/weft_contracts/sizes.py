"""How much messages carry."""

from weft_contracts.messages import (
    Message,
    NodeCompleted,
    NodeFailed,
    NodeReport,
    NodeWaiting,
    ResumeExecution,
    RunSegment,
    SegmentReports,
    StartExecution,
)


def carried(body: Message) -> int:
    """Bytes of its items, as encoded."""
    if isinstance(body, StartExecution):
        return len(body.trigger.data)
    if isinstance(body, RunSegment):
        return sum(len(each.output.data) for each in body.outputs)
    if isinstance(body, SegmentReports):
        return sum(map(_reported, body.reports))
    if isinstance(body, ResumeExecution) and body.data is not None:
        return len(body.data.data)
    return 0


def _reported(report: NodeReport) -> int:
    if isinstance(report, NodeCompleted | NodeFailed):
        return 0 if report.output is None else len(report.output.data)
    if isinstance(report, NodeWaiting):
        return sum(len(child.items.data) for child in report.children)
    return 0
