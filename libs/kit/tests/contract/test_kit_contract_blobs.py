"""What holds of every blob store: plain and sealed folders, and a bucket at moto's server, which checks signatures."""

import io
import os
import time
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_kit.blobs import BlobStore, s3
from weft_kit.blobs.folder import FolderBlobs
from weft_kit.blobs.opening import blobs_of
from weft_kit.settings import CoreSettings

MASTER = SecretStr("m" * 32)


class Bucket:
    """A service with one bucket, and the key that may use it."""

    def __init__(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        self.url = "http://{}:{}".format(*self._server.get_host_and_port())
        named = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "y"}
        iam = boto3.client("iam", endpoint_url=self.url, **named)
        iam.create_user(UserName="weft")
        policy = (
            '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'
        )
        iam.put_user_policy(UserName="weft", PolicyName="blobs", PolicyDocument=policy)
        self.key = iam.create_access_key(UserName="weft")["AccessKey"]
        httpx.post(f"{self.url}/moto-api/reset-auth", content=b"0").raise_for_status()
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.key["AccessKeyId"],
            aws_secret_access_key=self.key["SecretAccessKey"],
        )
        self.name = f"b{uuid4().hex}"
        self.client.create_bucket(Bucket=self.name)

    def settings(self, home: Path, **other: Any) -> CoreSettings:
        named = {
            "blob_url": f"s3://{self.name}/{uuid4().hex}/deep",
            "blob_s3_endpoint": self.url,
            "blob_s3_access_key": SecretStr(self.key["AccessKeyId"]),
            "blob_s3_secret_key": SecretStr(self.key["SecretAccessKey"]),
            **other,
        }
        return CoreSettings.load(home=home, master_key=MASTER, **named)

    def objects(self) -> list[Any]:
        found: list[Any] = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return found

    def stop(self) -> None:
        # one setting of all servers of this process: the next one is asked by callers without a key
        httpx.post(f"{self.url}/moto-api/reset-auth", content=b"inf").raise_for_status()
        self._server.stop()


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    bucket = Bucket()
    yield bucket
    bucket.stop()


