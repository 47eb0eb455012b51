"""TOTP: the one-time password of this moment, and how long it lasts."""

import base64
import binascii
import hashlib
import hmac
import time
from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import for_each, made
from weft_node_sdk.values import NotConvertible, members, text_of, to_number, value

_HASHES: Final = {
    "SHA1": hashlib.sha1,
    "SHA224": hashlib.sha224,
    "SHA256": hashlib.sha256,
    "SHA384": hashlib.sha384,
    "SHA512": hashlib.sha512,
    "SHA3-224": hashlib.sha3_224,
    "SHA3-256": hashlib.sha3_256,
    "SHA3-384": hashlib.sha3_384,
    "SHA3-512": hashlib.sha3_512,
}


def _whole(options: Any, name: str, default: int, highest: int) -> int:
    try:
        number = to_number(value(options.get(name))) or default
    except NotConvertible:
        number = None
    if number is None or not 1 <= number <= highest:
        raise NodeRunError(f"The {name} must be a number from 1 to {highest}")
    return int(number)


def _key(secret: str) -> bytes:
    letters = secret.replace(" ", "").replace("-", "").rstrip("=").upper()
    try:
        key = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except binascii.Error:
        key = b""
    if not key:
        raise NodeRunError("The secret is no Base32 text", description="Use letters and the digits 2 to 7.")
    return key


def password(secret: str, options: Any, now: float) -> dict[str, Any]:
    """By RFC 6238. `now`: seconds since the epoch. Raises NodeRunError."""
    algorithm = text_of(options.get("algorithm", "SHA1"))
    if algorithm not in _HASHES:
        raise NodeRunError(f"'{algorithm}' is not a known algorithm")
    period = _whole(options, "period", 30, 10**10)
    counter = (int(now) // period).to_bytes(8, "big")
    digest = hmac.new(_key(secret), counter, _HASHES[algorithm]).digest()
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    digits = _whole(options, "digits", 6, 10)
    return {"token": f"{number % 10**digits:0{digits}}", "secondsRemaining": period - int(now) % period}


async def run(ctx: RunContext) -> Outputs:
    output: list[Item] = []
    await ctx.checkpoint()
    if not ctx.items:
        return [[]]
    secret = str((await ctx.credential("totpApi")).get("secret") or "")

    def handle(index: int, _: Item, parameters: dict[str, Any]) -> None:
        output.append(made(password(secret, members(parameters), time.time()), index))

    def failed(index: int, error: NodeRunError) -> None:
        output.append(ctx.failed_item(error, index))

    await for_each(ctx, handle, failed)
    return [output]
