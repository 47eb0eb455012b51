"""Turns that workflows take: loops within loops and back, failures on several nodes, settings of nodes together,
merges of every version that lack an input."""

from typing import Any

from tests.compat.cases.build import Case, named, one
from tests.compat.cases.engine import ROWS, Sheet
from tests.compat.cases.single import condition, conditions

_WAYS: dict[str, dict[str, Any]] = {
    "stops": {},
    "regular": {"onError": "continueRegularOutput"},
    "output": {"onError": "continueErrorOutput"},
}
_BAD = "={{ $json.n === 2 ? DateTime.fromISO(1).foo.bar : $json.n }}"
_BOOM = "throw new Error('boom')"


def _wires(version: float, wires: str) -> str:
    """`Loop.done` and `Loop.body` are the outputs that the version of Loop Over Items has them at."""
    done, body = ("0", "1") if version >= 3 else ("1", "0")
    return wires.replace(".done", f".{done}").replace(".body", f".{body}")


def _loops(found: dict[str, Case]) -> None:
    plain = "Trigger > Loop, Loop.done > Done, Loop.body > Body > Loop"
    for version in (2, 3):
        for order in ("v0", "v1"):
            tag = f"v{version} {order}"
            again = (
                Sheet().loop(size=1, version=version, reset="={{ $runIndex === 2 }}").pass_on("Body", "Done")
            )
            found[f"begins anew, {tag}"] = again.wired(_wires(version, plain), order)
            nested = (
                Sheet()
                .loop("Outer", 2, version)
                .loop("Inner", 1, version)
                .put("Body", "={{ $runIndex }}")
                .pass_on("Done")
            )
            inside = "Trigger > Outer, Outer.done > Done, Outer.body > Inner, Inner.done > Outer, Inner.body > Body > Inner"
            found[f"nested, {tag}"] = nested.wired(_wires(version, inside), order)
            reset = (
                Sheet()
                .loop("Outer", 2, version)
                .loop("Inner", 1, version, reset="={{ $prevNode.name === 'Outer' }}")
                .put("Body", "={{ $runIndex }}")
                .pass_on("Done")
            )
            found[f"nested and begun anew, {tag}"] = reset.wired(_wires(version, inside), order)
            bad = (
                Sheet()
                .loop(size=1, version=version)
                .put("Body", _BAD, onError="continueErrorOutput")
                .pass_on("Failed", "Done")
            )
            failed = "Trigger > Loop, Loop.done > Done, Loop.body > Body > Loop, Body.1 > Failed"
            found[f"failures leave it, {tag}"] = bad.wired(_wires(version, failed), order)
            found[f"failures come back, {tag}"] = bad.wired(_wires(version, f"{failed} > Loop"), order)
            wait = Sheet().loop(size=2, version=version)
            wait.add(
                "Body", "wait", 1.1, {"resume": "timeInterval", "amount": 0.05, "unit": "seconds"}
            ).pass_on("Done")
            found[f"waits inside, {tag}"] = wait.wired(_wires(version, plain), order)
            back = (
                Sheet()
                .loop(size=2, version=version)
                .pass_on("Body")
                .code("Again", "return $runIndex < 1 ? items : []")
            )
            found[f"done leads back, {tag}"] = back.wired(
                _wires(version, "Trigger > Loop, Loop.done > Again > Loop, Loop.body > Body > Loop"), order
            )
            on = (
                Sheet()
                .loop(size=2, version=version)
                .code("Body", "return []", alwaysOutputData=True)
                .pass_on("Done")
            )
            found[f"an empty body goes on, {tag}"] = on.wired(_wires(version, plain), order)
            two = Sheet().loop(size=2, version=version).branch().pass_on("T", "F", "Done")
            found[f"both sides come back, {tag}"] = two.wired(
                _wires(
                    version, "Trigger > Loop, Loop.done > Done, Loop.body > If > T > Loop, If.1 > F > Loop"
                ),
                order,
            )
    first = (
        Sheet().loop(size=2, version=1).put("Body", "={{ $('Loop').context.noItemsLeft }}").pass_on("Done")
    )
    first.add(
        "Left",
        "if",
        2.2,
        {
            "conditions": conditions(
                condition("boolean", "true", "={{ $('Loop').context.noItemsLeft }}", "")
            ),
            "options": {},
        },
    )
    for order in ("v0", "v1"):
        found[f"asks whether any are left, v1 {order}"] = first.wired(
            "Trigger > Loop > Body > Left > Done, Left.1 > Loop", order
        )