@pytest.fixture(params=["plain", "sealed", "s3"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path, bucket: Bucket) -> AsyncIterator[BlobStore]:
    if request.param == "plain":
        yield FolderBlobs(tmp_path / "blobs")
    elif request.param == "sealed":
        yield blobs_of(CoreSettings.load(home=tmp_path, master_key=MASTER))
    else:
        yield blobs_of(bucket.settings(tmp_path))


async def refused(code: ErrorCode, call: Any) -> str:
    with pytest.raises(WeftError) as caught:
        await call
    assert caught.value.code is code
    return caught.value.message


async def opened(blobs: BlobStore, key: str, use: Callable[[Any], Any]) -> Any:
    async with blobs.open(key) as file:
        return use(file)


async def test_put_get_delete(blobs: BlobStore) -> None:
    await blobs.put("g/a", b"1")
    await blobs.put("g/a", b"2")
    await blobs.put("g/b", b"")
    assert [await blobs.get("g/a"), await blobs.get("g/b")] == [b"2", b""]
    await blobs.delete("g/a")
    await blobs.delete("g/a")
    assert "g/a" in await refused(ErrorCode.NOT_FOUND, blobs.get("g/a"))
    await refused(ErrorCode.NOT_FOUND, opened(blobs, "g/a", len))


@pytest.mark.parametrize("size", [1, 65535, 65536, 65537, 9_000_000])
async def test_any_part_of_a_file_is_read_alone(blobs: BlobStore, size: int) -> None:
    data = os.urandom(size)
    await blobs.put("g/files/a", data)
    async with blobs.open("g/files/a") as file:
        assert file.seek(0, io.SEEK_END) == size
        for start in (0, size // 2, size - 1, size, size + 10):
            file.seek(start)
            assert file.read(100) == data[start : start + 100]
        file.seek(0)
        assert file.read() == data


async def test_a_library_may_go_back_and_forth_in_what_it_writes(blobs: BlobStore) -> None:
    parts = {f"{number}.bin": os.urandom(400_000) for number in range(20)}
    writer = await blobs.create("g/files/z")
    with zipfile.ZipFile(writer.file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    await refused(ErrorCode.NOT_FOUND, blobs.get("g/files/z"))
    await writer.commit()
    await writer.discard()
    async with blobs.open("g/files/z") as file:
        with zipfile.ZipFile(file) as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == parts


async def test_what_is_discarded_was_never_there(blobs: BlobStore) -> None:
    writer = await blobs.create("g/files/a")
    writer.file.write(b"data")
    await writer.discard()
    await writer.discard()
    await refused(ErrorCode.NOT_FOUND, blobs.get("g/files/a"))


async def test_a_group_goes_as_a_whole(blobs: BlobStore) -> None:
    one, two = new_id(), new_id()
    for key in (f"{one}/a", f"{one}/files/b", f"{two}/a", "no id/a"):
        await blobs.put(key, b"1")
    for group in (one, one, "no id"):
        await blobs.delete_group(group)
    for key in (f"{one}/a", f"{one}/files/b", "no id/a"):
        await refused(ErrorCode.NOT_FOUND, blobs.get(key))
    assert await blobs.get(f"{two}/a") == b"1"


async def test_groups_are_found_by_the_time_of_the_last_blob(blobs: BlobStore) -> None:
    ids = sorted(new_id() for _ in range(3))
    for each in [*ids, "no id"]:
        for name in ("a", "files/b"):
            await blobs.put(f"{each}/{name}", b"1")
    now = time.time()
    assert sorted([each async for found in blobs.groups(now + 60) for each in found]) == ids
    assert [each async for found in blobs.groups(now + 60, now + 30) for each in found] == []
    assert [each async for found in blobs.groups(now - 60) for each in found] == []


async def test_files_that_nothing_names_go_and_payloads_stay(blobs: BlobStore) -> None:
    for key in ("g/files/a", "g/files/b", "g/trigger", "h/files/b"):
        await blobs.put(key, b"1")
    await blobs.retain_files("g", ["g/files/a", "g/files/none"])
    await blobs.retain_files("none", [])
    for key in ("g/files/a", "g/trigger", "h/files/b"):
        assert await blobs.get(key) == b"1"
    await refused(ErrorCode.NOT_FOUND, blobs.get("g/files/b"))


async def test_a_large_file_goes_in_parts_of_which_few_are_in_memory(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = blobs_of(bucket.settings(tmp_path))
    piece = os.urandom(1_000_000)
    writer = await blobs.create("g/files/large")
    for _ in range(40):
        writer.file.write(piece)
    assert not list((tmp_path / "scratch").iterdir())  # a crash leaves nothing
    await writer.commit()
    (stored,) = (each for each in bucket.objects() if each["Size"] > 40_000_000)
    assert stored["ETag"].strip('"').endswith("-5")  # parts of 8 MiB
    head = bucket.client.get_object(Bucket=bucket.name, Key=stored["Key"])["Body"].read()
    assert piece[:64] not in head
    async with blobs.open("g/files/large") as file:
        file.seek(39_500_000)
        assert file.read() == piece[500_000:]


async def test_a_store_out_of_reach_is_unavailable_and_tells_nothing(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "TRY_SECONDS", 1)
    gone = blobs_of(bucket.settings(tmp_path, blob_s3_endpoint="http://127.0.0.1:9"))
    wrong = blobs_of(bucket.settings(tmp_path, blob_s3_secret_key=SecretStr("guessed secret")))
    for blobs in (gone, wrong):
        writer = await blobs.create("g/files/a")
        writer.file.write(b"data")
        calls = [
            writer.commit(),
            blobs.put("g/a", b"1"),
            blobs.get("g/a"),
            opened(blobs, "g/a", len),
            blobs.delete("g/a"),
            blobs.delete_group("g"),
            blobs.retain_files("g", []),
        ]
        for call in calls:
            told = await refused(ErrorCode.UNAVAILABLE, call)
            assert "secret" not in told
            assert "127.0.0.1" not in told
        await writer.discard()


async def test_a_bucket_that_is_not_there_may_come(bucket: Bucket, tmp_path: Path) -> None:
    blobs = blobs_of(bucket.settings(tmp_path, blob_url="s3://missing-bucket"))
    writer = await blobs.create("g/files/a")
    writer.file.write(b"data")
    for call in (writer.commit(), blobs.put("g/a", b"1")):
        assert "bucket" in await refused(ErrorCode.UNAVAILABLE, call)
    bucket.client.create_bucket(Bucket="missing-bucket")
    await writer.commit()
    assert await blobs.get("g/files/a") == b"data"


@pytest.mark.parametrize(
    "wrong",
    [
        {"blob_url": "s3://"},
        {"blob_url": "s3:///prefix"},
        {"blob_url": "s3://No Bucket/x"},
        {"blob_s3_endpoint": "store:9000"},
        {"blob_s3_secret_key": SecretStr("")},
    ],
)
def test_wrong_settings_are_said_at_once(bucket: Bucket, tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(WeftError, match="WEFT_BLOB_") as caught:
        blobs_of(bucket.settings(tmp_path, **wrong))
    assert caught.value.code is ErrorCode.VALIDATION_ERROR


async def test_an_object_of_another_place_or_installation_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    settings = bucket.settings(tmp_path)
    blobs = blobs_of(settings)
    await blobs.put("g/a", b"mine")
    await blobs.put("g/b", b"other")
    prefix = settings.blob_url.partition(bucket.name)[2].strip("/")
    one, two = (each["Key"] for each in bucket.objects() if each["Key"].startswith(prefix))
    bucket.client.copy_object(Bucket=bucket.name, Key=two, CopySource={"Bucket": bucket.name, "Key": one})
    found = [await _said(blobs, "g/a"), await _said(blobs, "g/b")]
    assert sum("is damaged" in each for each in found) == 1
    other = blobs_of(settings.model_copy(update={"master_key": SecretStr("n" * 32)}))
    assert "another WEFT_MASTER_KEY" in await _said(other, "g/a")


@pytest.mark.parametrize("where", ["folder", "bucket"])
async def test_keys_of_blobs_are_sealed_with_a_new_master_key(
    bucket: Bucket, tmp_path: Path, where: str
) -> None:
    old = (
        bucket.settings(tmp_path)
        if where == "bucket"
        else CoreSettings.load(home=tmp_path, master_key=MASTER)
    )
    keys = {"g/a": b"", "g/files/b": os.urandom(200_000), f"{new_id()}/c": b"small"}
    for key, data in keys.items():
        await blobs_of(old).put(key, data)
    new = old.model_copy(update={"master_key": SecretStr("n" * 32)})
    both = new.model_copy(update={"master_key_previous": MASTER})
    assert "another WEFT_MASTER_KEY" in await refused(ErrorCode.INTERNAL, blobs_of(new).rewrap())
    await blobs_of(both).put("g/d", b"new")
    assert {key: await blobs_of(both).get(key) for key in keys} == keys
    assert await blobs_of(both).rewrap() == (3, 0)
    assert await blobs_of(both).rewrap() == (0, 0)
    assert {key: await blobs_of(new).get(key) for key in keys} == keys
    assert "another WEFT_MASTER_KEY" in await _said(blobs_of(old), "g/a")


async def _said(blobs: BlobStore, key: str) -> str:
    try:
        return (await blobs.get(key)).decode()
    except WeftError as error:
        return error.message
