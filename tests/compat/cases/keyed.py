"""Nodes that need a credential and no server: Crypto, JWT, TOTP. Tokens and signatures that are alike in every run are
compared as they are; those of this moment, or with chance in them, by what another node reads in them."""

import base64
import hmac
import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from tests.compat.cases.build import Case, document, named, node
from tests.compat.cases.files import file_read, file_source
from tests.compat.cases.tools import within

ROWS = [{"n": 1, "v": "hello"}, {"n": 2, "v": "Zoë 😀"}]
_P: Final = 2**1024 - 105
_Q: Final = 2**1024 - 2**1000 - 761
_EXPONENT: Final = 65537
_CURVES: Final = {"256": ec.SECP256R1(), "384": ec.SECP384R1(), "512": ec.SECP521R1()}
_SHARED: Final = "a passphrase that is long enough for every one of the hashes, 64 bytes and more"


def _pem(key: PrivateKeyTypes) -> tuple[str, str]:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


@cache
def keys() -> Mapping[str, tuple[str, str]]:
    """Pairs in PEM form, the private key first: the same in every run, of numbers that nobody could call secret."""
    d = pow(_EXPONENT, -1, (_P - 1) * (_Q - 1))
    parts = rsa.rsa_crt_dmp1(d, _P), rsa.rsa_crt_dmq1(d, _Q), rsa.rsa_crt_iqmp(_P, _Q)
    whole = rsa.RSAPrivateNumbers(_P, _Q, d, *parts, rsa.RSAPublicNumbers(_EXPONENT, _P * _Q))
    pairs = {"RSA": _pem(whole.private_key())}
    return pairs | {f"EC{name}": _pem(ec.derive_private_key(7, curve)) for name, curve in _CURVES.items()}


@cache
def secrets() -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    """Type and fields of the credentials, by what documents call them."""
    private, public = keys()["RSA"]
    crypto = {
        "hmacSecret": "key",
        "signPrivateKey": private,
        "encryptionPassphrase": "pass phrase",
        "encryptionPublicKey": public,
        "encryptionPrivateKey": private,
    }
    found: dict[str, tuple[str, Mapping[str, Any]]] = {
        "secret-crypto": ("crypto", crypto),
        "secret-crypto-flat": (
            "crypto",
            {name: held.replace("\n", "\\n") for name, held in crypto.items()},
        ),
        "secret-crypto-none": ("crypto", {"hmacSecret": ""}),
        "secret-totp": ("totpApi", {"secret": "JBSWY3DPEHPK3PXP", "label": "Weft:ada"}),
        "secret-totp-small": ("totpApi", {"secret": "jbsw y3dp ehpk 3pxp", "label": "Weft:ada"}),
        "secret-totp-wrong": ("totpApi", {"secret": "10!", "label": "Weft:ada"}),
        "secret-jwt-HS": (
            "jwtAuth",
            {"keyType": "passphrase", "secret": _SHARED, "algorithm": "HS512"},
        ),
        "secret-jwt-short": ("jwtAuth", {"keyType": "passphrase", "secret": "k", "algorithm": "HS256"}),
        "secret-jwt-none": ("jwtAuth", {"keyType": "passphrase", "secret": "k", "algorithm": "none"}),
    }
    for name, (private, public) in keys().items():
        algorithm = "RS256" if name == "RSA" else f"ES{name[2:]}"
        pair = {"keyType": "pemKey", "privateKey": private, "publicKey": public, "algorithm": algorithm}
        found[f"secret-jwt-{name}"] = ("jwtAuth", pair)
        flat = {key: held.replace("\n", "\\n") for key, held in pair.items()}
        found[f"secret-jwt-{name}-flat"] = ("jwtAuth", flat)
    return found


def _keyed(
    kind: str, version: float, name: str, parameters: Mapping[str, Any], secret: str, **extra: Any
) -> Any:
    type_ = secrets()[secret][0]
    held = {"credentials": {type_: {"id": secret, "name": type_}}}
    return node(name, kind, version, {"options": {}, **parameters}, 1, **held, **extra)


def _chain(*nodes: dict[str, Any], rows: Any = ROWS) -> Case:
    wires = " > ".join(["Trigger", *(each["name"] for each in nodes)])
    return {"document": document(nodes, wires, {"Trigger": rows})}


