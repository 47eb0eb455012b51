"""Settings of the workflow store."""

from pydantic import Field
from weft_kit.settings import CoreSettings


class WorkflowStoreSettings(CoreSettings):
    """Workflows, credentials, variables."""

    max_document_bytes: int = Field(
        default=8 * 1024 * 1024, ge=1024, description="Largest workflow document, bytes."
    )
