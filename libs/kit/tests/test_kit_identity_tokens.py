import time
from typing import Any, cast

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.pb import auth_pb2 as pb
from weft_contracts.rpc.auth import Auth
from weft_kit.identity import tokens
from weft_kit.identity.tokens import TokenVerifier


class Issuer:
    """The part of auth that a verifier asks."""

    def __init__(self, issuer: str = "here") -> None:
        self.issuer = issuer
        self.key = self.new_key("1")
        self.keys = [self.key]
        self.asked = 0
        self.api_keys = {"weft_good": ("ada", ("workflow:read",))}

    def new_key(self, kid: str) -> OKPKey:
        return OKPKey.generate_key("Ed25519", {"kid": kid})

    def sign(self, key: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        key = key or self.key
        body = {
            "iss": self.issuer,
            "aud": tokens.AUDIENCE,
            "sub": "ada",
            "exp": int(time.time()) + 900,
            **claims,
        }
        header = header or {"alg": tokens.ALGORITHM, "kid": key.kid}
        return jwt.encode(header, body, key, algorithms=[tokens.ALGORITHM, "HS256", "none"])

    async def GetKeys(self, request: pb.GetKeysRequest) -> pb.GetKeysResponse:
        self.asked += 1
        jwks = {"keys": [key.as_dict(private=False) for key in self.keys]}
        return pb.GetKeysResponse(jwks=orjson.dumps(jwks), issuer=self.issuer)

    async def VerifyApiKey(self, request: pb.VerifyApiKeyRequest) -> pb.VerifyApiKeyResponse:
        self.asked += 1
        if request.key not in self.api_keys:
            raise WeftError(ErrorCode.UNAUTHENTICATED, "no")
        user, scopes = self.api_keys[request.key]
        return pb.VerifyApiKeyResponse(user_id=user, scopes=scopes)


def verifier(issuer: Issuer) -> TokenVerifier:
    return TokenVerifier(cast("Auth", issuer))


async def refused(verify: TokenVerifier, token: str) -> bool:
    with pytest.raises(WeftError) as caught:
        await verify.verify(token)
    return caught.value.code is ErrorCode.UNAUTHENTICATED


async def test_a_good_token_names_its_user_and_asks_once() -> None:
    issuer = Issuer()
    verify = verifier(issuer)
    for token in (issuer.sign(), issuer.sign(), issuer.sign(sub="bob")):
        assert (await verify.verify(token)).user_id in {"ada", "bob"}
    assert issuer.asked == 1


async def test_bad_tokens_are_refused() -> None:
    issuer, elsewhere = Issuer(), Issuer("elsewhere")
    verify = verifier(issuer)
    good = issuer.sign()
    public = orjson.dumps(issuer.key.as_dict(private=False)).decode()
    confused = OctKey.import_key(public, {"kid": "1"})
    bad = [
        "",
        "x",
        "a.b.c",
        good[:-4] + "AAAA",
        elsewhere.sign(),
        issuer.sign(iss="elsewhere"),
        issuer.sign(aud="weft-rpc"),
        issuer.sign(exp=int(time.time()) - 60),
        issuer.sign(key=confused, header={"alg": "HS256", "kid": "1"}),
        issuer.sign(header={"alg": "none", "kid": "1"}),
        issuer.sign(header={"alg": tokens.ALGORITHM}),
    ]
    for token in bad:
        assert await refused(verify, token)
    assert (await verify.verify(good)).user_id == "ada"


async def test_an_expired_token_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = Issuer()
    verify = verifier(issuer)
    token = issuer.sign()
    assert await verify.verify(token)
    wall, steady = time.time(), time.monotonic()
    monkeypatch.setattr(time, "time", lambda: wall + 1000)
    monkeypatch.setattr(time, "monotonic", lambda: steady + 1000)
    assert await refused(verify, token)


async def test_a_new_key_is_fetched_but_not_for_every_made_up_one(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = Issuer()
    verify = verifier(issuer)
    await verify.verify(issuer.sign())
    new = issuer.new_key("2")
    issuer.keys.append(new)
    assert await refused(verify, issuer.sign(key=new))
    assert issuer.asked == 1
    steady = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: steady + 2)
    assert (await verify.verify(issuer.sign(key=new))).user_id == "ada"
    assert issuer.asked == 2


async def test_api_keys_are_remembered_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = Issuer()
    verify = verifier(issuer)
    for _ in range(3):
        who = await verify.verify_api_key("weft_good")
        assert (who.user_id, who.scopes) == ("ada", ("workflow:read",))
    assert issuer.asked == 1
    issuer.api_keys.clear()
    steady = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: steady + tokens.API_KEY_SECONDS + 1)
    with pytest.raises(WeftError):
        await verify.verify_api_key("weft_good")