_SEALED: Final = {
    "aes-256-gcm": "AX/2e3SQusdxgPBZfwi/ywK+8Dq5krZZGNoeGF2iREWkaX47MLxTD0Ie+bIUikptRCr37OBL",
    "aes-192-gcm": "AaRuurhhs+pphjejMFIk+hIKDnYhYte9RVUWEXQU3DGvw6YbPLXddpxBUK/84l84wW7+189Z",
    "aes-128-gcm": "AXUIWXdHkUSgLtrAd4t1jve/90UT1lnGwm85rSiu3xHX/Akcmdn7vj48XP8rPrU+q8yfBQ6d",
    "chacha20-poly1305": "AX0LLdK6ebVxHwX5ACyAuJPRjEU1YZsaP0N9dIBrWeDXSODQDu5NvQ7T7JFp3y6+QkcWvO1q",
}
"""The first and the third n8n encrypted once, the others our node."""
_FOR_THE_PAIR: Final = (
    "OCRFE7KprJ2/8mlXPKBeIvS7M+CizY6e/CWl/7tANVcWpi2wQeHMgp2ijuDyDD2OGlgvTqIWpaVzhrjIDNw8IkaQvwrP6tvovA5G"
    "ocr0J10ZEGWI66UL/X1hwiq+PHk5/tkxMohLBvjt6yZrYPD57P/YP52zI2jzIDnprVwtizaAGMbnRCxTGZG5NIWly9v4mUNuOJQQ"
    "Cd9Je6W9RmRrlImuYA5oaSyPcm9fdEZsdnHFDgctq6ng7//u5sYQWbED1F1gZY6FMf9BAwEWnDMdW52bXWfdxYRz7ttbpx24XLh5"
    "bA0F03SvyUxVziQp17b5+Y5feFU02xiWavp12PMzZQ=="
)
_SIGNS: Final = (
    "RSA-MD5", "RSA-RIPEMD160", "RSA-SHA1", "RSA-SHA1-2", "RSA-SHA224", "RSA-SHA256", "RSA-SHA3-224", "RSA-SHA3-256",
    "RSA-SHA3-384", "RSA-SHA3-512", "RSA-SHA384", "RSA-SHA512", "RSA-SHA512/224", "RSA-SHA512/256", "RSA-SM3",
    "blake2b512", "blake2s256", "id-rsassa-pkcs1-v1_5-with-sha3-256", "md5", "md5-sha1", "md5WithRSAEncryption",
    "ripemd", "ripemd160", "ripemd160WithRSA", "rmd160", "sha1", "sha1WithRSAEncryption", "sha224", "sha256",
    "sha256WithRSAEncryption", "sha3-256", "sha384", "sha512", "sha512-224", "sha512-256", "sha512-256WithRSAEncryption",
    "shake128", "shake256", "sm3", "sm3WithRSAEncryption", "ssl3-md5", "ssl3-sha1",
)  # fmt: skip
_HASHES: Final = ("MD5", "SHA1", "SHA256", "SHA3-256", "SHA3-384", "SHA3-512", "SHA384", "SHA512")


