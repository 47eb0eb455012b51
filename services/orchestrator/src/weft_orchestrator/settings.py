"""Settings of the orchestrator."""

from pydantic import Field
from weft_kit.settings import CoreSettings


class OrchestratorSettings(CoreSettings):
    """Owner of executions."""

    exclusive: bool = Field(
        default=False,
        description="No other orchestrator serves this database: take all shards at once (set by `weft up`).",
    )
    commit_delay_ms: int = Field(
        default=10, ge=0, le=1000, description="Longest wait for company of a commit that nobody waits for."
    )
    lease_seconds: float = Field(
        default=5.0, ge=1, description="A runner that was not heard of for so long has lost its tasks."
    )
    memory_executions: int = Field(
        default=20_000, ge=100, description="Executions kept in memory; waiting ones beyond are read again."
    )
    retention_days: int = Field(
        default=30, ge=0, description="How long executions are kept after their end; 0: for ever."
    )
    retention_failed_days: int = Field(
        default=30, ge=0, description="How long those are kept that ended with an error; 0: for ever."
    )
