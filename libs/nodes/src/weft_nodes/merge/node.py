"""Merge: brings the items of several inputs together."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import passed_all
from weft_node_sdk.values import entries, members, names_in, text_of, value

from weft_nodes.merge.combining import Clash
from weft_nodes.merge.joining import Matches, Pairs, join
from weft_nodes.merge.version_1 import combine_version_1

_VERSION_2 = {
    "mergeByFields": "combineByFields",
    "mergeByPosition": "combineByPosition",
    "multiplex": "combineAll",
}


def append(inputs: list[list[Item]]) -> list[Item]:
    return [item for number, items in enumerate(inputs) for item in passed_all(items, number)]


def by_position(inputs: list[list[Item]], clash: Clash, *, unpaired: bool) -> list[Item]:
    length = (max if unpaired else min)(len(items) for items in inputs)
    return [
        clash.combine([(number, row, items[row]) for number, items in enumerate(inputs) if row < len(items)])
        for row in range(length)
    ]


def all_combinations(first: list[Item], second: list[Item], clash: Clash) -> list[Item]:
    """Each item of input 1 with every one of input 2; the other way round where input 1 is preferred."""
    pairs = [((0, i, left), (1, j, right)) for i, left in enumerate(first) for j, right in enumerate(second)]
    if clash.prefer == 0:
        pairs.sort(key=lambda pair: pair[1][1])
    return [clash.combine(pair) for pair in pairs]


def _fields(parameters: Mapping[str, Any], version: float) -> Pairs:
    """Raises NodeRunError where no field to match is given."""
    if version >= 3 and parameters.get("advanced") is not True:
        names = names_in(value(parameters.get("fieldsToMatchString")))
        pairs = [(name, name) for name in names]
    else:
        pairs = [
            (str(value(entry.get("field1", ""))).strip(), str(value(entry.get("field2", ""))).strip())
            for entry in entries(parameters, "mergeByFields", "values")
        ]
    if not pairs or not all(first and second for first, second in pairs):
        raise NodeRunError("No field to match is given", description="Name a field that both inputs have.")
    return pairs


def _by_fields(inputs: list[list[Item]], parameters: Mapping[str, Any], version: float) -> list[Item]:
    options = members(parameters)
    matches = Matches.find(
        inputs[0],
        inputs[1],
        _fields(parameters, version),
        fuzzy=options.get("fuzzyCompare") is True,
        dots=options.get("disableDotNotation") is not True,
    )
    mode = parameters.get("joinMode", "keepMatches")
    clash = Clash.read(options)
    if mode == "enrichInput2" and "clashHandling" not in options:
        clash = replace(clash, prefer=0)
    return join(
        matches,
        mode,
        parameters.get("outputDataFrom", "both"),
        clash,
        only_first=options.get("multipleMatches") == "first",
    )


def _combine(inputs: list[list[Item]], parameters: Mapping[str, Any], version: float) -> list[Item]:
    how = parameters.get("combineBy", "combineByFields")
    if version < 3:
        how = _VERSION_2.get(text_of(parameters.get("combinationMode", "mergeByFields")), "combineByFields")
    options = members(parameters)
    if how == "combineByPosition" and version < 3 and not all(inputs):
        return append(inputs)
    if how == "combineByPosition":
        return by_position(inputs, Clash.read(options), unpaired=options.get("includeUnpaired") is True)
    if how == "combineAll":
        return all_combinations(inputs[0], inputs[1], Clash.read(options))
    return _by_fields(inputs, parameters, version)


def _chosen(inputs: list[list[Item]], parameters: Mapping[str, Any], version: float) -> list[Item]:
    output = parameters.get("output", "specifiedInput" if version >= 3 else "input1")
    if output == "empty":
        every = [{"item": row, "input": n} for n, items in enumerate(inputs) for row in range(len(items))]
        return [{"json": {}, "pairedItem": every}]
    if version < 3:
        number = 1 if output == "input2" else 0
    else:
        given = value(parameters.get("useDataOfInput", 1))
        number = int(given) - 1 if str(given).isdigit() else -1
    if not 0 <= number < len(inputs):
        raise NodeRunError(f"There is no input {number + 1}")
    return passed_all(inputs[number], number)


async def _by_sql(ctx: RunContext, inputs: list[list[Item]], parameters: Mapping[str, Any]) -> list[Item]:
    from weft_nodes.merge.sql import query

    text = str(value(ctx.node.parameters.get("query", parameters.get("query")))).removeprefix("=")
    if "{{" in text:
        # what stands in double braces is evaluated and put into the query
        (evaluated,) = await ctx.evaluate([text], 0)
        text = str(value(evaluated))
    options = members(parameters)
    values = names_in(value(options.get("queryParameters", "")))
    found = await asyncio.to_thread(query, inputs, text, values)
    if (
        not found
        and options.get("emptyQueryResult", "success" if ctx.node.version < 3.2 else "empty") == "success"
    ):
        return [{"json": {"success": True}, "pairedItem": []}]
    return found


async def run(ctx: RunContext) -> Outputs:
    parameters = await ctx.parameters_for(0)
    version = ctx.node.version
    await ctx.checkpoint()
    # inputs that nothing is connected to may be missing; those beyond the number are waited for, not read
    number = value(ctx.node.parameters.get("numberInputs", 2)) if version >= 3 else 2
    read = ctx.inputs[: int(number) if str(number).isdigit() else 2]
    inputs = [*read, *([[]] * (2 - len(read)))]
    mode = parameters.get("mode", "append")
    try:
        if mode == "append":
            return [append(inputs)]
        if version < 2:
            return [combine_version_1(inputs, parameters)]
        if mode == "combine":
            return [_combine(inputs, parameters, version)]
        if mode == "chooseBranch":
            return [_chosen(inputs, parameters, version)]
        if mode == "combineBySql":
            return [await _by_sql(ctx, inputs, parameters)]
        raise NodeRunError(f"'{mode}' is not a known mode")
    except NodeRunError as error:
        if not ctx.continues():
            raise
        return [[ctx.failed_item(error, 0)]]