def _crypto() -> dict[str, Case]:
    found: dict[str, Case] = {}

    def one(name: str, parameters: dict[str, Any], secret: str = "secret-crypto", **extra: Any) -> None:
        found[name] = _chain(_keyed("crypto", 2, "Node", parameters, secret, **extra))

    value = "={{ $json.v }}"
    for kind in _HASHES:
        for encoding in ("hex", "base64"):
            one(
                f"hash {kind} {encoding} v2",
                {"action": "hash", "type": kind, "value": value, "encoding": encoding},
            )
            one(
                f"hmac {kind} {encoding} v2",
                {"action": "hmac", "type": kind, "value": value, "encoding": encoding},
            )
            old = {
                "action": "hmac",
                "type": kind,
                "value": value,
                "encoding": encoding,
                "secret": "={{ $json.n }}é",
            }
            found[f"hmac {kind} {encoding} v1"] = _chain(node("Node", "crypto", 1, old, 1))
    for version in (1, 2):
        for action in ("hash", "hmac"):
            file = {"action": action, "binaryData": True, "secret": "key", "type": "SHA256"}
            for name in ("data", "missing"):
                found[f"{action} of the file {name} v{version}"] = file_read(
                    "crypto", version, {**file, "binaryPropertyName": name}, file_source("some text", "a.txt"),
                    onError="continueRegularOutput",
                    credentials={"crypto": {"id": "secret-crypto", "name": "crypto"}},
                )  # fmt: skip
            for name, given in {
                "number": "={{ $json.n }}",
                "object": "={{ $json }}",
                "nothing": "={{ $json.none }}",
                "empty": "={{ '' }}",
            }.items():
                for on_error in ("stopWorkflow", "continueRegularOutput"):
                    told = {"action": action, "value": given, "secret": "key"}
                    made = _keyed("crypto", version, "Node", told, "secret-crypto", onError=on_error)
                    found[f"{action} of {name} {on_error} v{version}"] = _chain(made)
    for name in _SIGNS:
        signs = {"action": "sign", "value": value, "algorithm": name, "encoding": "base64"}
        one(f"sign {name} v2", signs, onError="continueRegularOutput")
    signs = {"action": "sign", "value": value, "algorithm": "RSA-SHA256"}
    one("sign hex v2", signs)
    one("sign flat v2", signs, "secret-crypto-flat", onError="continueRegularOutput")
    one("sign without a key v2", signs, "secret-crypto-none", onError="continueRegularOutput")
    one("sign a number v2", {**signs, "value": "={{ $json.n }}"}, onError="continueRegularOutput")
    for name, key in {
        "pem": keys()["RSA"][0],
        "flat": keys()["RSA"][0].replace("\n", "\\n"),
        "wrong": "no key",
    }.items():
        old = {**signs, "privateKey": key}
        found[f"sign {name} v1"] = _chain(node("Node", "crypto", 1, old, 1, onError="continueRegularOutput"))
    one(
        "hmac without a secret v2",
        {"action": "hmac", "value": value},
        "secret-crypto-none",
        onError="continueRegularOutput",
    )
    for cipher, text in _SEALED.items():
        opens = {"action": "decrypt", "value": text, "cipher": cipher, "dataPropertyName": "a.b"}
        one(f"decrypt {cipher} v2", opens)
        seals = {"action": "encrypt", "value": value, "cipher": cipher, "dataPropertyName": "sealed"}
        back = {
            "action": "decrypt",
            "value": "={{ $json.sealed }}",
            "cipher": cipher,
            "dataPropertyName": "opened",
        }
        found[f"encrypt {cipher} v2"] = within(
            "crypto", 2, seals, _SEALS, then=[_keyed("crypto", 2, "Back", back, "secret-crypto")],
            credentials={"crypto": {"id": "secret-crypto", "name": "crypto"}},
        )  # fmt: skip
    sealed = _SEALED["aes-256-gcm"]
    for name, text, cipher in (
        ("another cipher", sealed, "chacha20-poly1305"),
        ("another length", sealed, "aes-128-gcm"),
        ("no base64", "!!", "aes-256-gcm"),
        ("too short", sealed[:20], "aes-256-gcm"),
        ("changed", sealed[:-8] + "AAAAAAA=", "aes-256-gcm"),
        ("spaces", f" {sealed}\n", "aes-256-gcm"),
        ("nothing", "={{ $json.none }}", "aes-256-gcm"),
    ):
        wrong = {"action": "decrypt", "value": text, "cipher": cipher}
        one(f"decrypt {name} v2", wrong, onError="continueRegularOutput")
    for name, text in {"number": "={{ $json.n }}", "empty": "={{ '' }}"}.items():
        seals = {"action": "encrypt", "value": text, "dataPropertyName": "sealed"}
        found[f"encrypt {name} v2"] = within(
            "crypto", 2, seals, _SEALS, credentials={"crypto": {"id": "secret-crypto", "name": "crypto"}}
        )
    pair = {"action": "encrypt", "mode": "asymmetric", "value": value, "dataPropertyName": "sealed"}
    back = {
        "action": "decrypt",
        "mode": "asymmetric",
        "value": "={{ $json.sealed }}",
        "dataPropertyName": "opened",
    }
    for secret in ("secret-crypto", "secret-crypto-flat"):
        found[f"encrypt for a pair, {secret.rpartition('-')[2]} v2"] = within(
            "crypto", 2, pair, _SEALS, then=[_keyed("crypto", 2, "Back", back, secret)],
            credentials={"crypto": {"id": secret, "name": "crypto"}},
        )  # fmt: skip
    one("decrypt for a pair v2", {**back, "value": _FOR_THE_PAIR})
    one("encrypt without a key v2", pair, "secret-crypto-none", onError="continueRegularOutput")
    one("encrypt too much for a pair v2", {**pair, "value": "x" * 300}, onError="continueRegularOutput")
    one("decrypt with a key wrong v2", {**back, "value": "AAAA"}, onError="continueRegularOutput")
    return found


