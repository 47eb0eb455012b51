"""S3 against moto's server, which checks signatures, by the runner's own HTTP client."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer
from weft_node_runner.adapters.http import GuardedHttp
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import HttpAnswer, NodeRunError
from weft_node_sdk.testing.cases import evaluate, has_expressions
from weft_node_sdk.testing.fake import FakeContext, Request
from weft_nodes.s3.service import check

CATALOGUE = Catalogue.load()
DONE = [{"success": True}]


@dataclass(frozen=True)
class Server:
    url: str
    access: str
    secret: str

    def client(self, region: str = "us-east-1") -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=self.access,
            aws_secret_access_key=self.secret,
        )


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    url = "http://{}:{}".format(*moto.get_host_and_port())
    iam = boto3.client(
        "iam", endpoint_url=url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y"
    )
    iam.create_user(UserName="ada")
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    iam.put_user_policy(UserName="ada", PolicyName="all", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    httpx.post(f"{url}/moto-api/reset-auth", content=b"0").raise_for_status()
    yield Server(url, key["AccessKeyId"], key["SecretAccessKey"])
    # one setting of all servers of this process: the next one is asked by callers without a key
    httpx.post(f"{url}/moto-api/reset-auth", content=b"inf").raise_for_status()
    moto.stop()


@pytest.fixture
def secret(server: Server) -> dict[str, Any]:
    return {
        "endpoint": server.url,
        "region": "us-east-1",
        "accessKeyId": server.access,
        "secretAccessKey": server.secret,
        "forcePathStyle": True,
    }


@pytest.fixture
def bucket(server: Server) -> str:
    name = f"b{uuid4().hex}"
    server.client().create_bucket(Bucket=name)
    return name


@pytest.fixture
async def http(server: Server) -> AsyncIterator[GuardedHttp]:
    client = GuardedHttp([urlsplit(server.url).netloc])
    yield client
    await client.close()


@pytest.fixture
def node(http: GuardedHttp, secret: dict[str, Any]) -> "Node":
    return Node(http, secret)


class Node:
    def __init__(self, http: GuardedHttp | None, secret: dict[str, Any], serve: Any = None) -> None:
        self._http = http
        self.secret = secret
        self._serve = serve

    def context(self, items: list[Any], on_error: str, parameters: dict[str, Any]) -> FakeContext:
        ctx = FakeContext(
            CATALOGUE.fill_defaults("s3", 1, parameters),
            [items],
            version=1,
            type="s3",
            credentials={"s3": self.secret},
            evaluate_value=evaluate if has_expressions(parameters) else None,
            on_error=on_error,
            serve=self._serve,
        )
        if self._http is not None:
            ctx.http = self._http
        return ctx

    async def whole(
        self, what: str, items: Any = ({"json": {}},), on_error: str = "stopWorkflow", **parameters: Any
    ) -> tuple[list[Any], FakeContext]:
        resource, operation = what.split(":")
        given = {"resource": resource, "operation": operation, **parameters}
        ctx = self.context(list(items), on_error, given)
        (found,) = await CATALOGUE.implementation("s3")(ctx)
        return found, ctx

    async def run(self, *given: Any, **named: Any) -> list[Any]:
        found, _ = await self.whole(*given, **named)
        return [each["json"] for each in found]


def with_file(data: bytes, name: str = "h.txt", kind: str = "text/plain", **json_fields: Any) -> Any:
    from base64 import b64encode

    entry = {"data": b64encode(data).decode(), "mimeType": kind, "fileName": name}
    return {"json": json_fields, "binary": {"data": entry}}


KEYS = ["a.txt", "x y+é&?#%20~.txt", "f1/f2/ü (1)=$@:;,.txt", "a//b", "/slash", "-._~!*'()"]


@pytest.mark.parametrize("key", KEYS)
async def test_a_file_goes_up_and_comes_down(node: Node, server: Server, bucket: str, key: str) -> None:
    found, _ = await node.whole(
        "file:upload", [with_file(b"\0hello", kind="image/png")], bucketName=bucket, fileName=key
    )
    assert found == [{"json": {"success": True}, "pairedItem": {"item": 0}}]
    held = server.client().get_object(Bucket=bucket, Key=key)
    assert (held["Body"].read(), held["ContentType"]) == (b"\0hello", "image/png")
    items, ctx = await node.whole(
        "file:download",
        [with_file(b"other", a=1)],
        bucketName=bucket,
        fileKey=key,
        binaryPropertyName="got",
    )
    (item,) = items
    assert (item["json"], item["pairedItem"], sorted(item["binary"])) == (
        {"a": 1},
        {"item": 0},
        ["data", "got"],
    )
    entry = item["binary"]["got"]
    assert ctx.stored[entry["id"]] == b"\0hello"
    assert (entry["fileName"], entry["mimeType"], entry["bytes"]) == (
        key.rpartition("/")[2],
        "image/png",
        6,
    )


async def test_large_files_are_streams(node: Node, server: Server, bucket: str) -> None:
    data = bytes(range(256)) * 20_000
    await node.run("file:upload", [with_file(data, "large.bin")], bucketName=bucket)
    assert server.client().get_object(Bucket=bucket, Key="large.bin")["Body"].read() == data
    items, ctx = await node.whole("file:download", bucketName=bucket, fileKey="large.bin")
    assert ctx.stored[items[0]["binary"]["data"]["id"]] == data


async def test_texts_and_settings_of_a_file(node: Node, server: Server, bucket: str) -> None:
    await node.run(
        "file:upload",
        bucketName=bucket,
        fileName="a.csv",
        binaryData=False,
        fileContent="é,1",
        tagsUi={"tagsValues": [{"key": "k+1", "value": "v w"}, {"key": "n", "value": "2"}]},
        additionalFields={
            "parentFolderKey": "in/here",
            "acl": "publicRead",
            "storageClass": "standardIA",
            "serverSideEncryption": "AES256",
            "requesterPays": True,
        },
    )
    client, where = server.client(), {"Bucket": bucket, "Key": "in/here/a.csv"}
    head = client.get_object(**where)
    assert (head["Body"].read(), head["ContentType"]) == ("é,1".encode(), "text/csv")
    assert (head["StorageClass"], head["ServerSideEncryption"]) == ("STANDARD_IA", "AES256")
    tags = {tag["Key"]: tag["Value"] for tag in client.get_object_tagging(**where)["TagSet"]}
    assert tags == {"k+1": "v w", "n": "2"}
    grants = client.get_object_acl(**where)["Grants"]
    assert any(grant["Permission"] == "READ" and "URI" in grant["Grantee"] for grant in grants)


async def test_locked_files(node: Node, server: Server) -> None:
    bucket = f"b{uuid4().hex}"
    await node.run("bucket:create", name=bucket, additionalFields={"bucketObjectLockEnabled": True})
    settings = {"lockMode": "governance", "lockRetainUntilDate": "2999-01-01T00:00:00", "lockLegalHold": True}
    await node.run("file:upload", [with_file(b"x", "kept.txt")], bucketName=bucket, additionalFields=settings)
    head = server.client().head_object(Bucket=bucket, Key="kept.txt")
    assert (head["ObjectLockMode"], head["ObjectLockLegalHoldStatus"]) == ("GOVERNANCE", "ON")
    assert head["ObjectLockRetainUntilDate"].year == 2999
    with pytest.raises(NodeRunError, match="'soon' is no date"):
        await node.run(
            "file:upload",
            [with_file(b"x")],
            bucketName=bucket,
            additionalFields={"lockRetainUntilDate": "soon"},
        )


async def test_buckets(node: Node, server: Server) -> None:
    names = [f"b{uuid4().hex}" for _ in range(3)]
    items = [{"json": {"n": name}} for name in names[:2]]
    assert await node.run("bucket:create", items, name="={{ $json.n }}") == DONE * 2
    elsewhere = {"region": "eu-west-1", "acl": "publicRead"}
    assert await node.run("bucket:create", name=names[2], additionalFields=elsewhere) == DONE
    found = await node.run("bucket:getAll", returnAll=True)
    assert {each["Name"] for each in found} >= set(names)
    assert all("CreationDate" in each for each in found)
    assert len(await node.run("bucket:getAll", limit=2)) == 2
    assert server.client().get_bucket_location(Bucket=names[2])["LocationConstraint"] == "eu-west-1"
    assert await node.run("bucket:delete", items, name="={{ $json.n }}") == DONE * 2
    with pytest.raises(NodeRunError, match="S3: NoSuchBucket: ") as caught:
        await node.run("bucket:delete", name=names[0])
    assert (caught.value.http_status, caught.value.item_index) == (404, 0)


async def test_a_bucket_is_searched(node: Node, server: Server, bucket: str) -> None:
    for key in ("a/1", "a/2", "b", "é"):
        server.client().put_object(Bucket=bucket, Key=key, Body=b"12345")

    async def keys(**given: Any) -> list[str]:
        return [each["Key"] for each in await node.run("bucket:search", bucketName=bucket, **given)]

    assert await keys() == ["a/1", "a/2", "b", "é"]
    assert await keys(limit=3) == ["a/1", "a/2", "b"]
    assert await keys(limit=0) == []
    assert await keys(additionalFields={"prefix": "a/"}) == ["a/1", "a/2"]
    assert await keys(additionalFields={"delimiter": "/"}) == ["b", "é"]
    assert await keys(additionalFields={"startAfter": "a/2"}) == ["b", "é"]
    assert await keys(additionalFields={"prefix": "é", "encodingType": "url"}) == ["%C3%A9"]
    (first, *_) = await node.run("bucket:search", bucketName=bucket, additionalFields={"fetchOwner": True})
    assert (first["Size"], first["StorageClass"], "ID" in first["Owner"]) == ("5", "STANDARD", True)


async def test_files_of_a_folder(node: Node, server: Server, bucket: str) -> None:
    for key in ("a.txt", "in/", "in/1.txt", "in/2.txt", "in/deep/3.txt"):
        server.client().put_object(Bucket=bucket, Key=key, Body=b"")

    async def keys(**given: Any) -> list[str]:
        return [each["Key"] for each in await node.run("file:getAll", bucketName=bucket, **given)]

    assert await keys() == ["a.txt"]
    assert await keys(options={"folderKey": "in/"}) == ["in/1.txt", "in/2.txt"]
    assert await keys(options={"folderKey": "in/"}, limit=1) == ["in/1.txt"]
    assert await keys(options={"folderKey": "none/"}, returnAll=True) == []


async def test_folders(node: Node, server: Server, bucket: str) -> None:
    given = {"bucketName": bucket}
    assert await node.run("folder:create", folderName="top", **given) == DONE
    below = {"parentFolderKey": "top", "storageClass": "RecudedRedundancy"}
    assert await node.run("folder:create", folderName="sub", additionalFields=below, **given) == DONE
    assert await node.run("folder:create", folderName="topmost", **given) == DONE
    for key in ("top/a & <b>.txt", "top/sub/c.txt"):
        server.client().put_object(Bucket=bucket, Key=key, Body=b"")
    found = await node.run("folder:getAll", returnAll=True, **given)
    assert [each["Key"] for each in found] == ["top/", "top/sub/", "topmost/"]
    assert [each["Key"] for each in await node.run("folder:getAll", limit=1, **given)] == ["top/"]
    inside = await node.run("folder:getAll", options={"folderKey": "top/"}, **given)
    assert [each["Key"] for each in inside] == ["top/", "top/sub/"]
    (gone,) = await node.run("folder:delete", folderKey="top", **given)
    assert {each["Key"] for each in gone["deleted"]} == {
        "top/",
        "top/sub/",
        "top/a & <b>.txt",
        "top/sub/c.txt",
    }
    assert await node.run("folder:delete", folderKey="topmost/", **given) == [
        {"deleted": {"Key": "topmost/"}}
    ]
    assert await node.run("folder:delete", folderKey="none", **given) == [{"deleted": [{"Key": "none"}]}]
    assert await node.run("bucket:search", **given) == []


async def test_copies(node: Node, server: Server, bucket: str) -> None:
    server.client().put_object(Bucket=bucket, Key="x y+é.txt", Body=b"hello")
    (copy,) = await node.run(
        "file:copy",
        sourcePath=f"/{bucket}/x y+é.txt",
        destinationPath=f"/{bucket}/deep/copy.txt",
        additionalFields={"storageClass": "glacier", "metadataDirective": "replace"},
    )
    assert copy["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    assert "LastModified" in copy
    head = server.client().head_object(Bucket=bucket, Key="deep/copy.txt")
    assert head["StorageClass"] == "GLACIER"
    for wrong in ("", bucket, f"/{bucket}/"):
        with pytest.raises(NodeRunError):
            await node.run("file:copy", sourcePath=wrong, destinationPath=f"/{bucket}/x")


async def test_versions_are_deleted(node: Node, server: Server, bucket: str) -> None:
    client = server.client()
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first, second = (client.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"] for _ in range(2))
    given = {"bucketName": bucket, "fileKey": "k"}
    assert await node.run("file:delete", options={"versionId": first}, **given) == DONE
    assert [each["VersionId"] for each in client.list_object_versions(Bucket=bucket)["Versions"]] == [second]
    assert await node.run("file:delete", **given) == DONE
    assert await node.run("bucket:search", bucketName=bucket) == []


async def test_errors_are_the_item_s(node: Node, server: Server, bucket: str) -> None:
    server.client().put_object(Bucket=bucket, Key="k", Body=b"x")
    items = [{"json": {"k": key}} for key in ("k", "none", "folder/", "a/../b", "")]
    found, _ = await node.whole(
        "file:download", items, "continueRegularOutput", bucketName=bucket, fileKey="={{ $json.k }}"
    )
    assert [each["pairedItem"]["item"] for each in found] == [0, 1, 2, 3, 4]
    assert [each["json"].get("error", "").partition(" ")[0] for each in found] == [
        "",
        "S3:",
        "'folder/'",
        "The",
        "The",
    ]
    assert "NoSuchKey" in found[1]["json"]["error"]
    with pytest.raises(NodeRunError, match="no file 'other'"):
        await node.run("file:upload", [with_file(b"x")], bucketName=bucket, binaryPropertyName="other")
    with pytest.raises(NodeRunError, match="has no name"):
        await node.run("file:upload", [with_file(b"x", "")], bucketName=bucket)
    with pytest.raises(NodeRunError, match="no name of a bucket"):
        await node.run("bucket:delete", name="evil.example/x")
    with pytest.raises(NodeRunError, match="name who gets it"):
        await node.run("bucket:create", name="abc", additionalFields={"grantRead": True})
    with pytest.raises(NodeRunError, match="BucketNotEmpty"):
        await node.run("bucket:delete", name=bucket)


async def test_who_may_not(node: Node, bucket: str, http: GuardedHttp) -> None:
    wrong = Node(http, {**node.secret, "secretAccessKey": "wrong-word"})
    with pytest.raises(NodeRunError, match="S3: SignatureDoesNotMatch") as caught:
        await wrong.run("bucket:search", bucketName=bucket)
    assert caught.value.http_status == 403
    assert "wrong-word" not in caught.value.message
    guarded = GuardedHttp([])
    with pytest.raises(NodeRunError) as refused:
        await Node(guarded, node.secret).run("bucket:getAll")
    assert refused.value.code == "ADDRESS_REFUSED"
    await guarded.close()
    with pytest.raises(NodeRunError, match="is no address of a service"):
        await Node(http, {**node.secret, "endpoint": "ftp://x"}).run("bucket:getAll")


async def test_lists_have_pages() -> None:
    """Of a thousand entries; the service gives no more at once."""
    asked: list[dict[str, str]] = []

    def serve(request: Request) -> HttpAnswer:
        query = dict(parse_qsl(urlsplit(request.url).query))
        asked.append(query)
        start = int(query.get("continuation-token", "0"))
        end = min(start + int(query.get("max-keys", "1000")), 2500)
        held = "".join(f"<Contents><Key>{number}</Key></Contents>" for number in range(start, end))
        more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{end}</NextContinuationToken>"
        return HttpAnswer(200, "OK", [], f"<List>{held}{more if end < 2500 else ''}</List>".encode())

    node = Node(None, {"endpoint": "s3.example.com", "accessKeyId": "a", "secretAccessKey": "s"}, serve)
    found = await node.run("bucket:search", bucketName="abc", returnAll=True)
    assert [each["Key"] for each in found] == [str(number) for number in range(2500)]
    assert [each.get("continuation-token") for each in asked] == [None, "1000", "2000"]
    asked.clear()
    assert len(await node.run("bucket:search", bucketName="abc", limit=1200)) == 1200
    assert [each["max-keys"] for each in asked] == ["1000", "200"]
    assert len(await node.run("file:getAll", bucketName="abc", limit=1001)) == 1001


async def test_a_credential_is_tried(node: Node) -> None:
    ctx = node.context([], "stopWorkflow", {})
    await check(ctx, node.secret)
    for name in ("secretAccessKey", "accessKeyId"):
        with pytest.raises(NodeRunError, match="S3: "):
            await check(ctx, {**node.secret, name: "wrong"})

    def denying(_: Request) -> HttpAnswer:
        return HttpAnswer(403, "Forbidden", [], b"<Error><Code>AccessDenied</Code></Error>")

    await check(Node(None, node.secret, denying).context([], "stopWorkflow", {}), node.secret)


EMPTY_LIST = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"


async def test_addresses_of_buckets() -> None:
    """By host where the credential doesn't say otherwise; https where the endpoint doesn't."""
    asked: list[Request] = []

    def serve(request: Request) -> HttpAnswer:
        asked.append(request)
        return HttpAnswer(200, "OK", [], EMPTY_LIST)

    secret = {"region": "r", "accessKeyId": "a", "secretAccessKey": "s", "ignoreSSLIssues": True}
    for endpoint in ("S3.example.com", "http://s3.example.com:80/base/", "https://s3.example.com:9000"):
        for in_path in (False, True):
            given = {**secret, "endpoint": endpoint, "forcePathStyle": in_path}
            await Node(None, given, serve).run("bucket:search", bucketName="abc")
    assert [each.url.partition("?")[0] for each in asked] == [
        "https://abc.s3.example.com/",
        "https://s3.example.com/abc",
        "http://abc.s3.example.com/base",
        "http://s3.example.com/base/abc",
        "https://abc.s3.example.com:9000/",
        "https://s3.example.com:9000/abc",
    ]
    assert all("/r/s3/aws4_request" in each.headers["Authorization"] for each in asked)
    assert {(each.options["verify"], each.options["follow_redirects"]) for each in asked} == {(False, False)}


@pytest.mark.parametrize("in_document", [True, False])
async def test_a_bucket_of_another_region_is_asked_for_there(in_document: bool) -> None:
    regions: list[str] = []

    def serve(request: Request) -> HttpAnswer:
        regions.append(request.headers["Authorization"].split("/")[2])
        if regions[-1] == "eu-west-1":
            return HttpAnswer(200, "OK", [], EMPTY_LIST)
        body = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"
        if in_document:
            return HttpAnswer(400, "Bad Request", [], body)
        return HttpAnswer(301, "Moved Permanently", [("X-Amz-Bucket-Region", "eu-west-1")], b"")

    secret = {"endpoint": "https://s3.example.com", "accessKeyId": "a", "secretAccessKey": "s"}
    items = [{"json": {}}] * 2
    assert await Node(None, secret, serve).run("bucket:search", items, bucketName="abc") == []
    assert regions == ["us-east-1", "eu-west-1", "eu-west-1"]


async def test_an_answer_that_is_no_document() -> None:
    def serve(_: Request) -> HttpAnswer:
        return HttpAnswer(502, "Bad Gateway", [], b"<html>no")

    secret = {"endpoint": "https://s3.example.com", "accessKeyId": "a", "secretAccessKey": "s"}
    with pytest.raises(NodeRunError, match="S3: the service answered 502 Bad Gateway"):
        await Node(None, secret, serve).run("bucket:getAll")
