"""What the state machine does with each event, and in which order work becomes ready."""

import pytest
from weft_contracts.messages import EMPTY_ITEM, Activation, NodeError, Source
from weft_engine.graph import Graph
from weft_engine.model import (
    Completed,
    Failed,
    Finished,
    Lost,
    Refused,
    Resumed,
    Run,
    Sleep,
    Stopped,
    Suspended,
)
from weft_engine.segment import Segment
from weft_engine.state import State

from libs.engine.tests.engine_documents import document, graph, segment_walk, started, task, traits, walk

BRANCHES = "T -> A, T -> B, A -> A2, B -> B2, A2 -> A3"
BOOM = NodeError("boom", node="A")


def running(edges: str, order: str = "v1", kinds: str = "") -> tuple[State, Run]:
    state = State(graph(edges, order, kinds))
    (effect,) = state.apply(started())
    assert isinstance(effect, Run)
    return state, effect


def completed(name: str, run: int = 0, counts: tuple[int, ...] = (1,)) -> Completed:
    return Completed(0, name, run, counts)


def test_v1_goes_to_the_end_of_a_branch_first() -> None:
    assert walk(graph(BRANCHES)) == ["A", "A2", "A3", "B", "B2", "success"]


@pytest.mark.parametrize("order", ["v0", None])
def test_v0_goes_breadth_first(order: str | None) -> None:
    assert walk(graph(BRANCHES, order)) == ["A", "B", "A2", "B2", "A3", "success"]


def test_v1_takes_the_higher_node_first_whichever_output_leads_to_it() -> None:
    doc = document("T -> A, T:1 -> B, A -> A2, B -> B2")
    place = {"A": [200, 300], "B": [200, 0]}
    for each in doc["nodes"]:
        each["position"] = place.get(each["name"], each["position"])
    both = started(counts=(1, 1))
    assert walk(Graph.compile(doc, traits), both) == ["B", "B2", "A", "A2", "success"]
    doc["settings"] = {}  # v0: output by output, as connected
    assert walk(Graph.compile(doc, traits), both) == ["A", "B", "A2", "B2", "success"]


EMPTY = [
    # edges behind `T -> I`, what runs after I, whose output 0 is empty
    ("I -> A, A -> B, B -> M, I:1 -> F, F -> M:1, M -> E", "F A B M E"),
    ("I -> A, A -> M:1, I:1 -> F, F -> M, M -> E", "F A M E"),
    ("I -> M, I:1 -> F, F -> M:1, M -> E", "F"),
    ("I -> M:1, I:1 -> F, F -> M, M -> E", "F M E"),
    ("I -> M, I:1 -> M:1, M -> E", "M E"),
    ("I -> A, I -> B, A -> C, B -> C, C -> M, I:1 -> F, F -> M:1, M -> E", "F B C M E"),
    ("I -> A, I:1 -> F, A -> M, F -> M:1, F -> E", "F E A M"),
]


@pytest.mark.parametrize(("edges", "order"), EMPTY)
def test_v0_runs_the_branch_that_got_nothing_before_a_merge(edges: str, order: str) -> None:
    compiled = graph(f"T -> I, {edges}", "v0", "I=if M=merge")
    assert walk(compiled, I=(0, 1)) == ["I", *order.split(), "success"]


def test_v0_gives_such_a_branch_one_empty_item() -> None:
    state, effect = running("T -> I, I -> A, A -> M, I:1 -> F, F -> M:1", "v0", "I=if M=merge")
    for name, counts in (("I", (0, 1)), ("F", (1,))):
        (effect,) = state.apply(completed(name, counts=counts))  # type: ignore[assignment]
    assert effect.activation == Activation("A", 0, (Source("F", EMPTY_ITEM, 0),))
    (effect,) = state.apply(completed("A"))  # type: ignore[assignment]
    assert effect.activation == Activation("M", 0, (Source("A"), Source("F")))


def test_v0_waits_for_triggers_and_merges_no_more_than_before() -> None:
    assert walk(graph("T -> F, F -> M:1, X -> M", "v0", "M=merge X=trigger")) == ["F", "success"]
    edges = "T -> I, I -> N, I -> N:1, N -> M, I:1 -> F, F -> M:1"
    assert walk(graph(edges, "v0", "I=if M=merge N=merge"), I=(0, 1)) == ["I", "F", "success"]


def test_v0_follows_the_connections_as_they_stand() -> None:
    doc = document("T -> B, T -> A", "v0")
    for each in doc["nodes"]:
        each["position"] = [0, 0 if each["name"] == "A" else 100]
    assert walk(Graph.compile(doc, traits)) == ["B", "A", "success"]