def _jwt() -> dict[str, Case]:
    found: dict[str, Case] = {}
    always = {
        "useJson": True,
        "claimsJson": '{"iat": 1700000000, "sub": "ada", "n": [1, {"a": null}], "z": "Zoë"}',
    }

    def made(name: str, parameters: dict[str, Any], secret: str, **extra: Any) -> Any:
        return _keyed("jwt", 1, name, parameters, secret, **extra)

    pairs = [("HS", f"HS{size}") for size in ("256", "384", "512")]
    pairs += [("RSA", f"{family}{size}") for family in ("RS", "PS") for size in ("256", "384", "512")]
    pairs += [(f"EC{size}", f"ES{size}") for size in ("256", "384", "512")]
    for secret, name in pairs:
        held, options = f"secret-jwt-{secret}", {"options": {"algorithm": name}}
        if not name.startswith(("PS", "ES")):
            found[f"sign {name}"] = _chain(made("Node", {**always, **options}, held))
        back = {"operation": "verify", "token": "={{ $json.token }}", **options}
        whole = {**back, "options": {"algorithm": name, "complete": True}}
        for told, reads in (("verify", back), ("verify whole", whole)):
            then = [made("Back", reads, held)]
            found[f"{told} {name}"] = within(
                "jwt", 1, {**always, **options}, _KEPT, then=then,
                credentials={"jwtAuth": {"id": held, "name": "jwtAuth"}},
            )  # fmt: skip
    for secret in ("HS", "RSA", "EC256", "RSA-flat", "EC384-flat", "short", "none"):
        found[f"the credential's algorithm {secret}"] = within(
            "jwt", 1, always, _KEPT, credentials={"jwtAuth": {"id": f"secret-jwt-{secret}", "name": "jwtAuth"}},
            then=[made("Back", {"operation": "decode", "token": "={{ $json.token }}", "options": {"complete": True}}, "secret-jwt-HS")],
        )  # fmt: skip
    for name, parameters in named(
        {
            "header claims": {"headerClaims": '{"kid": "k1", "x": 1, "typ": "at+jwt"}'},
            "header claims as an object": {"headerClaims": "={{ ({cty: 'x'}) }}"},
            "header claims wrong": {"headerClaims": "={{ '{x' }}"},
            "kid": {"options": {"kid": "k2"}},
            "kid and header": {"options": {"kid": "k2"}, "headerClaims": '{"kid": "k1"}'},
            "kid empty": {"options": {"kid": ""}},
            "claims wrong": {"claimsJson": "{iat: 1}"},
            "claims a list": {"claimsJson": "={{ [1] }}"},
            "claims a text": {"claimsJson": "={{ 'a' }}"},
            "claims empty": {"claimsJson": "={{ '' }}"},
            "claims of an item": {"claimsJson": "={{ ({iat: 1700000000 + $json.n, v: $json.v}) }}"},
            "exp a text": {"claimsJson": '{"iat": 1700000000, "exp": "soon"}'},
            "iat a text": {"claimsJson": '{"iat": "now"}'},
            "sub a number": {"claimsJson": '{"iat": 1700000000, "sub": 5}'},
            "aud a list": {"claimsJson": '{"iat": 1700000000, "aud": ["a", "b"]}'},
            "aud a number": {"claimsJson": '{"iat": 1700000000, "aud": 7}'},
            "nbf a fraction": {"claimsJson": '{"iat": 1700000000, "nbf": 1.5}'},
            "jti a number": {"claimsJson": '{"iat": 1700000000, "jti": 1}'},
            "algorithm of another key": {"options": {"algorithm": "RS256"}},
            "algorithm unknown": {"options": {"algorithm": "XX1"}},
        }
    ):
        found[f"sign with {name}"] = _chain(made("Node", {**always, **parameters}, "secret-jwt-HS"))
    found["sign HS with a short secret"] = _chain(made("Node", always, "secret-jwt-short"))
    found["sign HS with a pair"] = _chain(
        made("Node", {**always, "options": {"algorithm": "HS256"}}, "secret-jwt-RSA")
    )
    found["sign ES384 with a key of 256"] = _chain(
        made("Node", {**always, "options": {"algorithm": "ES384"}}, "secret-jwt-EC256")
    )
    read = {"operation": "decode", "token": "={{ $json.token }}", "options": {"complete": True}}
    for name, claims in {
        "all": {
            "audience": "a",
            "expiresIn": 60,
            "issuer": "i",
            "jwtid": "j",
            "notBefore": 5,
            "subject": "s",
        },
        "none": {},
        "empty": {"audience": "", "issuer": "", "jwtid": "", "subject": ""},
        "zero": {"expiresIn": 0, "notBefore": 0},
        "below zero": {"expiresIn": -5, "notBefore": -5},
        "fraction": {"expiresIn": 1.5},
        "numbers": {"audience": "={{ $json.n }}", "jwtid": "={{ $json.n }}"},
        "lists": {"audience": "={{ ['a', 'b'] }}"},
    }.items():
        found[f"claims {name}"] = within(
            "jwt", 1, {"claims": claims}, _SPANS, then=[made("Back", read, "secret-jwt-HS")],
            credentials={"jwtAuth": {"id": "secret-jwt-HS", "name": "jwtAuth"}},
        )  # fmt: skip
    tokens: dict[str, Any] = {name: _token(name, claims) for name, claims in _CLAIMS.items()}
    tokens |= {"none": "", "no token": "abc", "two parts": "a.b", "no json": "YQ.YQ.YQ", "number": 5}
    head, body, mark = tokens["plain"].split(".")
    tokens |= {
        "changed": f"{head}.{body}.{mark[:-4]}AAAA",
        "unsigned": f"{_part({'alg': 'none', 'typ': 'JWT'})}.{body}.",
    }
    tokens |= {"bearer": f"Bearer {tokens['plain']}", "spaces": f" {tokens['plain']} "}
    asked: dict[str, Any]
    for name, token in tokens.items():
        for operation in ("verify", "decode"):
            asked = {
                "operation": operation,
                "token": f"={{{{ {json.dumps(token)} }}}}",
                "options": {"algorithm": "HS256"},
            }
            found[f"{operation} {name}"] = _chain(made("Node", asked, "secret-jwt-HS"))
            asked = {**asked, "options": {**asked["options"], "complete": True}}
            found[f"{operation} {name} whole"] = _chain(made("Node", asked, "secret-jwt-HS"))
    for name, options in named(
        {
            "of another algorithm": {"algorithm": "HS384"},
            "by the credential's algorithm": {},
        }
    ):
        asked = {"operation": "verify", "token": tokens["plain"], "options": options}
        found[f"verify {name}"] = _chain(made("Node", asked, "secret-jwt-HS"))
    for name, options in named(
        {
            "expired": {"ignoreExpiration": True},
            "not yet": {"ignoreNotBefore": True},
            "expired long ago": {"clockTolerance": 10},
        }
    ):
        token = tokens["expired" if name.startswith("expired") else name]
        asked = {
            "operation": "verify",
            "token": f"={{{{ {json.dumps(token)} }}}}",
            "options": {"algorithm": "HS256", **options},
        }
        found[f"verify {name} with {', '.join(options)}"] = _chain(made("Node", asked, "secret-jwt-HS"))
    tolerant = {
        "operation": "verify",
        "token": tokens["expired"],
        "options": {"algorithm": "HS256", "clockTolerance": 2_000_000_000},
    }
    found["verify expired, much tolerance"] = _chain(made("Node", tolerant, "secret-jwt-HS"))
    for on_error in ("continueRegularOutput", "continueErrorOutput"):
        asked = {"operation": "verify", "token": f"={{{{ {json.dumps(tokens['changed'])} }}}}"}
        found[f"verify changed {on_error}"] = _chain(made("Node", asked, "secret-jwt-HS", onError=on_error))
    found["verify stops"] = _chain(made("Node", {"operation": "verify", "token": "a.b.c"}, "secret-jwt-HS"))
    found["decode stops"] = _chain(made("Node", {"operation": "decode", "token": "a.b.c"}, "secret-jwt-HS"))
    return {f"{name} v1": case for name, case in found.items()}


