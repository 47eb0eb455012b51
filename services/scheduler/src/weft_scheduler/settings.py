"""Settings of the scheduler."""

from pydantic import Field
from weft_kit.settings import CoreSettings


class SchedulerSettings(CoreSettings):
    """Clock of schedules."""

    exclusive: bool = Field(
        default=False,
        description="No other scheduler serves this database: its start is the installation's (set by `weft up`).",
    )
    late_minutes: int = Field(
        default=5, ge=1, description="Ticks missed for longer than this fire only the newest of them."
    )