def test_parallel_begins_everything_at_once() -> None:
    state = State(graph(BRANCHES, "parallel"))
    effects = state.apply(started())
    assert [effect.activation.node for effect in effects if isinstance(effect, Run)] == ["A", "B"]
    assert not state.quiet_beside(Activation("A", 0, ()))
    assert state.apply(completed("B"))[0] == Run(Activation("B2", 0, (Source("B"),)))


def test_an_output_without_items_leads_nowhere() -> None:
    assert walk(graph("T -> A, A:0 -> B, A:1 -> C, A:2 -> D"), A=(0, 2)) == ["A", "C", "success"]
    assert walk(graph("T -> A"), started(counts=())) == ["success"]


def test_each_arrival_at_a_single_input_is_a_run() -> None:
    assert walk(graph("T -> A, T -> B, A -> C, B -> C")) == ["A", "C", "B", "C", "success"]


def test_a_merge_runs_where_its_last_input_arrived() -> None:
    edges = "T -> A, T -> B, A -> M:0, B -> M:1, B -> C, M -> D"
    assert walk(graph(edges, kinds="M=merge")) == ["A", "B", "M", "D", "C", "success"]


def test_a_merge_runs_at_the_end_with_what_it_has() -> None:
    edges = "T -> I, I:0 -> M:0, I:1 -> B, B -> M:1, T -> C"
    state = State(graph(edges, kinds="M=merge I=if"))
    state.apply(started())
    state.apply(completed("I", counts=(1, 0)))
    (effect,) = state.apply(completed("C"))
    assert effect == Run(Activation("M", 0, (Source("I"), None)))


def test_the_merge_that_feeds_another_runs_first() -> None:
    edges = "T -> A, A -> N:1, A -> M:0, M -> N:0, X -> M:1"
    assert walk(graph(edges, kinds="M=merge N=merge")) == ["A", "M", "N", "success"]
    ring = "T -> A, A -> N:1, A -> M:0, M -> N:0, X -> M:1, N:1 -> X"
    assert walk(graph(ring, kinds="M=merge N=merge"), N=(1, 0)) == ["A", "N", "M", "N", "success"]


def test_a_merge_that_needs_all_never_runs_with_less() -> None:
    edges = "T -> A, A -> M:0, X -> M:1"
    assert walk(graph(edges, kinds="M=choose")) == ["A", "success"]
    assert walk(graph("T -> A, A -> M:0, T -> M:1", kinds="M=choose")) == ["A", "M", "success"]
    assert walk(graph("T -> A, A -> M:1", kinds="M=choose")) == ["A", "M", "success"]


def test_a_second_arrival_opens_a_second_set() -> None:
    edges = "T -> A, T -> B, T -> C, A -> M:0, B -> M:0, C -> M:1"
    assert walk(graph(edges, kinds="M=merge")) == ["A", "B", "C", "M", "M", "success"]


def test_a_loop_counts_its_runs_and_is_stopped_by_the_limit() -> None:
    state = State(graph("T -> A, A -> A", loopLimit=3))
    effects = state.apply(started())
    for run in range(3):
        assert effects == [Run(Activation("A", run, (Source("A" if run else "T", 0, max(run - 1, 0)),)))]
        effects = state.apply(completed("A", run))
    (end,) = effects
    assert isinstance(end, Finished)
    assert (end.status, end.last_node, end.error and end.error.code) == ("error", "A", "LOOP_LIMIT")


def test_a_loop_with_a_wait_has_no_limit() -> None:
    compiled = graph("T -> A, A -> W, W -> A", kinds="W=wait", loopLimit=3)
    state = State(compiled)
    state.apply(started())
    for run in range(10):
        state.apply(completed("A", run))
        assert [type(effect) for effect in state.apply(completed("W", run))] == [Run]


def test_the_limit_ends_a_parallel_execution_too() -> None:
    state = State(graph("T -> A, A -> A, T -> B", "parallel", loopLimit=1))
    state.apply(started())
    (end,) = state.apply(completed("A"))
    assert isinstance(end, Finished)
    assert not state.active


def test_failure_ends_the_execution() -> None:
    state, _ = running("T -> A, A -> B")
    assert state.apply(Failed(0, "A", 0, BOOM)) == [Finished("error", "A", BOOM)]
    assert (state.status, state.error, state.active) == ("error", BOOM, {})
    with pytest.raises(Refused):
        state.apply(completed("A"))


def test_a_retry_sleeps_and_runs_again_with_the_next_attempt() -> None:
    state, first = running("T -> A, T -> B")
    for attempt in (1, 2):
        assert state.apply(Failed(0, "A", 0, BOOM, 500)) == [Sleep(first.activation, "retry", 500)]
        assert state.status == "running"
        assert state.apply(Resumed(0, "A", 0)) == [Run(first.activation, attempt + 1)]
    assert state.apply(completed("A")) == [Run(Activation("B", 0, (Source("T"),)))]
    assert (state.attempts, state.losses) == ({}, {})