_SEALS: Final = """return $input.all().map((item, i) => ({pairedItem: i, json: {...item.json, sealed: item.json.sealed.length}}));"""
_KEPT: Final = """return $input.all().map((item, i) => ({pairedItem: i,
  json: {...item.json, ...(item.json.signature === undefined ? {} : {signature: item.json.signature.length})}}));"""
"""A signature by its length."""
_SPANS: Final = """return $input.all().map((item, i) => {
  const {payload, header, signature, ...others} = item.json, told = {...payload};
  for (const name of ['exp', 'nbf']) if (name in told) told[name] -= payload.iat;
  if ('iat' in told) told.iat = Math.abs(told.iat - Date.now() / 1000) < 60;
  return {pairedItem: i, json: {...others, header, payload: told}};
});"""
"""Times by the seconds from the token's own."""
_CLAIMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "plain": {"iat": 1700000000, "sub": "ada", "n": [1, {"a": None}], "z": "Zoë"},
    "expired": {"iat": 1700000000, "exp": 1700000060},
    "not yet": {"iat": 1700000000, "nbf": 4000000000},
    "of later": {"iat": 4000000000},
    "odd times": {"iat": "x", "exp": "soon"},
    "for others": {"aud": ["a"], "iss": "i", "sub": 5, "jti": 7},
    "empty": {},
}