def _errors(found: dict[str, Case]) -> None:
    for tag, extra in _WAYS.items():
        for order in ("v0", "v1"):
            chain = Sheet().put("One", _BAD, **extra).code("Two", _BOOM, **extra).pass_on("Next", "F1", "F2")
            found[f"two nodes in a row, {tag} {order}"] = chain.wired(
                "Trigger > One > Two > Next, One.1 > F1, Two.1 > F2", order
            )
        both = Sheet().put("Bad", _BAD, **extra).pass_on("Next")
        found[f"both outputs to one node, {tag}"] = both.wired("Trigger > Bad > Next, Bad.1 > Next")
        each = Sheet().add(
            "Bad",
            "code",
            2,
            {
                "mode": "runOnceForEachItem",
                "jsCode": "if ($json.n === 2) throw new Error('two'); return {json: {m: $json.n}}",
            },
            **extra,
        )
        found[f"code for each item, {tag}"] = each.pass_on("Next", "Failed").wired(
            "Trigger > Bad > Next, Bad.1 > Failed"
        )
        again = Sheet().put("Bad", _BAD, retryOnFail=True, maxTries=2, waitBetweenTries=10, **extra)
        found[f"tried again, {tag}"] = again.pass_on("Next", "Failed").wired(
            "Trigger > Bad > Next, Bad.1 > Failed"
        )
        once = Sheet().put("Bad", _BAD, executeOnce=True, **extra)
        found[f"executed once with another first, {tag}"] = once.pass_on("Next", "Failed").wired(
            "Trigger > Bad > Next, Bad.1 > Failed", rows=[{"n": 2}, {"n": 1}]
        )
        always = Sheet().code("Bad", _BOOM, alwaysOutputData=True, **extra)
        found[f"output always, {tag}"] = always.pass_on("Next", "Failed").wired(
            "Trigger > Bad > Next, Bad.1 > Failed"
        )
        every = Sheet().put("Bad", "={{ DateTime.fromISO(1).foo.bar }}", alwaysOutputData=True, **extra)
        found[f"all fail, output always, {tag}"] = every.pass_on("Next", "Failed").wired(
            "Trigger > Bad > Next, Bad.1 > Failed"
        )
        off = Sheet().put("Bad", _BAD, disabled=True, **extra).pass_on("Next", "Failed")
        found[f"disabled, {tag}"] = off.wired("Trigger > Bad > Next, Bad.1 > Failed")
        rules = {
            "mode": "rules",
            "rules": {"values": [{"conditions": conditions(condition("number", "gt", "={{ $json.n }}", 1))}]},
            "options": {"fallbackOutput": "extra"},
        }
        switch = Sheet().add("Bad", "switch", 3.2, rules, **extra).pass_on("Next", "Other", "Failed")
        found[f"switch of a wrong type, {tag}"] = switch.wired(
            "Trigger > Bad > Next, Bad.1 > Other, Bad.2 > Failed", rows=[{"n": 1}, {"n": "x"}, {"n": 5}]
        )
        merge = (
            Sheet()
            .pass_on("A", "B")
            .add(
                "Bad",
                "merge",
                3.2,
                {"mode": "combine", "combineBy": "combineByFields", "fieldsToMatchString": ""},
                **extra,
            )
        )
        found[f"merge without fields, {tag}"] = merge.pass_on("Next", "Failed").wired(
            "Trigger > A > Bad > Next, Trigger > B > Bad.1, Bad.1 > Failed"
        )
        reads = (
            Sheet()
            .pass_on("Away")
            .put("Bad", "={{ $('Away').first().json.n }}", **extra)
            .pass_on("Next", "Failed")
        )
        found[f"reads what has not run, {tag}"] = reads.wired("Trigger > Bad > Next, Bad.1 > Failed")
        behind = (
            Sheet()
            .put("Bad", _BAD, **extra)
            .put(
                "Next",
                "={{ $('Bad').item.json.v }} {{ $('Trigger').item.json.n }}",
                "w",
                onError="continueRegularOutput",
            )
        )
        behind.put(
            "Failed",
            "={{ $('Trigger').item.json.n }} {{ $json.error }}",
            "w",
            onError="continueRegularOutput",
        )
        found[f"origins behind failures, {tag}"] = behind.wired("Trigger > Bad > Next, Bad.1 > Failed")
        halt = (
            Sheet()
            .put("Bad", _BAD, **extra)
            .pass_on("Next")
            .add("Halt", "stopAndError", 1, {"errorMessage": "halt"})
        )
        found[f"failures end the run, {tag}"] = halt.wired("Trigger > Bad > Next, Bad.1 > Halt")
    sides = (
        Sheet()
        .code("A", _BOOM, onError="continueErrorOutput")
        .put("B", _BAD, onError="continueErrorOutput")
        .merge()
        .pass_on("End")
    )
    for order in ("v0", "v1"):
        found[f"failures of two nodes meet, {order}"] = sides.wired(
            "Trigger > A, Trigger > B, A.1 > Merge, B.1 > Merge.1, Merge > End", order
        )


