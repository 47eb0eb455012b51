"""Settings of realtime."""

from pydantic import Field
from weft_kit.settings import CoreSettings


class RealtimeSettings(CoreSettings):
    """Live updates."""

    frames_waiting: int = Field(
        default=1000,
        ge=10,
        description="Frames kept for a slow client; with more it is cut off and comes again.",
    )