def _part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _token(name: str, claims: Mapping[str, Any]) -> str:
    """By RFC 7515, with the typ left out of the header of one."""
    header = {"alg": "HS256"} if name == "empty" else {"alg": "HS256", "typ": "JWT"}
    text = f"{_part(header)}.{_part(dict(claims))}"
    return f"{text}.{_part(hmac.digest(_SHARED.encode(), text.encode(), 'sha256'))}"


_DIGITS: Final = """return $input.all().map((item, i) => ({pairedItem: i, json: {...item.json,
  ...(item.json.token === undefined ? {} : {token: typeof item.json.token + item.json.token.length}),
  ...(item.json.secondsRemaining === undefined ? {} : {secondsRemaining: typeof item.json.secondsRemaining})}}));"""


def _totp() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for name, options in {
        "default": {},
        "eight digits": {"digits": 8},
        "no digits": {"digits": 0},
        "eleven digits": {"digits": 11},
        "a minute": {"period": 60},
        "no period": {"period": 0},
        **{name: {"algorithm": name} for name in ("SHA224", "SHA256", "SHA3-256", "SHA512")},
    }.items():
        for secret in ("totp", "totp-small", "totp-wrong"):
            if secret != "totp" and name != "default":
                continue
            held: dict[str, Any] = {"credentials": {"totpApi": {"id": f"secret-{secret}", "name": "totpApi"}}}
            found[f"{name}, {secret} v1"] = within(
                "totp", 1, {"options": options}, _DIGITS, onError="continueRegularOutput", **held
            )
    # a period that this century does not leave: what is made is the same in every run
    for algorithm in (
        "SHA1",
        "SHA224",
        "SHA256",
        "SHA384",
        "SHA512",
        "SHA3-224",
        "SHA3-256",
        "SHA3-384",
        "SHA3-512",
    ):
        long = {"options": {"algorithm": algorithm, "period": 9_000_000_000, "digits": 8}}
        shape = "return $input.all().map((item, i) => ({pairedItem: i, json: {token: item.json.token ?? null, error: item.json.error ?? null}}));"
        held = {"credentials": {"totpApi": {"id": "secret-totp", "name": "totpApi"}}}
        found[f"the first period {algorithm} v1"] = within(
            "totp", 1, long, shape, onError="continueRegularOutput", **held
        )
    return found


def cases() -> dict[str, dict[str, Case]]:
    return {"crypto": _crypto(), "jwt": _jwt(), "totp": _totp()}
