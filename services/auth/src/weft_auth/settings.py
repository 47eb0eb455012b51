"""Settings of auth."""

from pydantic import Field
from weft_kit.settings import CoreSettings


class AuthSettings(CoreSettings):
    """Accounts, sessions, keys."""

    access_token_minutes: int = Field(default=15, ge=1, description="Life of an access token, minutes.")
    refresh_token_days: int = Field(default=7, ge=1, description="Life of an unused session, days.")
    password_cost: int = Field(
        default=12, ge=4, le=16, description="Work factor of bcrypt; each step doubles the time of a sign-in."
    )
