"""Crypto, JWT and TOTP with real keys."""

import base64
import hashlib
import threading
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.totp.node import password

CATALOGUE = Catalogue.load()
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())


def private(key: Any) -> str:
    form = serialization.PrivateFormat.PKCS8
    return str(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode())


def public(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


async def ran(kind: str, version: float, credential: dict[str, Any], *rows: Any, **parameters: Any) -> Any:
    given = CATALOGUE.fill_defaults(kind, version, parameters)
    held = {"crypto": "crypto", "jwt": "jwtAuth", "totp": "totpApi"}[kind]
    inputs = [[{"json": row} for row in rows or ({},)]]
    ctx = FakeContext(given, inputs, version=version, type=kind, credentials={held: credential})
    outputs = await CATALOGUE.implementation(kind)(ctx)
    assert isinstance(outputs, list)
    return [item["json"] for item in outputs[0]]


@pytest.mark.parametrize(
    "algorithm", ["RSA-SHA256", "sha256WithRSAEncryption", "id-rsassa-pkcs1-v1_5-with-sha3-512", "RSA-SHA1-2"]
)
async def test_rsa_signs(algorithm: str) -> None:
    parameters = {"action": "sign", "value": "grüße", "algorithm": algorithm, "privateKey": private(RSA)}
    ((made,),) = [await ran("crypto", 1, {}, **parameters)]
    chosen = {"RSA-SHA1-2": hashes.SHA1(), "id-rsassa-pkcs1-v1_5-with-sha3-512": hashes.SHA3_512()}
    RSA.public_key().verify(
        bytes.fromhex(made["data"]),
        "grüße".encode(),
        padding.PKCS1v15(),
        chosen.get(algorithm, hashes.SHA256()),
    )


async def test_a_curve_signs_with_the_credential() -> None:
    one_line = private(EC).replace("\n", "\\n")
    (made,) = await ran(
        "crypto",
        2,
        {"signPrivateKey": one_line},
        action="sign",
        value="x",
        algorithm="sha256",
        encoding="base64",
    )
    EC.public_key().verify(base64.b64decode(made["data"]), b"x", ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("cipher", ["aes-256-gcm", "aes-192-gcm", "aes-128-gcm", "chacha20-poly1305"])
async def test_what_was_encrypted_can_be_decrypted(cipher: str) -> None:
    secret = {"encryptionPassphrase": "pw"}
    (sealed,) = await ran("crypto", 2, secret, action="encrypt", value="日本", cipher=cipher)
    (opened,) = await ran("crypto", 2, secret, action="decrypt", value=sealed["data"], cipher=cipher)
    assert opened["data"] == "日本"
    for wrong, text in (
        ({"encryptionPassphrase": "x"}, sealed["data"]),
        (secret, sealed["data"][:-8]),
        (secret, "#"),
    ):
        with pytest.raises(NodeRunError):
            await ran("crypto", 2, wrong, action="decrypt", value=text, cipher=cipher)


@pytest.mark.parametrize(
    ("cipher", "sealed"),
    [  # by n8n, and by this node of before
        ("aes-256-gcm", "AX/2e3SQusdxgPBZfwi/ywK+8Dq5krZZGNoeGF2iREWkaX47MLxTD0Ie+bIUikptRCr37OBL"),
        ("aes-128-gcm", "AjuLOrBeS4Fzjx8ApP1mAGYNCl/vsl1Qh61vfi1WijCq4ejaWbhEnLmQRJkMy/Grp4f70FJl"),
    ],
)
async def test_what_others_encrypted_can_be_decrypted(cipher: str, sealed: str) -> None:
    secret = {"encryptionPassphrase": "pass phrase"}
    (opened,) = await ran("crypto", 2, secret, action="decrypt", value=f" {sealed}\n", cipher=cipher)
    assert opened["data"] == "Zoë 😀"


async def test_a_key_pair_encrypts() -> None:
    keys = {"encryptionPublicKey": public(RSA), "encryptionPrivateKey": private(RSA)}
    (sealed,) = await ran("crypto", 2, keys, action="encrypt", value="é", mode="asymmetric")
    (opened,) = await ran("crypto", 2, keys, action="decrypt", value=sealed["data"], mode="asymmetric")
    assert opened["data"] == "é"
    with pytest.raises(NodeRunError, match="no encryptionPublicKey"):
        await ran("crypto", 2, {}, action="encrypt", value="é", mode="asymmetric")


@pytest.mark.parametrize(("kind", "length"), [("hex", 7), ("base64", 10), ("ascii", 12), ("uuid", 36)])
async def test_random_values(kind: str, length: int) -> None:
    rows = await ran("crypto", 1, {}, {}, {}, action="generate", encodingType=kind, stringLength=length)
    assert [len(row["data"]) for row in rows] == [length, length]
    assert rows[0] != rows[1]


async def test_keyed_hash_of_the_credential() -> None:
    (made,) = await ran("crypto", 2, {"hmacSecret": "k"}, action="hmac", value="abc")
    assert made["data"] == "342e519ce0ad6c03a36b98eeb3f1d130db4813b9df4d1160eda488d712dc78ee"


SECRET = "a secret of more than thirty-two bytes"
SHARED = {"keyType": "passphrase", "secret": SECRET, "algorithm": "HS256"}


async def test_a_token_is_signed_verified_and_decoded() -> None:
    claims = {"audience": "me", "expiresIn": 100, "issuer": "i", "jwtid": "7", "notBefore": 0, "subject": "s"}
    (signed,) = await ran("jwt", 1, SHARED, claims=claims, options={"kid": "K"}, headerClaims='{"x": "y"}')
    (verified,) = await ran(
        "jwt", 1, SHARED, operation="verify", token=signed["token"], options={"complete": True}
    )
    payload = verified["payload"]
    assert payload["exp"] - payload["iat"] == 100
    assert (payload["aud"], payload["iss"], payload["jti"], payload["sub"]) == ("me", "i", "7", "s")
    assert verified["header"] == {"alg": "HS256", "typ": "JWT", "kid": "K", "x": "y"}
    assert verified["signature"] == signed["token"].rpartition(".")[2]
    assert await ran("jwt", 1, {}, operation="decode", token=signed["token"]) == [{"payload": payload}]


async def test_a_header_names_the_algorithm_that_signed() -> None:
    (signed,) = await ran("jwt", 1, SHARED, headerClaims='{"alg": "none", "kid": "1"}', claimsJson="{}")
    assert jwt.get_unverified_header(signed["token"]) == {"alg": "HS256", "typ": "JWT", "kid": "1"}


async def test_what_is_no_token_decodes_to_null() -> None:
    assert await ran("jwt", 1, {}, operation="decode", token="a.b.c") == [{"payload": None}]


@pytest.mark.parametrize("algorithm", ["RS256", "PS384", "ES256"])
async def test_key_pairs_sign_tokens(algorithm: str) -> None:
    key = EC if algorithm == "ES256" else RSA
    pair = {"keyType": "pemKey", "privateKey": private(key), "publicKey": public(key), "algorithm": algorithm}
    (signed,) = await ran("jwt", 1, pair, useJson=True, claimsJson='{"a": "é", "iat": 5}')
    assert await ran("jwt", 1, pair, operation="verify", token=signed["token"]) == [
        {"payload": {"a": "é", "iat": 5}}
    ]


def token(**claims: Any) -> str:
    return jwt.encode(claims, SECRET, "HS256")


@pytest.mark.parametrize(
    ("claims", "ignored"),
    [({"exp": 1_700_000_000}, "ignoreExpiration"), ({"nbf": 4_000_000_000}, "ignoreNotBefore")],
)
async def test_times_of_a_token(claims: dict[str, Any], ignored: str) -> None:
    with pytest.raises(NodeRunError, match="can't be verified"):
        await ran("jwt", 1, SHARED, operation="verify", token=token(**claims))
    options = {ignored: True}
    assert await ran("jwt", 1, SHARED, operation="verify", token=token(**claims), options=options) == [
        {"payload": claims}
    ]


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (jwt.encode({"a": 1}, SECRET + "x", "HS256"), {}),
        (jwt.encode({"a": 1}, None, "none"), {}),
        (token(a=1), {"algorithm": "HS512"}),
        ("x.y", {}),
        ("", {}),
    ],
)
async def test_tokens_that_are_refused(given: str, options: dict[str, Any]) -> None:
    with pytest.raises(NodeRunError, match="can't be verified"):
        await ran("jwt", 1, SHARED, operation="verify", token=given, options=options)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"useJson": True, "claimsJson": "nope"}, "no JSON object"),
        ({"claims": {"expiresIn": "soon"}}, "number of seconds"),
        ({"useJson": True, "claimsJson": '{"exp": "soon"}'}, "'exp' must be a number"),
        ({"operation": "decode", "token": "garbage"}, "no token"),
        ({"operation": "decode", "token": "Bearer a.b.c"}, "no token"),
        ({"operation": "x"}, "not a known operation"),
    ],
)
async def test_tokens_that_can_not_be_made(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(NodeRunError, match=message):
        await ran("jwt", 1, SHARED, **parameters)


RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("now", "expected"), [(59, "94287082"), (1_111_111_109, "07081804"), (20_000_000_000, "65353130")]
)
def test_passwords_of_rfc_6238(now: int, expected: str) -> None:
    assert password(RFC_SECRET, {"digits": 8}, now) == {"token": expected, "secondsRemaining": 30 - now % 30}


async def test_a_password_per_item() -> None:
    rows = await ran(
        "totp", 1, {"secret": "JBSW Y3DP EHPK 3PXP"}, {}, {}, options={"algorithm": "SHA256", "digits": 7}
    )
    assert [len(row["token"]) for row in rows] == [7, 7]


@pytest.mark.parametrize("options", [{"algorithm": "MD4"}, {"digits": 11}, {"period": "x"}])
def test_passwords_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(NodeRunError):
        password(RFC_SECRET, options, 0)


def test_a_secret_that_is_no_base32() -> None:
    with pytest.raises(NodeRunError, match="no Base32"):
        password("1!", {}, 0)


async def test_keys_are_derived_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    derive, threads = hashlib.scrypt, []

    def watched(*given: Any, **named: Any) -> bytes:
        threads.append(threading.current_thread())
        return derive(*given, **named)

    monkeypatch.setattr(hashlib, "scrypt", watched)
    secret = {"encryptionPassphrase": "a passphrase"}
    (sealed,) = await ran("crypto", 2, secret, action="encrypt", value="text")
    (opened,) = await ran("crypto", 2, secret, action="decrypt", value=sealed["data"])
    assert opened["data"] == "text"
    assert len(threads) == 2
    assert threading.main_thread() not in threads
