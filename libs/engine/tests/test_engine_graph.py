"""Compiling documents: what counts, what is left out, what may run in one segment."""

from typing import Any

import pytest
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.traits import Traits
from weft_engine.graph import LOOP_LIMIT, Graph

from libs.engine.tests.engine_documents import document, graph, traits


def segment(edges: str, entry: str = "A", kinds: str = "", pools: frozenset[str] = frozenset()) -> set[str]:
    nodes = graph(edges, kinds=kinds).segment(entry, pools)
    assert nodes[0] == entry
    assert len(set(nodes)) == len(nodes)
    return set(nodes)


def test_targets_run_by_output_then_top_to_bottom_then_left_to_right() -> None:
    doc = document("T -> A:0, T -> B, T -> C, T:1 -> D")
    for name, place in {"A": [200, 10], "B": [100, 10], "C": [900, 0], "D": [0, -500]}.items():
        next(node for node in doc["nodes"] if node["name"] == name)["position"] = place
    compiled = Graph.compile(doc, traits)
    assert compiled.nodes["T"].targets == ((("C", 0), ("B", 0), ("A", 0)), (("D", 0),))
    assert compiled.issues == []


def test_a_document_that_is_no_document_compiles_to_nothing() -> None:
    broken: list[dict[str, Any]] = [
        {},
        {"nodes": "x", "connections": [], "settings": 1},
        {"nodes": [1, {}, {"name": 7}], "connections": {"A": 1}},
    ]
    for doc in broken:
        compiled = Graph.compile(doc, traits)
        assert (compiled.nodes, compiled.order) == ({}, "v0")
        with pytest.raises(WeftError) as failure:
            compiled.start_node()
        assert failure.value.code is ErrorCode.VALIDATION_ERROR


def test_faults_of_a_document_become_issues_and_the_rest_runs() -> None:
    doc = document("T -> A, A -> B")
    doc["nodes"] += [{"name": "A", "type": "http"}, {"type": "set"}, {"name": "C", "position": "here"}]
    main = doc["connections"]["A"]["main"]
    main.append(None)
    main.append([None, "x", {"node": "Gone"}, {"node": "B", "index": -1}, {"node": "B", "index": 3}])
    main.append([{"node": "C", "type": "ai_tool", "index": 0}, {"node": "C"}])
    doc["connections"]["Lost"] = {"main": [[{"node": "A", "index": 0}]], "ai_tool": [[]]}
    doc["connections"]["B"] = {"main": "x"}
    doc["connections"]["T"]["main"].append([{"node": "C", "index": "0"}])
    compiled = Graph.compile(doc, traits)
    assert sorted(issue.code for issue in compiled.issues) == [
        "DANGLING_CONNECTION",
        "DANGLING_CONNECTION",
        "DANGLING_CONNECTION",
        "DANGLING_CONNECTION",
        "DANGLING_CONNECTION",
        "DUPLICATE_NAME",
        "INVALID_NODE",
    ]
    assert compiled.nodes["A"].type == "set"
    assert compiled.nodes["A"].targets == ((("B", 0),), (), (), (("C", 0),))
    assert compiled.nodes["C"].position == (0.0, 0.0)


def test_a_targets_that_is_no_name_is_dangling() -> None:
    doc = document("T -> A")
    doc["connections"]["T"]["main"][0].append({"node": ["A"], "index": 0})
    assert [issue.code for issue in Graph.compile(doc, traits).issues] == ["DANGLING_CONNECTION"]


def test_settings_of_a_node() -> None:
    doc = document("T -> A, T -> B, T -> C, T -> D")
    nodes = {node["name"]: node for node in doc["nodes"]}
    nodes["A"] |= {
        "retryOnFail": True,
        "onError": "continueErrorOutput",
        "typeVersion": 2.2,
        "disabled": True,
    }
    nodes["B"] |= {"maxTries": 9, "continueOnFail": True, "executeOnce": True, "alwaysOutputData": True}
    nodes["C"] |= {
        "retryOnFail": True,
        "maxTries": 0,
        "waitBetweenTries": 50,
        "onError": "continueRegularOutput",
    }
    nodes["D"] |= {"retryOnFail": True, "maxTries": "4", "waitBetweenTries": None, "onError": "stopWorkflow"}
    nodes["D"]["continueOnFail"] = True
    compiled = Graph.compile(doc, traits).nodes
    assert [compiled[n].max_tries for n in "ABCD"] == [3, 1, 1, 3]
    assert [compiled[n].wait_between_ms for n in "ABCD"] == [1000, 1000, 50, 1000]
    assert [compiled[n].passes_input for n in "ABCD"] == [False, False, False, True]
    assert [compiled[n].on_error for n in "ABCD"] == [
        "continueErrorOutput",
        "continueRegularOutput",
        "continueRegularOutput",
        "stopWorkflow",
    ]
    assert (compiled["A"].version, compiled["A"].disabled, compiled["B"].version) == (2.2, True, 1.0)
    assert (compiled["B"].execute_once, compiled["B"].always_output) == (True, True)