def _settings(found: dict[str, Case]) -> None:
    combined = {
        "always and once": {"alwaysOutputData": True, "executeOnce": True},
        "always and disabled": {"alwaysOutputData": True, "disabled": True},
        "once and disabled": {"executeOnce": True, "disabled": True},
        "all three": {"alwaysOutputData": True, "executeOnce": True, "disabled": True},
    }
    for tag, extra in named(combined):
        found[f"{tag}, none"] = (
            Sheet().code("Mid", "return []", **extra).pass_on("Next").wired("Trigger > Mid > Next")
        )
        found[f"{tag}, filter"] = (
            Sheet()
            .add(
                "Mid",
                "filter",
                2.2,
                {"conditions": conditions(condition("number", "gt", "={{ $json.n }}", 3))},
                **extra,
            )
            .put("Next", "={{ $('Trigger').item.json.n }}", onError="continueRegularOutput")
            .wired("Trigger > Mid > Next")
        )
        found[f"{tag}, if"] = (
            Sheet().branch("Mid", **extra).pass_on("T", "F").wired("Trigger > Mid > T, Mid.1 > F")
        )
        found[f"{tag}, merge"] = (
            Sheet().pass_on("A", "B").add("Mid", "merge", 3.2, {}, **extra).pass_on("Next")
            .wired("Trigger > A > Mid > Next, Trigger > B > Mid.1")
        )  # fmt: skip
        found[f"{tag}, pinned"] = (
            Sheet()
            .code("Mid", "return []", **extra)
            .pass_on("Next")
            .wired("Trigger > Mid > Next", pins={"Mid": ROWS[:2]})
        )
    found["always output of a merge that lacks all"] = (
        Sheet().pass_on("A").code("B", "return []").add("Mid", "merge", 3.2, {"mode": "combine", "combineBy": "combineByPosition"}, alwaysOutputData=True)
        .pass_on("Next").wired("Trigger > A > Mid > Next, Trigger > B > Mid.1")
    )  # fmt: skip
    chain = (
        Sheet().code("A", "return []", alwaysOutputData=True).code("B", "return []", alwaysOutputData=True)
    )
    found["always output in a row"] = chain.put("Next", "={{ $('Trigger').all().length }}").wired(
        "Trigger > A > B > Next"
    )


