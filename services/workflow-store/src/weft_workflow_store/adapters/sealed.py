"""Which columns of the workflow store the master key seals."""

from typing import Final

from weft_kit.identity.resealing import SealedColumn

from weft_workflow_store.adapters import envelope

SEALED: Final = (
    SealedColumn("workflow_store.credentials", "wrapped_key", envelope.CREDENTIAL),
    SealedColumn("workflow_store.credentials", "sign_in", envelope.SIGN_IN),
    SealedColumn("workflow_store.variables", "value", envelope.VARIABLE),
)
