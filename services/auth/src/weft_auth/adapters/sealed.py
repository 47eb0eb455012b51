"""Which columns of auth the master key seals."""

from typing import Final

from weft_kit.identity.resealing import SealedColumn

from weft_auth.adapters import installation, postgres_second_factors

SEALED: Final = (
    SealedColumn("auth.installation", "pepper", installation.PEPPER),
    SealedColumn("auth.signing_keys", "private_key", installation.KEY),
    SealedColumn("auth.second_factors", "secret", postgres_second_factors.PURPOSE),
)
