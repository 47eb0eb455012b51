"""Settings of the workflow store."""

from pydantic import Field
from weft_kit.settings import CoreSettings


class WorkflowStoreSettings(CoreSettings):
    """Workflows, credentials, variables."""

    max_document_bytes: int = Field(
        default=8 * 1024 * 1024, ge=1024, description="Largest workflow document, bytes."
    )
    max_data_table_rows: int = Field(
        default=1_000_000,
        ge=1,
        description="Most rows of all data tables of a project; one has 100,000 at most.",
    )
