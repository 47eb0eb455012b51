"""Generates docs/configuration.md from the settings classes.

    uv run python scripts/gen_config_docs.py [--check]

`--check` fails where the committed file is not what would be generated.
"""

import inspect
import sys
import typing
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from weft_kit.settings import PREFIX, CoreSettings, is_secret, settings_class

GUIDE = Path(__file__).resolve().parent.parent / "docs/configuration.md"
SERVICES = (
    "gateway",
    "auth",
    "workflow-store",
    "orchestrator",
    "node-runner",
    "scheduler",
    "webhook-ingress",
    "realtime",
)
HEAD = f"""# Configuration

Generated from the settings classes by `make gen`; do not edit.

Every setting can be given, first one wins, as a flag of the `weft` command where it has one, as the
environment variable below, or by its name in lower case without `{PREFIX}` in the YAML file that
`{PREFIX}CONFIG` names. Of a secret, `<NAME>_FILE` may name the file that holds it. Lists have commas between
their values.
"""


def default_of(field: FieldInfo) -> str:
    """As a reader would write it; what depends on the machine is in the description."""
    value = field.default
    if field.default_factory is not None or value is PydanticUndefined or value is None or is_secret(field):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        value = ",".join(value)
    return f"`{value}`" if value != "" else ""


def type_of(annotation: Any) -> str:
    if typing.get_origin(annotation) is typing.Literal:
        return ", ".join(typing.get_args(annotation))
    parts = [part for part in typing.get_args(annotation) if part is not type(None)]
    if typing.get_origin(annotation) is tuple:
        return "list"
    if parts:
        return type_of(parts[0])
    names = {"str": "text", "int": "number", "float": "number", "bool": "true, false"}
    return names.get(annotation.__name__, {"SecretStr": "secret"}.get(annotation.__name__, "path"))


def table(settings: type[CoreSettings], without: set[str]) -> str:
    rows = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    for name, field in settings.model_fields.items():
        if name not in without:
            cells = (
                f"`{PREFIX}{name.upper()}`",
                type_of(field.annotation),
                default_of(field),
                field.description or "",
            )
            rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def render() -> str:
    core = set(CoreSettings.model_fields)
    parts = [HEAD, f"## {CoreSettings.section}\n\n{table(CoreSettings, set())}\n"]
    for service in SERVICES:
        settings = settings_class(service)
        if set(settings.model_fields) - core:
            about = inspect.cleandoc(settings.__doc__ or "")
            parts.append(f"## {service}\n\n{about}\n\n{table(settings, core)}\n")
    return "\n".join(parts)


def main() -> None:
    text = render()
    if "--check" in sys.argv:
        if not GUIDE.exists() or GUIDE.read_text() != text:
            sys.exit("docs/configuration.md is stale: run `make gen` and commit")
        return
    GUIDE.parent.mkdir(exist_ok=True)
    GUIDE.write_text(text)


if __name__ == "__main__":
    main()
