"""QuickChart against a stand-in of the service: the request it makes and the file it keeps."""

from typing import Any

import orjson
import pytest
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer, NodeRunError
from weft_node_sdk.testing.fake import FakeContext, Request

CATALOGUE = Catalogue.load()
DRAWN = HttpAnswer(200, "OK", [("content-type", "image/png")], b"picture")
REFUSED = HttpAnswer(400, "Bad Request", [("x-quickchart-error", "no such chart")], b"")


def context(answer: HttpAnswer = DRAWN, on_error: str = "stopWorkflow", **parameters: Any) -> FakeContext:
    def serve(_: Request) -> HttpAnswer:
        return answer

    given = CATALOGUE.fill_defaults("quickChart", 1, parameters)
    item = {"json": {"a": 1}, "binary": {"old": {"id": "0"}}}
    return FakeContext(given, [[item]], type="quickChart", serve=serve, on_error=on_error)


async def test_a_chart_is_drawn() -> None:
    ctx = context(
        data="[1, 2]",
        labelsUi={"labelsValues": [{"label": "x"}, {"label": "é"}]},
        output="chart",
        chartOptions={"format": "svg", "width": 100, "horizontal": True},
        datasetOptions={"label": "L", "backgroundColor": "#fff"},
    )
    outputs = await CATALOGUE.implementation("quickChart")(ctx)
    assert isinstance(outputs, list)
    drawing = {
        "type": "horizontalBar",
        "data": {
            "labels": ["x", "é"],
            "datasets": [{"label": "L", "backgroundColor": "#fff", "data": [1, 2]}],
        },
    }
    ((made,),) = outputs
    assert made["json"] == {"a": 1, "chart": drawing}
    assert made["binary"]["chart"]["mimeType"] == "image/svg+xml"
    assert made["binary"]["chart"]["fileName"] == "chart.svg"
    assert set(made["binary"]) == {"old", "chart"}
    assert ctx.stored == {made["binary"]["chart"]["id"]: b"picture"}
    (request,) = ctx.server.requests
    assert (request.method, request.url) == ("POST", "https://quickchart.io/chart")
    assert orjson.loads(request.body or b"") == {
        "version": "2",
        "format": "svg",
        "width": 100,
        "height": 300,
        "devicePixelRatio": 2,
        "backgroundColor": "transparent",
        "chart": drawing,
    }


async def test_lists_may_be_given_whole() -> None:
    ctx = context(data=[3], labelsMode="array", labelsArray=["q"], chartType="pie")
    outputs = await CATALOGUE.implementation("quickChart")(ctx)
    assert isinstance(outputs, list)
    assert outputs[0][0]["json"]["chart"] == {
        "type": "pie",
        "data": {"labels": ["q"], "datasets": [{"data": [3]}]},
    }


async def test_a_refusal_is_told() -> None:
    with pytest.raises(NodeRunError, match="no such chart") as caught:
        await CATALOGUE.implementation("quickChart")(context(REFUSED, data=[1]))
    assert caught.value.http_status == 400
    outputs = await CATALOGUE.implementation("quickChart")(
        context(REFUSED, "continueRegularOutput", data=[1])
    )
    assert isinstance(outputs, list)
    assert "no such chart" in outputs[0][0]["json"]["error"]
