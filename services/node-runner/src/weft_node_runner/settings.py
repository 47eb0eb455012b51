"""Settings of the node-runner."""

from pydantic import Field
from weft_kit.settings import CoreSettings, Words


class NodeRunnerSettings(CoreSettings):
    """Runs nodes."""

    slots: int = Field(default=64, ge=1, description="Segments that a runner works on at once.")
    code_slots: int = Field(default=4, ge=1, description="Segments that begin with a Code node, at once.")
    evaluators: int = Field(default=1, ge=1, description="Processes that evaluate expressions.")
    code_processes: int = Field(default=2, ge=1, description="Jailed processes for Code nodes.")
    evaluator_memory_mb: int = Field(default=256, ge=32, description="Memory of one such process, MB.")
    code_modules: Words = Field(
        default=(),
        description="Modules that JavaScript code may `require`: crypto, util, url, querystring, buffer; * for all.",
    )
    file_max_bytes: int = Field(
        default=4 * 1024**3, ge=1024, description="Largest file that a node keeps, bytes."
    )
