"""Settings of the gateway."""

from pathlib import Path

from pydantic import Field
from weft_kit.settings import CoreSettings


def _default_web_root() -> Path:
    """The page built inside the package, else the one of a source checkout."""
    packaged = Path(__file__).parent / "web"
    return packaged if packaged.exists() else Path(__file__).parents[4] / "frontend" / "dist"


class GatewaySettings(CoreSettings):
    """REST front door."""

    web_root: Path = Field(default_factory=_default_web_root, description="Folder of the built web page.")
    max_body_bytes: int = Field(
        default=8 * 1024 * 1024, description="Largest request body of the REST API, bytes."
    )
    calls_per_minute: int = Field(default=6000, description="REST calls a minute for each user or API key.")
    sign_ins_per_minute: int = Field(default=10, description="Sign-in tries a minute for each address.")
    secure_cookies: bool = Field(default=False, description="Send the refresh cookie over HTTPS only.")
