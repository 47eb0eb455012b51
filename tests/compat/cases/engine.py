"""Order, branches, merges that wait, errors, settings of nodes, lineage, loops, sub-workflows."""

import json
from collections.abc import Mapping
from typing import Any

from tests.compat.cases.build import Case, document, named, node, wired
from tests.compat.cases.single import condition, conditions

ROWS = [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}]


class Sheet:
    """Nodes placed in the order of their making, with what the wires between them say."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []

    def add(
        self, name: str, kind: str, version: float, parameters: Mapping[str, Any], **extra: Any
    ) -> "Sheet":
        self.nodes.append(node(name, kind, version, parameters, len(self.nodes) + 1, **extra))
        return self

    def pass_on(self, *names: str, **extra: Any) -> "Sheet":
        for name in names:
            self.add(name, "noOp", 1, {}, **extra)
        return self

    def put(self, name: str, value: str, field: str = "v", **extra: Any) -> "Sheet":
        """Edit Fields that adds one field."""
        row = {"id": "1", "name": field, "type": "string", "value": value}
        parameters = {"assignments": {"assignments": [row]}, "includeOtherFields": True, "options": {}}
        return self.add(name, "set", 3.4, parameters, **extra)

    def branch(self, name: str = "If", above: float = 2, **extra: Any) -> "Sheet":
        row = condition("number", "gt", "={{ $json.n }}", above)
        return self.add(name, "if", 2.2, {"conditions": conditions(row), "options": {}}, **extra)

    def code(self, name: str, source: str, **extra: Any) -> "Sheet":
        return self.add(name, "code", 2, {"jsCode": source}, **extra)

    def merge(self, name: str = "Merge", **parameters: Any) -> "Sheet":
        inputs = parameters.pop("inputs", 2)
        more = {"numberInputs": inputs} if inputs != 2 else {}
        return self.add(name, "merge", 3.2, {**more, **parameters})

    def loop(self, name: str = "Loop", size: int = 1, version: float = 3, **options: Any) -> "Sheet":
        return self.add(name, "splitInBatches", version, {"batchSize": size, "options": options})

    def gather(self, name: str = "All") -> "Sheet":
        return self.add(name, "aggregate", 1, {"aggregate": "aggregateAllItemData", "options": {}})

    def wired(
        self, wires: str, order: str = "v1", rows: Any = ROWS, pins: Mapping[str, Any] | None = None
    ) -> Case:
        return {"document": document(self.nodes, wires, {"Trigger": rows, **(pins or {})}, order)}


def _order(found: dict[str, Case]) -> None:
    for order in ("v1", "v0", ""):
        tag = order or "unset"
        found[f"two branches {tag}"] = (
            Sheet().pass_on("A", "B", "A2", "B2").wired("Trigger > A > A2, Trigger > B > B2", order)
        )
        found[f"wired last first {tag}"] = (
            Sheet().pass_on("A", "B", "A2", "B2").wired("Trigger > B > B2, Trigger > A > A2", order)
        )
        found[f"outputs {tag}"] = (
            Sheet()
            .branch()
            .pass_on("T", "F", "T2", "F2")
            .wired("Trigger > If > T > T2, If.1 > F > F2", order)
        )
        upper = (
            Sheet()
            .branch()
            .pass_on("F", "F2", "T", "T2")
            .wired("Trigger > If > T > T2, If.1 > F > F2", order)
        )
        found[f"second output above {tag}"] = upper
        found[f"diamond {tag}"] = (
            Sheet()
            .pass_on("A", "B")
            .merge()
            .pass_on("End")
            .wired("Trigger > A > Merge > End, Trigger > B > Merge.1", order)
        )
        found[f"diamond without merge {tag}"] = (
            Sheet().pass_on("A", "B", "End").wired("Trigger > A > End, Trigger > B > End", order)
        )
        deep = Sheet().pass_on("A", "B", "A2", "A3").merge().pass_on("End")
        found[f"uneven diamond {tag}"] = deep.wired(
            "Trigger > A > A2 > A3 > Merge > End, Trigger > B > Merge.1", order
        )
        three = Sheet().pass_on("A", "B", "C", "A2", "B2", "C2")
        found[f"three branches {tag}"] = three.wired(
            "Trigger > A > A2, Trigger > B > B2, Trigger > C > C2", order
        )
        found[f"loop {tag}"] = (
            Sheet().loop().pass_on("Body", "Done").wired("Trigger > Loop > Done, Loop.1 > Body > Loop", order)
        )
    same = Sheet().pass_on("A", "B")
    for each in same.nodes:
        each["position"] = [400, 0] if each["name"] == "A" else [200, 0]
    found["left to right"] = same.wired("Trigger > A, Trigger > B")
    second = Sheet().add("Other", "manualTrigger", 1, {}).pass_on("A", "B")
    found["second trigger sleeps"] = second.wired("Trigger > A, Other > B")
    found["second trigger shares"] = (
        Sheet()
        .add("Other", "manualTrigger", 1, {})
        .pass_on("A", "B")
        .merge()
        .wired("Trigger > A > Merge, Other > B > Merge.1")
    )


def _waiting(found: dict[str, Case]) -> None:
    for order in ("v1", "v0"):
        for above, tag in ((2, "both"), (0, "true"), (9, "false")):
            flow = Sheet().branch(above=above).pass_on("T", "F").merge().pass_on("End")
            found[f"if into merge {tag} {order}"] = flow.wired(
                "Trigger > If > T > Merge > End, If.1 > F > Merge.1", order
            )
        for end, tag in (("Merge", "first"), ("Merge.1", "second")):
            other = "Merge.1" if end == "Merge" else "Merge"
            wires = f"Trigger > If, If.1 > F > {other}, Merge > End"
            far = Sheet().branch(above=9).pass_on("T", "U", "F").merge().pass_on("End")
            found[f"branch of two is empty, {tag} {order}"] = far.wired(f"{wires}, If > T > U > {end}", order)
            straight = Sheet().branch(above=9).pass_on("F").merge().pass_on("End")
            found[f"If itself is empty, {tag} {order}"] = straight.wired(f"{wires}, If > {end}", order)
            forked = Sheet().branch(above=9).pass_on("A", "B", "C", "F").merge().pass_on("End")
            found[f"two ways are empty, {tag} {order}"] = forked.wired(
                f"{wires}, If > A > C > {end}, If > B > C", order
            )
        chain = Sheet().pass_on("A", "B", "C").merge("M1").merge("M2").pass_on("End")
        found[f"merge of merge {order}"] = chain.wired(
            "Trigger > A > M1 > M2 > End, Trigger > B > M1.1, Trigger > C > M2.1", order
        )
        chained = Sheet().branch(above=9).merge("M1").merge("M2").pass_on("End")
        found[f"merges lack one {order}"] = chained.wired(
            "Trigger > M1, If > M1.1, Trigger > If, M1 > M2 > End, If > M2.1", order
        )
        wide = Sheet().pass_on("A", "B", "C").merge(inputs=3).pass_on("End")
        found[f"three inputs {order}"] = wide.wired(
            "Trigger > A > Merge > End, Trigger > B > Merge.1, Trigger > C > Merge.2", order
        )
        looped = Sheet().loop(size=2).branch(above=2).merge().pass_on("Done")
        found[f"merge in loop {order}"] = looped.wired(
            "Trigger > Loop > Done, Loop.1 > If > Merge > Loop, If.1 > Merge.1", order
        )
    _more_wires(found)
    one = Sheet().pass_on("A").merge().pass_on("End")
    found["merge with one wire"] = one.wired("Trigger > A > Merge > End")
    found["merge with second wire"] = (
        Sheet().pass_on("A").merge().pass_on("End").wired("Trigger > A > Merge.1 > End")
    )
    doubled = Sheet().pass_on("A", "B").merge().pass_on("End")
    found["two wires into one input"] = doubled.wired(
        "Trigger > A > Merge > End, Trigger > B > Merge, Trigger > Merge.1"
    )
    for mode in (
        {"mode": "chooseBranch"},
        {"mode": "combine", "combineBy": "combineByPosition"},
        {"mode": "combine", "combineBy": "combineAll"},
    ):
        name = str(mode.get("combineBy") or mode["mode"])
        empty = Sheet().branch(above=9).merge(**mode).pass_on("End")
        found[f"{name} lacks one"] = empty.wired("Trigger > If > Merge > End, Trigger > Merge.1")
    compared = (
        Sheet()
        .branch(above=9)
        .add(
            "Compare", "compareDatasets", 2.3, {"mergeByFields": {"values": [{"field1": "n", "field2": "n"}]}}
        )
        .pass_on("OnlyA", "Same", "Differ", "OnlyB")
    )
    found["compare lacks one"] = compared.wired(
        "Trigger > If > Compare > OnlyA, Trigger > Compare.1, Compare.1 > Same, Compare.2 > Differ, Compare.3 > OnlyB"
    )


def _more_wires(found: dict[str, Case]) -> None:
    """Merges with wires into inputs that their parameters do not give them."""
    for order in ("v1", "v0"):
        for mode in (
            {},
            {"mode": "chooseBranch"},
            {"mode": "combine", "combineBy": "combineByPosition"},
            {"mode": "combine", "combineBy": "combineAll"},
        ):
            more = (
                Sheet().put("A", "a", "a").put("B", "b", "b").put("C", "c", "c").merge(**mode).pass_on("End")
            )
            name = str(mode.get("combineBy") or mode.get("mode", "append"))
            found[f"{name}, a wire too many {order}"] = more.wired(
                "Trigger > A > Merge > End, Trigger > B > Merge.1, Trigger > C > Merge.2", order
            )
        late = Sheet().pass_on("A", "B", "C", "D", "E").merge().pass_on("End")
        found[f"the wire too many is late {order}"] = late.wired(
            "Trigger > A > Merge > End, Trigger > B > Merge.1, Trigger > C > D > E > Merge.2", order
        )
        lone = Sheet().pass_on("A").merge().pass_on("End")
        found[f"only a wire too many {order}"] = lone.wired("Trigger > A > Merge.2, Merge > End", order)
        half = Sheet().pass_on("A", "B").merge().pass_on("End")
        found[f"first input and a wire too many {order}"] = half.wired(
            "Trigger > A > Merge > End, Trigger > B > Merge.2", order
        )
        empty = Sheet().branch(above=9).pass_on("B").merge().pass_on("End")
        found[f"the wire too many has all items {order}"] = empty.wired(
            "Trigger > If > Merge > End, If > Merge.1, Trigger > B > Merge.2", order
        )


def _errors(found: dict[str, Case]) -> None:
    broken = "={{ $json.n === 2 ? DateTime.fromISO(1).foo.bar : $json.n }}"
    boom = "throw new Error('boom')"
    for tag, extra in named(
        {
            "stops": {},
            "old way": {"continueOnFail": True},
            "regular": {"onError": "continueRegularOutput"},
            "output": {"onError": "continueErrorOutput"},
            "both ways": {"continueOnFail": True, "onError": "stopWorkflow"},
        }
    ):
        wires = "Trigger > Bad > Next, Bad.1 > Failed"
        found[f"expression {tag}"] = (
            Sheet().put("Bad", broken, **extra).pass_on("Next", "Failed").wired(wires)
        )
        found[f"code {tag}"] = Sheet().code("Bad", boom, **extra).pass_on("Next", "Failed").wired(wires)
        strict = Sheet().branch("Bad", **extra).pass_on("Next", "Failed", "Third")
        found[f"condition {tag}"] = strict.wired(
            f"{wires}, Bad.2 > Third", rows=[{"n": 1}, {"n": "x"}, {"n": 5}]
        )
    again = Sheet().code(
        "Bad", boom, retryOnFail=True, maxTries=2, waitBetweenTries=10, onError="continueRegularOutput"
    )
    found["retried then goes on"] = again.pass_on("Next").wired("Trigger > Bad > Next")
    for order in ("v1", "v0"):
        stop = (
            Sheet()
            .pass_on("A", "B")
            .add("Stop", "stopAndError", 1, {"errorMessage": "halt"})
            .pass_on("A2", "B2")
        )
        found[f"stop beside a branch {order}"] = stop.wired(
            "Trigger > A > A2, Trigger > B > Stop > B2, A2 > Stop", order
        )
    into = Sheet().code("Bad", boom, onError="continueErrorOutput").pass_on("Next", "Failed").merge()
    found["error output into merge"] = into.wired("Trigger > Bad > Next > Merge, Bad.1 > Failed > Merge.1")
    reads = (
        Sheet()
        .put("Bad", broken, onError="continueErrorOutput")
        .put("After", "={{ $('Trigger').item.json.n }}")
    )
    found["lineage behind an error"] = reads.wired("Trigger > Bad, Bad.1 > After")


def _settings(found: dict[str, Case]) -> None:
    nothing = "return []"
    found["nothing ends a branch"] = (
        Sheet().code("None", nothing).pass_on("Next").wired("Trigger > None > Next")
    )
    found["always output"] = (
        Sheet().code("None", nothing, alwaysOutputData=True).pass_on("Next").wired("Trigger > None > Next")
    )
    found["always output of if"] = (
        Sheet().branch(above=9, alwaysOutputData=True).pass_on("T", "F").wired("Trigger > If > T, If.1 > F")
    )
    found["always output of filter"] = (
        Sheet().add("Keep", "filter", 2.2, {"conditions": conditions(condition("number", "gt", "={{ $json.n }}", 9))}, alwaysOutputData=True)
        .put("Next", "={{ $('Trigger').all().length }}").wired("Trigger > Keep > Next")
    )  # fmt: skip
    found["always output of a trigger without items"] = Sheet().pass_on("A").wired("Trigger > A", rows=[])
    found["execute once"] = (
        Sheet().put("One", "={{ $json.n }}", executeOnce=True).pass_on("Next").wired("Trigger > One > Next")
    )
    found["execute once code"] = (
        Sheet().code("One", "return [{json: {c: items.length}}]", executeOnce=True).wired("Trigger > One")
    )
    once = Sheet().pass_on("A", "B").add("Merge", "merge", 3.2, {}, executeOnce=True)
    found["execute once merge"] = once.wired("Trigger > A > Merge, Trigger > B > Merge.1")
    found["execute once if"] = (
        Sheet().branch(executeOnce=True).pass_on("T", "F").wired("Trigger > If > T, If.1 > F")
    )
    found["disabled"] = Sheet().put("Off", "x", disabled=True).pass_on("Next").wired("Trigger > Off > Next")
    found["disabled if"] = Sheet().branch(disabled=True).pass_on("T", "F").wired("Trigger > If > T, If.1 > F")
    off = Sheet().pass_on("A", "B").add("Merge", "merge", 3.2, {}, disabled=True).pass_on("Next")
    found["disabled merge"] = off.wired("Trigger > A > Merge > Next, Trigger > B > Merge.1")
    found["disabled loop"] = (
        Sheet()
        .add("Loop", "splitInBatches", 3, {}, disabled=True)
        .pass_on("Done", "Body")
        .wired("Trigger > Loop > Done, Loop.1 > Body")
    )
    found["disabled then item"] = (
        Sheet()
        .put("Off", "x", disabled=True)
        .put("Next", "={{ $('Trigger').item.json.n }}")
        .wired("Trigger > Off > Next")
    )
    pinned = Sheet().code("Pin", "throw new Error('never')").put("Next", "={{ $json.p }}")
    found["pinned"] = pinned.wired("Trigger > Pin > Next", pins={"Pin": [{"p": 1}, {"p": 2}]})
    back = (
        Sheet().pass_on("Pin").put("Next", "={{ $('Trigger').item.json.n }}", onError="continueRegularOutput")
    )
    found["pinned has no way back"] = back.wired("Trigger > Pin > Next", pins={"Pin": [{"p": 1}, {"p": 2}]})
    same = Sheet().pass_on("Pin").put("Next", "={{ $('Pin').item.json.p }}")
    found["pinned is an ancestor"] = same.wired("Trigger > Pin > Next", pins={"Pin": [{"p": 1}, {"p": 2}]})
    branch = Sheet().branch("Pin").pass_on("T", "F")
    found["pinned if"] = branch.wired("Trigger > Pin > T, Pin.1 > F", pins={"Pin": [{"n": 1}]})
    unrun = (
        Sheet().pass_on("A", "Island").put("Next", "={{ $('Island').isExecuted }} {{ $('A').isExecuted }}")
    )
    found["is executed"] = unrun.wired("Trigger > A > Next")
    absent = (
        Sheet()
        .pass_on("A", "Island")
        .put("Next", "={{ $('Island').first().json.n }}", onError="continueRegularOutput")
    )
    found["reads what has not run"] = absent.wired("Trigger > A > Next")
    names = "={{ $prevNode.name }} {{ $prevNode.outputIndex }} {{ $runIndex }} {{ $itemIndex }}"
    found["previous node"] = (
        Sheet().branch().put("T", names).put("F", names).wired("Trigger > If > T, If.1 > F")
    )


def _lineage(found: dict[str, Case]) -> None:
    origin = "={{ $('Trigger').item.json.n }}"
    goes_on = {"onError": "continueRegularOutput"}
    between: dict[str, Sheet] = {
        "edit fields": Sheet().put("Mid", "x"),
        "sort": Sheet().add("Mid", "sort", 1, {"sortFieldsUi": {"sortField": [{"fieldName": "n", "order": "descending"}]}}),
        "limit": Sheet().add("Mid", "limit", 1, {"maxItems": 2, "keep": "lastItems"}),
        "filter": Sheet().add("Mid", "filter", 2.2, {"conditions": conditions(condition("number", "gt", "={{ $json.n }}", 2))}),
        "aggregate": Sheet().gather("Mid"),
        "summarize": Sheet().add("Mid", "summarize", 1.1, {"fieldsToSummarize": {"values": [{"aggregation": "sum", "field": "n"}]}}),
        "code same": Sheet().code("Mid", "return items"),
        "code turned": Sheet().code("Mid", "return items.slice().reverse()"),
        "code new equal": Sheet().code("Mid", "return items.map(i => ({json: {m: i.json.n}}))"),
        "code new fewer": Sheet().code("Mid", "return [{json: {m: 1}}, {json: {m: 2}}]"),
        "code new one": Sheet().code("Mid", "return [{json: {m: 1}}]"),
        "code each": Sheet().add("Mid", "code", 2, {"mode": "runOnceForEachItem", "jsCode": "return {json: {m: $json.n}}"}),
        "code paired": Sheet().code("Mid", "return [{json: {m: 1}, pairedItem: 3}, {json: {m: 2}, pairedItem: {item: 1}}, {json: {m: 3}, pairedItem: [{item: 0}, {item: 2}]}]"),
        "split out": Sheet().code("L", "return items.map(i => ({json: {l: [i.json.n, 'z']}, pairedItem: 0}))").add("Mid", "splitOut", 1, {"fieldToSplitOut": "l"}),
        "remove duplicates": Sheet().add("Mid", "removeDuplicates", 2, {"compare": "selectedFields", "fieldsToCompare": "g"}),
        "rename keys": Sheet().add("Mid", "renameKeys", 1, {"keys": {"key": [{"currentKey": "n", "newKey": "m"}]}}),
        "date": Sheet().add("Mid", "dateTime", 2, {"operation": "addToDate", "magnitude": "2024-01-01", "duration": 1}),
        "wait": Sheet().add("Mid", "wait", 1.1, {"resume": "timeInterval", "amount": 0.05, "unit": "seconds"}),
    }  # fmt: skip
    rows = [{"n": 1, "g": "a"}, {"n": 2, "g": "b"}, {"n": 3, "g": "a"}, {"n": 4, "g": "c"}]
    for name, sheet in between.items():
        way = " > ".join(each["name"] for each in sheet.nodes)
        found[f"through {name}"] = sheet.put("End", origin, **goes_on).wired(
            f"Trigger > {way} > End", rows=rows
        )
    for name, parameters in named(
        {
            "append": {},
            "position": {"mode": "combine", "combineBy": "combineByPosition"},
            "fields": {"mode": "combine", "fieldsToMatchString": "n"},
            "all": {"mode": "combine", "combineBy": "combineAll"},
            "choose": {"mode": "chooseBranch", "useDataOfInput": 2},
        }
    ):
        for ancestor in ("Trigger", "A", "B"):
            sheet = Sheet().put("A", "a", "a").put("B", "b", "b").merge(**parameters)
            sheet.put("End", f"={{{{ $('{ancestor}').item.json.n }}}}", **goes_on)
            found[f"merge {name} to {ancestor}"] = sheet.wired(
                "Trigger > A > Merge > End, Trigger > B > Merge.1", rows=rows[:3]
            )
    for call in (
        ".first().json.n",
        ".last().json.n",
        ".all().length",
        ".itemMatching(2).json.n",
        ".item.json.n",
        ".all(1).length",
        ".params.options",
        ".context",
    ):
        found[f"branch calls {call}"] = (
            Sheet()
            .branch()
            .put("F", "f")
            .put("T", f"={{{{ $('If'){call} }}}}", **goes_on)
            .wired("Trigger > If > T, If.1 > F")
        )
        found[f"false branch calls {call}"] = (
            Sheet()
            .branch()
            .put("T", "t")
            .put("F", f"={{{{ $('If'){call} }}}}", **goes_on)
            .wired("Trigger > If > T, If.1 > F")
        )
    sibling = Sheet().put("A", "={{ $json.n * 10 }}").put("B", "={{ $('A').item.json.v }}", **goes_on)
    found["item of a sibling"] = sibling.wired("Trigger > A, Trigger > B")
    nodes = (
        Sheet()
        .put("A", "={{ $json.n * 10 }}")
        .put("End", "={{ $node['A'].json.v }} {{ $items('A').length }} {{ $items('A', 0, 0)[0].json.n }}")
    )
    found["older names"] = nodes.wired("Trigger > A > End")


def _loops(found: dict[str, Case]) -> None:
    for version in (1, 2, 3):
        done, body = ("Loop", "Loop.1") if version == 3 else ("Loop.1", "Loop")
        wires = (
            f"Trigger > Loop, {done} > Done, {body} > Body > Loop"
            if version > 1
            else "Trigger > Loop > Body > Loop"
        )
        for size in (1, 3):
            sheet = (
                Sheet()
                .loop(size=size, version=version)
                .put("Body", "={{ $runIndex }}")
                .put("Done", "={{ $('Loop').context.currentRunIndex }}")
            )
            found[f"v{version} by {size}"] = sheet.wired(wires)
    wires = "Trigger > Loop > Done, Loop.1 > Body > Loop"
    for text in (
        "{{ $('Trigger').item.json.n }}",
        "{{ $('Body').all().length }}",
        "{{ $('Body').all(0, 0).length }}",
        "{{ $('Body').item.json.v }}",
        "{{ $('Loop').context.noItemsLeft }}",
        "{{ $('Loop').all().length }}",
    ):
        sheet = (
            Sheet()
            .loop(size=2)
            .put("Body", "={{ $('Trigger').item.json.n }}")
            .put("Done", f"={text}", onError="continueRegularOutput")
        )
        found[f"done reads {text}"] = sheet.wired(wires)
        sheet = Sheet().loop(size=2).put("Body", f"={text}", onError="continueRegularOutput").pass_on("Done")
        found[f"body reads {text}"] = sheet.wired(wires)
    found["body gives one"] = (
        Sheet()
        .loop(size=2)
        .code("Body", "return [{json: {c: items.length}}]")
        .put("Done", "={{ $json.c }}")
        .wired(wires)
    )
    found["body gives nothing"] = (
        Sheet().loop(size=2).code("Body", "return $runIndex > 0 ? [] : items").pass_on("Done").wired(wires)
    )
    found["body fails once"] = (
        Sheet()
        .loop()
        .code(
            "Body", "if ($runIndex === 1) throw new Error('x'); return items", onError="continueRegularOutput"
        )
        .pass_on("Done")
        .wired(wires)
    )
    branched = Sheet().loop().branch().pass_on("T", "F", "Done")
    found["branches in the body"] = branched.wired(
        "Trigger > Loop > Done, Loop.1 > If > T > Loop, If.1 > F > Loop"
    )
    nested = Sheet().loop("Outer", 2).loop("Inner").put("Body", "={{ $runIndex }}").pass_on("Done")
    found["nested"] = nested.wired("Trigger > Outer > Done, Outer.1 > Inner > Outer, Inner.1 > Body > Inner")
    reset = (
        Sheet()
        .loop("Outer", 2)
        .loop("Inner", reset="={{ $prevNode.name === 'Outer' }}")
        .put("Body", "={{ $runIndex }}")
        .pass_on("Done")
    )
    found["nested with reset"] = reset.wired(
        "Trigger > Outer > Done, Outer.1 > Inner > Outer, Inner.1 > Body > Inner"
    )
    by_hand = (
        Sheet()
        .put("Count", "={{ $runIndex }}")
        .code("Again", "return $runIndex < 2 ? items : []")
        .pass_on("Beside")
    )
    found["a loop by hand"] = by_hand.wired("Trigger > Count > Again > Count, Again > Beside", rows=ROWS[:1])
    after = Sheet().loop(size=2).pass_on("Body").gather().put("End", "={{ $json.data.length }}")
    found["aggregate after"] = after.wired("Trigger > Loop > All > End, Loop.1 > Body > Loop")
    beside = Sheet().pass_on("Side").loop(size=2).pass_on("Body", "Done").merge()
    found["a branch beside"] = beside.wired(
        "Trigger > Loop > Done > Merge, Loop.1 > Body > Loop, Trigger > Side > Merge.1"
    )
    once = Sheet().loop(size=10).pass_on("Body", "Done")
    found["one batch"] = once.wired(wires)


def _calls(found: dict[str, Case]) -> None:
    def child(parameters: Mapping[str, Any], value: str) -> dict[str, Any]:
        row = {"id": "1", "name": "child", "type": "string", "value": value}
        fields = {"assignments": {"assignments": [row]}, "includeOtherFields": True, "options": {}}
        start = node("Start", "executeWorkflowTrigger", 1.1, parameters, 0)
        nodes = [start, node("Edit", "set", 3.4, fields, 1)]
        return {
            "name": "child",
            "nodes": nodes,
            "connections": wired("Start > Edit"),
            "settings": {"executionOrder": "v1"},
        }

    through = {"inputSource": "passthrough"}
    typed = {"workflowInputs": {"values": [{"name": "n", "type": "number"}, {"name": "s", "type": "string"}]}}
    for mode in ("once", "each"):
        inline: dict[str, Any] = {
            "source": "parameter",
            "workflowJson": json.dumps(child(through, "={{ $json.n }}")),
            "mode": mode,
            "options": {},
        }
        after = "={{ $('Trigger').item.json.n }}"
        found[f"document {mode}"] = (
            Sheet()
            .add("Call", "executeWorkflow", 1.2, inline)
            .put("End", after, onError="continueRegularOutput")
            .wired("Trigger > Call > End")
        )
        by_id = {"workflowId": {"__rl": True, "mode": "id", "value": "CHILD"}, "mode": mode, "options": {}}
        for version in (1.1, 1.2):
            case = (
                Sheet()
                .add("Call", "executeWorkflow", version, by_id)
                .put("End", after, onError="continueRegularOutput")
                .wired("Trigger > Call > End")
            )
            found[f"by id {mode} v{version:g}"] = {
                **case,
                "workflows": {"CHILD": child(through, "={{ $json.n }}-{{ $itemIndex }}")},
            }
        fields = {
            "mappingMode": "defineBelow",
            "value": {"n": "={{ $json.n }}", "s": "={{ $json.n }}"},
            "schema": [{"id": "n", "type": "number"}, {"id": "s", "type": "string"}],
        }
        case = (
            Sheet()
            .add("Call", "executeWorkflow", 1.2, {**by_id, "workflowInputs": fields})
            .wired("Trigger > Call")
        )
        found[f"typed inputs {mode}"] = {**case, "workflows": {"CHILD": child(typed, "={{ $json.s + 1 }}")}}
    failing = {
        "name": "child",
        "nodes": [
            node("Start", "executeWorkflowTrigger", 1.1, through, 0),
            node("Halt", "stopAndError", 1, {"errorMessage": "child halts"}, 1),
        ],
        "connections": wired("Start > Halt"),
        "settings": {"executionOrder": "v1"},
    }
    for tag, extra in named(
        {
            "stops": {},
            "goes on": {"onError": "continueRegularOutput"},
            "error output": {"onError": "continueErrorOutput"},
        }
    ):
        inline = {"source": "parameter", "workflowJson": json.dumps(failing), "options": {}}
        found[f"child fails {tag}"] = (
            Sheet()
            .add("Call", "executeWorkflow", 1.2, inline, **extra)
            .pass_on("Next", "Failed")
            .wired("Trigger > Call > Next, Call.1 > Failed")
        )


def _training(found: dict[str, Case]) -> None:
    """Within a sub-workflow that leaves the people's notes out: these are n8n's own words."""
    kept = "={{ ({ id: $json.id, name: $json.name, email: $json.email, country: $json.country, created: $json.created }) }}"
    for name, parameters in named(
        {
            "one": {},
            "all by default": {"operation": "getAllPeople"},
            "some": {"operation": "getAllPeople", "limit": "={{ $json.n ? 2 : 3 }}"},
            "none": {"operation": "getAllPeople", "limit": 0},
            "all": {"operation": "getAllPeople", "returnAll": True},
        }
    ):
        people = {
            "name": "child",
            "nodes": [
                node("Start", "executeWorkflowTrigger", 1.1, {"inputSource": "passthrough"}, 0),
                node("People", "n8nTrainingCustomerDatastore", 1, parameters, 1),
                node("Kept", "set", 3.4, {"mode": "raw", "jsonOutput": kept, "options": {}}, 2),
            ],
            "connections": wired("Start > People > Kept"),
            "settings": {"executionOrder": "v1"},
        }
        inline = {"source": "parameter", "workflowJson": json.dumps(people), "options": {}}
        found[name] = Sheet().add("Call", "executeWorkflow", 1.2, inline).wired("Trigger > Call")
    sent = {"customerId": "={{ $json.n }}", "message": "={{ $json.s }}!"}
    found["a message"] = Sheet().add("Send", "n8nTrainingCustomerMessenger", 1, sent).wired("Trigger > Send")


def cases() -> dict[str, dict[str, Case]]:
    found: dict[str, dict[str, Case]] = {
        name: {}
        for name in ("order", "waiting", "errors", "settings", "lineage", "loops", "calls", "training")
    }
    _order(found["order"])
    _waiting(found["waiting"])
    _errors(found["errors"])
    _settings(found["settings"])
    _lineage(found["lineage"])
    _loops(found["loops"])
    _calls(found["calls"])
    _training(found["training"])
    return found
