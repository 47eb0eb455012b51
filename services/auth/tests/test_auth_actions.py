"""A scope is refused unless somebody asks for it, so the list must name all that anybody asks for."""

import re
from pathlib import Path

from weft_auth.domain.roles import ACTIONS
from weft_auth.domain.tokens import check_scopes

SERVICES = Path(__file__).parents[2]
ASKED = re.compile(
    r"\"((?:workflow|execution|credential|variable|tag|data_table|project|audit|member):[a-z_]+)\""
)


def test_what_services_ask_for_is_a_scope() -> None:
    asked = {
        action
        for path in SERVICES.glob("*/src/**/*.py")
        for action in ASKED.findall(path.read_text(encoding="utf-8"))
    } - {"workflow:owner"}
    assert len(asked) > 20
    assert asked <= ACTIONS
    check_scopes(tuple(asked))


def test_what_the_page_offers_is_a_scope() -> None:
    text = (SERVICES.parent / "frontend" / "src" / "settings" / "scopes.ts").read_text(encoding="utf-8")
    kinds = re.findall(r"^  (\w+): \[(.*)\],$", text.partition("PRESETS")[0], re.MULTILINE)
    offered = {f"{kind}:{verb}" for kind, verbs in kinds for verb in re.findall(r"\w+", verbs)}
    assert len(offered) > 20
    check_scopes(tuple(offered))
