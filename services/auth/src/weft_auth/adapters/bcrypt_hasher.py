"""Passwords by bcrypt, in threads of their own: one takes a quarter of a second of a processor."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import bcrypt

from weft_auth.domain.passwords import prehash

_SALT_AND_DIGEST = "eImiTXuWVxfM37uY4JANjOoR5J4xOCkHTkiM3CJk2mNbhcFyWwMGq"
"""Of no password: comparing with it takes the time that a user who does not exist would have taken."""


class BcryptHasher:
    """Implements PasswordHasher. At most two at a time, so that a flood of sign-ins leaves the rest its share."""

    def __init__(self, cost: int) -> None:
        self._cost = cost
        self._threads = ThreadPoolExecutor(2, "bcrypt")
        self._nobodys = f"$2b${cost:02d}${_SALT_AND_DIGEST}"

    async def hash(self, password: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hash, password)

    async def verify(self, password: str, hashed: str | None) -> bool:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._verify, password, hashed)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _hash(self, password: str) -> str:
        return bcrypt.hashpw(prehash(password), bcrypt.gensalt(self._cost)).decode()

    def _verify(self, password: str, hashed: str | None) -> bool:
        matches = bcrypt.checkpw(prehash(password), (hashed or self._nobodys).encode())
        return matches and hashed is not None