def test_a_sleeping_run_holds_up_the_rest_but_not_in_parallel() -> None:
    state, run = running("T -> A, T -> B", kinds="A=wait")
    assert state.apply(Suspended(0, "A", 0, "timer", 9)) == [Sleep(run.activation, "timer", 9)]
    assert state.status == "waiting"
    with pytest.raises(Refused, match="not active"):
        state.apply(completed("B"))
    assert state.apply(Resumed(0, "A", 0)) == [run]
    assert state.status == "running"

    state = State(graph("T -> A, T -> B, B -> C", "parallel"))
    state.apply(started())
    state.apply(Suspended(0, "A", 0, "webhook"))
    assert state.status == "running"
    assert state.apply(completed("B")) == [Run(Activation("C", 0, (Source("B"),)))]
    assert state.apply(completed("C")) == []
    assert state.status == "waiting"


def test_parallel_decides_a_merge_only_when_nothing_is_active() -> None:
    state = State(graph("T -> A, T -> B, A -> M:0, X -> M:1", "parallel", kinds="M=merge"))
    state.apply(started())
    assert state.apply(completed("A")) == []
    assert state.apply(completed("B")) == [Run(Activation("M", 0, (Source("A"), None)))]


def test_three_losses_end_the_execution() -> None:
    state, run = running("T -> A")
    assert state.apply(Lost(0, "A", 0)) == [run]
    assert state.apply(Lost(0, "A", 0)) == [run]
    assert state.losses == {("A", 0): 2}
    (end,) = state.apply(Lost(0, "A", 0))
    assert isinstance(end, Finished)
    assert end.error
    assert (end.error.code, end.error.cause, end.last_node) == ("CRASHED", "crashed", "A")


def test_events_that_do_not_fit_are_refused_and_change_nothing() -> None:
    state = State(graph("T -> A"))
    wrong = [
        completed("A"),
        Failed(0, "A", 0, BOOM),
        Lost(0, "A", 0),
        Suspended(0, "A", 0, "timer"),
        Resumed(0, "A", 0),
    ]
    for event in [*wrong, started("Z"), Stopped(0, "success")]:
        before = state.snapshot()
        with pytest.raises(Refused):
            state.apply(event)
        assert state.snapshot() == before
    state.apply(started())
    for event in [started(), Resumed(0, "A", 0), completed("A", 1), completed("Z")]:
        with pytest.raises(Refused):
            state.apply(event)
    state.apply(Suspended(0, "A", 0, "timer"))
    for event in wrong[:4]:
        with pytest.raises(Refused):
            state.apply(event)


@pytest.mark.parametrize("begun", [False, True])
def test_stop(begun: bool) -> None:
    state = State(graph("T -> A"))
    if begun:
        state.apply(started())
    assert state.apply(Stopped(0, "cancelled")) == [Finished("cancelled", "T" if begun else "")]
    with pytest.raises(Refused):
        state.apply(started())


def test_a_destination_runs_only_what_leads_to_it() -> None:
    edges = "T -> A, T -> B, A -> C, C -> D, B -> E"
    assert walk(graph(edges), started(destination="C")) == ["A", "C", "success"]
    assert walk(graph(edges), started(destination="Z")) == ["success"]
    state = State(graph(edges))
    (effect,) = state.apply(started(destination="C"))
    assert isinstance(effect, Run)
    segment = Segment(state.graph, task(state, effect, destination="C"))
    assert segment.completed((1,)) == Activation("C", 0, (Source("A"),))
    assert segment.completed((1,)) is None


def test_given_runs_flow_on_in_their_order() -> None:
    edges = "T -> A, T -> B, A -> C"
    assert walk(graph(edges), started(run_data=(("T", 0, (1,)), ("A", 0, (1,)), ("Z", 0, (1,))))) == [
        "C",
        "B",
        "success",
    ]
    given = started(counts=(), run_data=(("T", 0, (1,)), ("B", 0, ())))
    assert walk(graph(edges), given) == ["A", "C", "success"]


def test_a_retry_from_the_failed_node_goes_on_in_the_same_pass_of_a_loop() -> None:
    compiled = graph("T -> L, L:1 -> X, X -> L, L:0 -> D")
    given = started(run_data=(("X", 0, (1,)), ("L", 1, (0, 1)), ("L", 0, (0, 1))))
    state = State(compiled)
    assert state.apply(given) == [Run(Activation("X", 1, (Source("L", 1, 1),)))]
    assert state.apply(completed("X", 1)) == [Run(Activation("L", 2, (Source("X", 0, 1),)))]