def test_order_and_loop_limit() -> None:
    assert [graph("T -> A", order).order for order in ("v1", "v0", "parallel", None, "v9")] == [
        "v1",
        "v0",
        "parallel",
        "v0",
        "v0",
    ]
    assert graph("T -> A").loop_limit == LOOP_LIMIT
    assert graph("T -> A", loopLimit=7).loop_limit == 7
    assert graph("T -> A", loopLimit=0).loop_limit == LOOP_LIMIT


def test_start_node() -> None:
    compiled = graph("A, B, C", kinds="B=trigger C=trigger")
    assert compiled.triggers == ("B", "C")
    assert compiled.start_node() == "B"
    assert compiled.start_node("A") == "A"
    with pytest.raises(WeftError, match="no node 'Z'"):
        compiled.start_node("Z")
    doc = document("A, B, C", kinds="B=trigger C=n8n-nodes-base.manualTrigger")
    assert Graph.compile(doc, lambda json: Traits(trigger=json["name"] in "BC")).start_node() == "C"
    doc["nodes"][2]["disabled"] = True
    assert Graph.compile(doc, lambda json: Traits(trigger=json["name"] in "BC")).start_node() == "B"
    assert graph("A -> B").start_node() == "A"


def test_parents_and_ancestors() -> None:
    compiled = graph("T -> A, T -> B, A -> M:0, B -> M:1, B -> M:0, X -> Y", kinds="M=merge")
    assert compiled.parents("M") == ("A", "B")
    assert {compiled.names[n] for n in compiled.leading_to("M")} == {"T", "A", "B", "M"}
    assert {compiled.names[n] for n in compiled.reach(compiled.index["A"])} == {"M"}
    assert compiled.leading_to("Z") == frozenset()


def test_an_unknown_type_has_the_inputs_that_are_connected() -> None:
    compiled = graph("T -> U:0, A -> U:2", kinds="U=nobody-knows")
    assert compiled.width[compiled.index["U"]] == 3
    assert compiled.issues == []


def test_a_chain_is_one_segment() -> None:
    assert segment("A -> B, B -> C, B -> D") == {"A", "B", "C", "D"}


def test_a_segment_ends_with_what_is_not_safe() -> None:
    assert segment("A -> X, X -> B, A -> C", kinds="X=http") == {"A", "X", "C"}
    assert segment("A -> B", kinds="A=http") == {"A"}


def test_a_segment_leaves_out_unknown_nodes_triggers_and_nodes_that_wait() -> None:
    assert segment("A -> U, A -> W, A -> S, A -> B", kinds="U=huh W=wait S=trigger") == {"A", "B"}
    assert segment("A -> B", kinds="A=wait") == {"A", "B"}


def test_a_disabled_node_is_like_any_that_passes_items_on() -> None:
    doc = document("A -> X, X -> W, W -> B", kinds="X=http W=wait")
    for node in doc["nodes"][1:3]:
        node["disabled"] = True
    assert set(Graph.compile(doc, traits).segment("A")) == {"A", "X", "W", "B"}


def test_pools_are_crossed_where_the_caller_serves_them() -> None:
    edges, kinds = "A -> C, C -> B, A -> L", "C=code L=ai"
    assert segment(edges, kinds=kinds) == {"A"}
    assert segment(edges, kinds=kinds, pools=frozenset({"default", "code"})) == {"A", "C", "B"}


def test_a_merge_joins_only_with_all_its_inputs() -> None:
    inner = "A -> B, A -> C, B -> M:0, C -> M:1, M -> D"
    assert segment(inner, kinds="M=merge") == {"A", "B", "C", "M", "D"}
    assert segment(inner + ", T -> M:1", kinds="M=merge") == {"A", "B", "C"}
    assert segment(inner, kinds="M=merge C=http") == {"A", "B", "C"}


def test_a_thousand_nodes_and_cycles() -> None:
    ring = ", ".join(f"N{n} -> N{(n + 1) % 1000}" for n in range(1000))
    compiled = graph(ring)
    assert len(compiled.segment("N5")) == 1000
    assert compiled.segment("N5") is compiled.segment("N5")
    assert compiled.single == frozenset()
