"""Signed requests to a service that speaks the S3 protocol (docs.aws.amazon.com/AmazonS3/latest/API)."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from weft_node_sdk.context import Http, HttpAnswer, HttpBody, HttpStream, NodeRunError, Outbound
from weft_node_sdk.xml_reading import Shape, parsed

Headers = Mapping[str, str]
_SHAPE: Final = Shape(merge_attributes=False)
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PORTS: Final = {"http": 80, "https": 443}
_PAGE: Final = 1000
"""Entries that a service gives at once, at most."""


def listed(held: Any) -> list[Any]:
    """What repeats in XML; nothing and one are lists too."""
    if held in (None, ""):
        return []
    return held if isinstance(held, list) else [held]


async def digest_of(body: bytes | HttpBody, kind: str = "sha256") -> "hashlib._Hash":
    """A file is read once more when it is sent."""
    digest = hashlib.new(kind, usedforsecurity=False)
    if isinstance(body, bytes):
        digest.update(body)
    else:
        async for chunk in body:
            digest.update(chunk)
    return digest


async def content_md5(body: bytes | HttpBody) -> str:
    """The header that the protocol wants where much is at stake."""
    return base64.b64encode((await digest_of(body, "md5")).digest()).decode()


class Service:
    """What a credential gives access to."""

    def __init__(self, http: Http, secret: Mapping[str, Any]) -> None:
        self._http = http
        self.region = str(secret.get("region") or "") or "us-east-1"
        self._key, self._secret = (str(secret.get(name) or "") for name in ("accessKeyId", "secretAccessKey"))
        self._in_path = secret.get("forcePathStyle") is True
        self._verify = secret.get("ignoreSSLIssues") is not True
        self._scheme, self._host, self._base = _endpoint(str(secret.get("endpoint") or ""))
        self._regions: dict[str, str] = {}
        """Of buckets that lie elsewhere."""

    def _url(self, bucket: str, key: str, query: Mapping[str, str]) -> str:
        host, path = self._host, self._base
        if bucket:
            if not _BUCKET.fullmatch(bucket):
                raise NodeRunError(f"'{bucket}' is no name of a bucket")
            host, path = (host, f"{path}/{bucket}") if self._in_path else (f"{bucket}.{host}", path)
        if key:
            if any(part in {".", ".."} for part in key.split("/")):
                raise NodeRunError(f"The key '{key}' can't be sent: '.' and '..' are parts of paths")
            path += f"/{quote(key, safe='/~')}"
        text = urlencode(sorted(query.items()), quote_via=quote, safe="~")
        return f"{self._scheme}://{host}{path or '/'}{'?' if text else ''}{text}"

    def _signed(
        self, method: str, url: str, headers: Headers, digest: str, region: str
    ) -> Sequence[tuple[str, str]]:
        from aws_request_signer import AwsRequestSigner

        signer = AwsRequestSigner(region, self._key, self._secret, "s3")
        trimmed = {name: held.strip() for name, held in headers.items()}
        signature: Headers = signer.sign_with_headers(method, url, trimmed, digest)
        return [*trimmed.items(), *signature.items()]

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        bucket: str = "",
        key: str = "",
        query: Mapping[str, str] | None = None,
        headers: Headers | None = None,
        body: bytes | HttpBody = b"",
    ) -> AsyncIterator[HttpStream]:
        """An answer with a good status. Raises NodeRunError with what the service says otherwise. A bucket of another
        region is asked for there."""
        url, digest = self._url(bucket, key, query or {}), (await digest_of(body)).hexdigest()
        for last in (False, True):
            region = self._regions.get(bucket, self.region)
            sent = self._signed(method, url, headers or {}, digest, region)
            async with self._http.stream(
                method, url, headers=sent, body=body or None, follow_redirects=False, verify=self._verify
            ) as answer:
                if answer.status < 300:
                    yield answer
                    return
                error = _error(await answer.read())
                other = _other_region(answer, error)
                if last or not bucket or not other or other == region:
                    raise _refusal(answer, error)
                self._regions[bucket] = other

    async def request(self, method: str, bucket: str = "", key: str = "", **options: Any) -> HttpAnswer:
        """As `stream`, read."""
        async with self.stream(method, bucket, key, **options) as answer:
            return HttpAnswer(answer.status, answer.reason, answer.headers, await answer.read())

    async def document(self, method: str, bucket: str = "", key: str = "", **options: Any) -> dict[str, Any]:
        """The root of an XML answer. Raises NodeRunError for an error in a good answer, as copies may have it."""
        answer = await self.request(method, bucket, key, **options)
        found = parsed(answer.body.decode(errors="replace"), _SHAPE)
        ((name, root),) = found.items()
        if name == "Error":
            raise _refusal(answer, root if isinstance(root, dict) else {})
        return root if isinstance(root, dict) else {}

    async def entries(
        self, bucket: str, query: Mapping[str, str], headers: Headers | None = None, most: int | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """What a bucket lists, `most` of it."""
        token, left = "", most
        while left is None or left > 0:
            asked = {"list-type": "2", **query}
            if token:
                asked["continuation-token"] = token
            if left is not None:
                asked["max-keys"] = str(min(left, _PAGE))
            page = await self.document("GET", bucket, query=asked, headers=headers)
            for entry in listed(page.get("Contents"))[:left]:
                left = None if left is None else left - 1
                yield entry
            token = str(page.get("NextContinuationToken") or "")
            if page.get("IsTruncated") != "true" or not token:
                return


def _endpoint(text: str) -> tuple[str, str, str]:
    """(scheme, host and port, path) of the service."""
    try:
        parts = urlsplit(text if "//" in text else f"https://{text}")
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        host, port = "", None
    if not host or parts.scheme not in _PORTS:
        raise NodeRunError(f"The endpoint '{text}' is no address of a service")
    host = f"[{host}]" if ":" in host else host
    shown = f"{host}:{port}" if port and port != _PORTS[parts.scheme] else host
    return parts.scheme, shown, quote(parts.path.rstrip("/"), safe="/~%")


def _error(body: bytes) -> dict[str, Any]:
    """The members of an error's document; empty where there is none."""
    try:
        found = parsed(body.decode(errors="replace"), _SHAPE).get("Error")
    except NodeRunError:
        return {}
    return found if isinstance(found, dict) else {}


def _other_region(answer: HttpStream, error: Mapping[str, Any]) -> str:
    if answer.status not in (301, 307, 400):
        return ""
    headers = {name.lower(): held for name, held in answer.headers}
    return str(error.get("Region") or headers.get("x-amz-bucket-region") or "")


def _refusal(answer: HttpStream | HttpAnswer, error: Mapping[str, Any]) -> NodeRunError:
    said = ": ".join(str(error[name]) for name in ("Code", "Message") if error.get(name))
    text = said or f"the service answered {answer.status} {answer.reason}"
    return NodeRunError(f"S3: {text}", code="HTTP_ERROR", http_status=answer.status)


async def check(ctx: Outbound, secret: Mapping[str, Any]) -> None:
    """Raises NodeRunError where the service does not know the key; what the key may do is another matter."""
    try:
        await Service(ctx.http, secret).request("GET")
    except NodeRunError as error:
        if not error.message.startswith("S3: AccessDenied"):
            raise
