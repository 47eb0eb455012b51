"""Settings of the webhook ingress."""

from pydantic import Field
from weft_kit.settings import CoreSettings


class WebhookIngressSettings(CoreSettings):
    """Front door of webhooks."""

    webhook_max_bytes: int = Field(
        default=16 * 1024 * 1024, ge=1024, description="Largest body of a webhook call, bytes; more is 413."
    )
    webhook_max_upload_bytes: int = Field(
        default=256 * 1024 * 1024,
        ge=1024,
        description="The same for forms with files, and for webhooks that ask for the raw body: "
        "they go to the disk, not to memory.",
    )
    webhook_timeout_seconds: float = Field(
        default=300.0, ge=1, description="Longest wait of a caller for the answer of a run."
    )
