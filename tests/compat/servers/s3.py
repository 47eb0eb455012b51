"""S3: buckets, folders and files, by moto."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import httpx
from moto.server import ThreadedMotoServer

from tests.compat.cases.build import Case, named, node
from tests.compat.cases.files import BYTES, SEEN, TEXT_FILE
from tests.compat.servers.served import HOST, Served, asked, chain

BUCKET = "compat"


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    moto = ThreadedMotoServer(ip_address=HOST, port=0, verbose=False)
    moto.start()
    url = "http://{}:{}".format(*moto.get_host_and_port())
    client = boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y"
    )

    def reset() -> None:
        # all servers of a process share what they hold
        httpx.post(f"{url}/moto-api/reset").raise_for_status()
        client.create_bucket(Bucket=BUCKET)
        for key, body in {
            "a.txt": "Zoë\n",
            "b.json": '{"a": 1}',
            "in/c.txt": "c",
            "in/deep/d.txt": "d",
            "x y&z.txt": "e",
        }.items():
            client.put_object(Bucket=BUCKET, Key=key, Body=body.encode())
        client.put_object(Bucket=BUCKET, Key="made/", Body=b"")

    secret = {
        "endpoint": url,
        "region": "us-east-1",
        "accessKeyId": "x",
        "secretAccessKey": "y",
        "forcePathStyle": True,
        "ignoreSSLIssues": False,
    }
    times = (r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"', '"<time>"')
    try:
        yield Served({"s3": secret}, reset, masks=[times])
    finally:
        moto.stop()


def _node(
    resource: str, operation: str, parameters: Mapping[str, Any], name: str = "Node", **extra: Any
) -> dict[str, Any]:
    given = {"resource": resource, "operation": operation, **parameters}
    return asked("s3", "s3", 1, given, name, **extra)


def cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    on = {"onError": "continueRegularOutput"}
    seen = _node("file", "getAll", {"bucketName": BUCKET, "returnAll": True}, "Seen", executeOnce=True)

    def add(name: str, *nodes: Mapping[str, Any]) -> None:
        found[name] = chain(*nodes, rows=[{"n": 1, "key": "a.txt"}])

    buckets = _node("bucket", "getAll", {"returnAll": True}, "Seen")
    add("bucket create", _node("bucket", "create", {"name": "fresh"}, **on), buckets)
    add("bucket create again", _node("bucket", "create", {"name": BUCKET}, **on), buckets)
    add("bucket getAll", _node("bucket", "getAll", {}))
    add("bucket delete full", _node("bucket", "delete", {"name": BUCKET}, **on), buckets)
    add("bucket delete missing", _node("bucket", "delete", {"name": "nowhere"}, **on))
    for name, more in named(
        {
            "all": {"returnAll": True},
            "limit": {"limit": 2},
            "prefix": {"additionalFields": {"prefix": "in/"}},
            "delimiter": {"additionalFields": {"delimiter": "/"}},
        }
    ):
        add(f"bucket search {name}", _node("bucket", "search", {"bucketName": BUCKET, **more}, **on))
    for name, more in named(
        {
            "all": {"returnAll": True},
            "limit": {"limit": 2},
            "folder": {"returnAll": True, "options": {"folderKey": "in"}},
            "owner": {"returnAll": True, "options": {"fetchOwner": True}},
        }
    ):
        add(f"file getAll {name}", _node("file", "getAll", {"bucketName": BUCKET, **more}, **on))
        add(f"folder getAll {name}", _node("folder", "getAll", {"bucketName": BUCKET, **more}, **on))
    add("file getAll nowhere", _node("file", "getAll", {"bucketName": "nowhere"}, **on))
    for name, key in {
        "text": "a.txt",
        "json": "b.json",
        "deep": "in/deep/d.txt",
        "signs": "x y&z.txt",
        "missing": "none",
        "expression": "={{ $json.key }}",
        "folder": "made/",
    }.items():
        add(
            f"file download {name}",
            _node("file", "download", {"bucketName": BUCKET, "fileKey": key}, **on),
            SEEN,
        )
        add(
            f"file delete {name}", _node("file", "delete", {"bucketName": BUCKET, "fileKey": key}, **on), seen
        )
    empty = node("File", "noOp", 1, {}, 1)
    for name, source, more in (
        ("text", empty, {"fileName": "new.txt", "binaryData": False, "fileContent": "=Zoë {{ $json.n }}"}),
        ("file", TEXT_FILE, {"fileName": "new.csv"}),
        ("bytes", BYTES, {"fileName": "in/new.bin"}),
        ("unnamed", TEXT_FILE, {"fileName": ""}),
        ("folder", TEXT_FILE, {"fileName": "new.csv", "additionalFields": {"parentFolderKey": "in"}}),
        (
            "tags",
            TEXT_FILE,
            {"fileName": "new.csv", "tagsUi": {"tagsValues": [{"key": "k", "value": "v w"}]}},
        ),
        (
            "class",
            TEXT_FILE,
            {"fileName": "new.csv", "additionalFields": {"storageClass": "standardIA", "acl": "publicRead"}},
        ),
        ("no file", empty, {"fileName": "new.csv"}),
        ("nowhere", TEXT_FILE, {"fileName": "new.csv", "bucketName": "nowhere"}),
    ):
        add(
            f"file upload {name}", source, _node("file", "upload", {"bucketName": BUCKET, **more}, **on), seen
        )
    for name, old, new in (
        ("file", f"/{BUCKET}/a.txt", f"/{BUCKET}/z.txt"),
        ("missing", f"/{BUCKET}/none", f"/{BUCKET}/z.txt"),
    ):
        add(
            f"file copy {name}",
            _node("file", "copy", {"sourcePath": old, "destinationPath": new}, **on),
            seen,
        )
    for name, more in named(
        {
            "top": {"folderName": "f"},
            "within": {"folderName": "f", "additionalFields": {"parentFolderKey": "in"}},
        }
    ):
        add(f"folder create {name}", _node("folder", "create", {"bucketName": BUCKET, **more}, **on), seen)
    for name, key in {"full": "in", "empty": "made", "missing": "none"}.items():
        add(
            f"folder delete {name}",
            _node("folder", "delete", {"bucketName": BUCKET, "folderKey": key}, **on),
            seen,
        )
    return found