@pytest.mark.parametrize(("order", "expected"), [("v1", ["A", "A2", "M"]), ("v0", ["A", "A2", "M"])])
def test_given_runs_behind_no_trigger_are_starting_points(order: str, expected: list[str]) -> None:
    edges = "T -> A, A -> A2, A2 -> M:0, S -> Y, Y -> M:1, R -> Q"
    given = started(run_data=(("S", 0, (1,)), ("Y", 0, (1,)), ("R", 0, (1,))), destination="M")
    assert walk(graph(edges, order, "M=merge S=trigger R=trigger"), given) == [*expected, "success"]
    unbound = started(run_data=(("S", 0, (1,)), ("Y", 0, (1,)), ("R", 0, (1,))))
    assert sorted(walk(graph(edges, order, "M=merge S=trigger R=trigger"), unbound)) == sorted(
        [*expected, "Q", "success"]
    )


def test_a_segment_leaves_to_the_state_what_only_it_can_judge() -> None:
    state = State(graph("T -> A, A -> B, A -> C, C -> D, B -> D"))
    (effect,) = state.apply(started(run_data=(("C", 0, (1,)),)))
    assert isinstance(effect, Run)
    assert state.segment(effect.activation) == ("A", "B", "D")
    assert segment_walk(state.graph, state, effect) == ["A", "B", "D"]

    state = State(graph("T -> S, T -> L, S -> M:0, L -> M:0, L -> N, N -> M:1", kinds="M=merge"))
    state.apply(started())
    (effect,) = state.apply(completed("S"))
    assert isinstance(effect, Run)
    assert state.segment(effect.activation) == ("L", "N")


def test_a_segment_ends_where_its_runner_must_ask() -> None:
    state, run = running("T -> A, A -> X, X -> B", kinds="X=http")
    assert state.quiet_beside(run.activation)
    assert segment_walk(state.graph, state, run) == ["A", "X"]
    for end in (Segment.failed, Segment.suspended):
        segment = Segment(state.graph, task(state, run))
        end(segment)
        assert segment.current is None
        assert segment.completed((1,)) is None


def test_a_segment_runs_a_node_once_and_decides_merges_only_alone() -> None:
    state, run = running("T -> A, A -> B, A -> C, B -> D, C -> D")
    assert segment_walk(state.graph, state, run) == ["A", "B", "D", "C"]
    state, run = running("T -> A, A -> B, B -> M:0, A:1 -> M:1, M -> D", kinds="M=merge")
    assert segment_walk(state.graph, state, run, A=(1, 0)) == ["A", "B", "M", "D"]
    state, run = running("T -> A, T -> Z, A -> B, B -> M:0, A:1 -> M:1, M -> D", kinds="M=merge")
    assert segment_walk(state.graph, state, run, A=(1, 0)) == ["A", "B"]


def test_a_segment_stops_before_the_limit_does() -> None:
    state = State(graph("T -> A, A -> B, B -> A", loopLimit=1))
    (effect,) = state.apply(started())
    assert isinstance(effect, Run)
    asked = task(state, effect)
    stale = type(asked)(
        **{name: getattr(asked, name) for name in asked.__struct_fields__} | {"runs": {"B": 1}}
    )
    segment = Segment(state.graph, stale)
    assert segment.completed((1,)) is None


def test_v0_and_parallel_segments_leave_siblings_to_others() -> None:
    edges = "T -> A, T -> Z, A -> B, B -> C, B -> D"
    state, run = running(edges, "v0")
    assert segment_walk(state.graph, state, run) == ["A"]
    state, run = running("T -> A, A -> B, B -> C, B -> D", "v0")
    assert segment_walk(state.graph, state, run) == ["A", "B", "C", "D"]

    state = State(graph(edges, "parallel"))
    first = state.apply(started())[0]
    assert isinstance(first, Run)
    assert segment_walk(state.graph, state, first) == ["A", "B"]
    state = State(graph("T -> A, T -> Z, A -> B, Z -> B", "parallel"))
    first = state.apply(started())[0]
    assert isinstance(first, Run)
    assert segment_walk(state.graph, state, first) == ["A"]


def test_a_disabled_node_runs_like_any_other() -> None:
    doc = document("T -> A, A -> B", kinds="A=http")
    doc["nodes"][1]["disabled"] = True
    state = State(Graph.compile(doc, traits))
    (effect,) = state.apply(started())
    assert isinstance(effect, Run)
    assert segment_walk(state.graph, state, effect) == ["A", "B"]


def test_states_compare_by_what_they_hold() -> None:
    one, _ = running("T -> A")
    other, _ = running("T -> A")
    assert one == other
    other.apply(completed("A"))
    assert one != other
    assert one != "state"
