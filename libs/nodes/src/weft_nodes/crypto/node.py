"""Crypto: hashes, keyed hashes, signatures, encryption, and random values."""

import asyncio
import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from typing import Any, Final, Protocol

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made
from weft_node_sdk.values import NotConvertible, shown, to_number, value

from weft_nodes.crypto import encryption, signing

_CREDENTIAL: Final = "crypto"
_LONGEST: Final = 1_000_000
"""Characters of a random text."""


def _encoded(data: bytes, encoding: Any) -> str:
    return base64.b64encode(data).decode() if encoding == "base64" else data.hex()


def _text(parameters: Mapping[str, Any]) -> bytes:
    given = value(parameters.get("value"))
    if not isinstance(given, str):
        raise NodeRunError(
            f"{shown(given)} is not a text", description="Turn it into a text first, for example as JSON."
        )
    return given.encode()


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


async def _digest(ctx: RunContext, parameters: Mapping[str, Any], index: int, found: _Hash) -> bytes:
    """Of a text, or of a file of the item."""
    if value(parameters.get("binaryData")) is not True:
        found.update(_text(parameters))
        return found.digest()
    name = str(value(parameters.get("binaryPropertyName")) or "data")
    async with ctx.open_binary(index, name) as reader:
        async for chunk in reader:
            found.update(chunk)
            await ctx.checkpoint()
    return found.digest()


def _hash_name(parameters: Mapping[str, Any]) -> str:
    name = str(value(parameters.get("type")))
    known = name.lower().replace("sha3-", "sha3_")
    if known not in hashlib.algorithms_guaranteed:
        raise NodeRunError(f"'{name}' is not a known hash")
    return known


async def _secret(ctx: RunContext, parameters: Mapping[str, Any], own: str, held: str) -> str:
    """A secret of the credential, or the parameter that held it in version 1. Raises NodeRunError."""
    old = ctx.node.version < 2
    found = value(parameters.get(own)) if old else (await ctx.credential(_CREDENTIAL)).get(held)
    if not isinstance(found, str) or not found:
        raise NodeRunError(f"There is no {own if old else held}", description="Set it first.")
    return found


def _random(parameters: Mapping[str, Any]) -> str:
    kind = value(parameters.get("encodingType", "uuid"))
    if kind == "uuid":
        return str(uuid.uuid4())
    try:
        length = to_number(value(parameters.get("stringLength", 32)))
    except NotConvertible:
        length = None
    if length is None or not 0 <= length <= _LONGEST:
        raise NodeRunError(f"The length must be a number from 0 to {_LONGEST}")
    data = secrets.token_bytes(int(length))
    if kind == "ascii":
        return bytes(byte & 127 for byte in data).decode("ascii")
    if kind not in ("base64", "hex"):
        raise NodeRunError(f"'{kind}' is not a known kind of random value")
    return _encoded(data, kind)[: int(length)]


async def _crypt(ctx: RunContext, parameters: Mapping[str, Any], *, encrypt: bool) -> str:
    text = _text(parameters)
    if parameters.get("mode", "symmetric") == "asymmetric":
        name = "encryptionPublicKey" if encrypt else "encryptionPrivateKey"
        key = await _secret(ctx, parameters, "", name)
        by_key = encryption.encrypted_for if encrypt else encryption.decrypted_with
        return await asyncio.to_thread(by_key, text, key)
    passphrase = await _secret(ctx, parameters, "", "encryptionPassphrase")
    cipher = str(value(parameters.get("cipher", "aes-256-gcm")))
    work = encryption.encrypted if encrypt else encryption.decrypted
    return await asyncio.to_thread(
        work, text, passphrase, cipher
    )  # the key takes a fifth of a second and 64 MiB


async def _result(ctx: RunContext, parameters: Mapping[str, Any], index: int) -> str:
    action = value(parameters.get("action", "hash"))
    encoding = value(parameters.get("encoding", "hex"))
    if action == "hash":
        found = hashlib.new(_hash_name(parameters), usedforsecurity=False)
        return _encoded(await _digest(ctx, parameters, index, found), encoding)
    if action == "hmac":
        secret = await _secret(ctx, parameters, "secret", "hmacSecret")
        keyed = hmac.new(secret.encode(), digestmod=_hash_name(parameters))
        return _encoded(await _digest(ctx, parameters, index, keyed), encoding)
    if action == "sign":
        key = await _secret(ctx, parameters, "privateKey", "signPrivateKey")
        signature = signing.signature(_text(parameters), key, str(value(parameters.get("algorithm"))))
        return _encoded(signature, encoding)
    if action == "generate":
        return _random(parameters)
    if action in ("encrypt", "decrypt"):
        return await _crypt(ctx, parameters, encrypt=action == "encrypt")
    raise NodeRunError(f"'{action}' is not a known action")


def _failed(ctx: RunContext, error: NodeRunError, index: int) -> Item:
    """Since version 2 with the error as an object."""
    item = ctx.failed_item(error, index)
    told = {"message": error.message, "name": "NodeOperationError"}
    return item if ctx.node.version < 2 else {**item, "json": {**item["json"], "error": told}}


async def run(ctx: RunContext) -> Outputs:
    output: list[Item] = []
    await ctx.checkpoint()
    parameters = await ctx.parameters()
    for index, item in enumerate(ctx.items):
        await ctx.checkpoint()
        own = parameters[index]
        try:
            name = str(value(own.get("dataPropertyName")) or "data")
            json = {**item["json"], name: await _result(ctx, own, index)}
            output.append(made(json, index, item))
        except NodeRunError as error:
            if error.item_index is None:
                error.item_index = index
            if error.fatal or not ctx.continues():
                raise
            output.append(_failed(ctx, error, index))
    return [output]