def _waiting(found: dict[str, Case]) -> None:
    key = {"propertyName1": "n", "propertyName2": "n"}
    fields = {"mergeByFields": {"values": [{"field1": "n", "field2": "n"}]}}
    modes: dict[str, tuple[float, dict[str, Any]]] = {
        "append v1": (1, {"mode": "append"}),
        "index inner v1": (1, {"mode": "mergeByIndex", "join": "inner"}),
        "index outer v1": (1, {"mode": "mergeByIndex", "join": "outer"}),
        "key v1": (1, {"mode": "mergeByKey", **key}),
        "keep matches v1": (1, {"mode": "keepKeyMatches", **key}),
        "remove matches v1": (1, {"mode": "removeKeyMatches", **key}),
        "multiplex v1": (1, {"mode": "multiplex"}),
        "pass first v1": (1, {"mode": "passThrough", "output": "input1"}),
        "pass second v1": (1, {"mode": "passThrough", "output": "input2"}),
        "wait v1": (1, {"mode": "wait"}),
        "append v2.1": (2.1, {"mode": "append"}),
        "fields v2.1": (2.1, {"mode": "combine", "combinationMode": "mergeByFields", **fields, "options": {}}),
        "position v2.1": (2.1, {"mode": "combine", "combinationMode": "mergeByPosition", "options": {}}),
        "multiplex v2.1": (2.1, {"mode": "combine", "combinationMode": "multiplex", "options": {}}),
        "choose v2.1": (2.1, {"mode": "chooseBranch", "output": "input2"}),
        "keep all v3.2": (3.2, {"mode": "combine", "fieldsToMatchString": "n", "joinMode": "keepEverything", "options": {}}),
        "enrich first v3.2": (3.2, {"mode": "combine", "fieldsToMatchString": "n", "joinMode": "enrichInput1", "options": {}}),
        "enrich second v3.2": (3.2, {"mode": "combine", "fieldsToMatchString": "n", "joinMode": "enrichInput2", "options": {}}),
        "keep non-matches v3.2": (3.2, {"mode": "combine", "fieldsToMatchString": "n", "joinMode": "keepNonMatches", "options": {}}),
        "position with unpaired v3.2": (3.2, {"mode": "combine", "combineBy": "combineByPosition", "options": {"includeUnpaired": True}}),
    }  # fmt: skip
    for mode in ({}, {"mode": "combine", "combineBy": "combineByPosition"}):
        name = mode.get("combineBy", "append")
        for end in ("Merge", "Merge.1", "Merge.2"):
            lone = Sheet().pass_on("A").merge(**mode).pass_on("End")
            found[f"{name} with a wire into {end} alone, v0"] = lone.wired(
                f"Trigger > A > {end}, Merge > End", "v0"
            )
        two = Sheet().pass_on("A", "B").merge(**mode).pass_on("End")
        found[f"{name} with wires into its second and third, v0"] = two.wired(
            "Trigger > A > Merge.1, Trigger > B > Merge.2, Merge > End", "v0"
        )
    for name, (version, parameters) in modes.items():
        for order in ("v0", "v1"):
            for lacking in ("first", "second"):
                full, empty = ("Merge.1", "Merge") if lacking == "first" else ("Merge", "Merge.1")
                sheet = (
                    Sheet()
                    .pass_on("A")
                    .branch(above=9)
                    .add("Merge", "merge", version, parameters)
                    .pass_on("End")
                )
                found[f"{name} lacks its {lacking}, {order}"] = sheet.wired(
                    f"Trigger > A > {full}, Trigger > If > {empty}, Merge > End", order
                )


def _functions() -> dict[str, dict[str, Case]]:
    alls = {
        "null": "return null", "nothing": "", "empty": "return []", "one object": "return {json: {a: 1}}",
        "bare objects": "return [{a: 1}, {a: 2}]", "text": "return 'x'", "a list in data": "return [{json: [1, 2]}]",
        "a number in data": "return [{json: 5}]", "null in data": "return [{json: null}]",
        "a list in a list": "return [[{json: {a: 1}}]]", "mixed": "return [{json: {a: 1}}, {a: 2}]",
        "more": "return [...items, {json: {n: 9}}]", "paired": "return [{json: {}, pairedItem: 1}]",
        "other fields": "return [{json: {a: 1}, more: 2}]", "undefined in it": "return [{json: {a: undefined, d: new Date(0), f: NaN}}]",
    }  # fmt: skip
    eachs = {
        "null": "return null", "nothing": "", "text": "return 'x'", "list": "return [item, 2]", "number": "return 5",
        "wrapped": "return {json: {a: item.n}}", "true": "return true", "changed": "item.a = 1; return item",
        "a date": "return new Date(0)", "some fail": "if (item.n === 2) throw new Error('two'); return item",
    }  # fmt: skip
    found: dict[str, dict[str, Case]] = {"function": {}, "functionItem": {}}
    for kind, table in (("function", alls), ("functionItem", eachs)):
        for name, source in table.items():
            found[kind][f"gives {name} v1"] = one(kind, 1, {"functionCode": source}, ROWS[:3])
            found[kind][f"gives {name}, goes on v1"] = one(
                kind, 1, {"functionCode": source}, ROWS[:3], onError="continueRegularOutput"
            )
    return found


def cases() -> dict[str, dict[str, Case]]:
    found: dict[str, dict[str, Case]] = {"loops": {}, "errors": {}, "settings": {}, "waiting": {}}
    _loops(found["loops"])
    _errors(found["errors"])
    _settings(found["settings"])
    _waiting(found["waiting"])
    return {**found, **_functions()}
