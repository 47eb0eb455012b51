"""S3: buckets, folders and files."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

from weft_node_sdk.context import HttpBody, Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import NotConvertible, entries, members, shown, text_of, to_whole, value

from weft_nodes.files.kinds import type_of
from weft_nodes.s3.headers import headers_of
from weft_nodes.s3.service import Service, content_md5, listed

Json = dict[str, Any]
_NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
_DELETED: Final = 1000
"""Keys of one request, at most."""
_DONE: Final = {"success": True}


def _text(parameters: Mapping[str, Any], name: str) -> str:
    return text_of(parameters.get(name))


def _needed(parameters: Mapping[str, Any], name: str, what: str) -> str:
    if not (text := _text(parameters, name)):
        raise NodeRunError(f"The {what} is missing")
    return text


def _most(parameters: Mapping[str, Any]) -> int | None:
    if parameters.get("returnAll") is True:
        return None
    given = value(parameters.get("limit", 100))
    try:
        most = to_whole(given)
    except NotConvertible:
        most = None
    if most is None or most < 0:
        raise NodeRunError(f"The limit {shown(given)} is no number", parameter=("limit",))
    return int(most)


def _beneath(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}" if folder else name


class _Run:
    def __init__(self, ctx: RunContext, service: Service) -> None:
        self._ctx = ctx
        self._service = service

    async def items(self, index: int, parameters: Json) -> list[Item]:
        name = f"{parameters.get('resource', 'file')}:{parameters.get('operation')}"
        operation = self._OPERATIONS.get(name)
        if operation is None:
            raise NodeRunError(f"The operation '{name}' is not known", code="UNSUPPORTED")
        found = await operation(self, index, parameters)
        return [made(each, index) for each in found] if isinstance(found, list) else [found]

    # --- buckets

    async def _create_bucket(self, _: int, parameters: Json) -> list[Json]:
        settings = members(parameters, "additionalFields")
        region = _text(settings, "region") or self._service.region
        body = ""
        if region != "us-east-1":
            place = f"<LocationConstraint>{escape(region)}</LocationConstraint>"
            body = f'<CreateBucketConfiguration xmlns="{_NAMESPACE}">{place}</CreateBucketConfiguration>'
        bucket = _needed(parameters, "name", "bucket's name")
        await self._service.request("PUT", bucket, headers=headers_of(settings), body=body.encode())
        return [_DONE]

    async def _delete_bucket(self, _: int, parameters: Json) -> list[Json]:
        await self._service.request("DELETE", _needed(parameters, "name", "bucket's name"))
        return [_DONE]

    async def _all_buckets(self, _: int, parameters: Json) -> list[Json]:
        found = await self._service.document("GET")
        held = found.get("Buckets")
        return listed(held.get("Bucket") if isinstance(held, dict) else None)[: _most(parameters)]

    async def _search_bucket(self, _: int, parameters: Json) -> list[Json]:
        settings = members(parameters, "additionalFields")
        named = {"prefix": "prefix", "delimiter": "delimiter", "start-after": "startAfter"}
        query = {name: text for name, field in named.items() if (text := _text(settings, field))}
        if encoding := _text(settings, "encodingType"):
            query["encoding-type"] = encoding
        bucket = _needed(parameters, "bucketName", "bucket's name")
        return [each async for each in self._listed(bucket, query, settings, _most(parameters))]

    async def _listed(
        self, bucket: str, query: Mapping[str, str], settings: Mapping[str, Any], most: int | None
    ) -> AsyncIterator[Json]:
        if settings.get("fetchOwner") is True:
            query = {**query, "fetch-owner": "true"}
        async for each in self._service.entries(bucket, query, headers_of(settings), most):
            await self._ctx.checkpoint()
            yield each

    # --- folders

    async def _create_folder(self, _: int, parameters: Json) -> list[Json]:
        settings = members(parameters, "additionalFields")
        name = _needed(parameters, "folderName", "folder's name").strip("/")
        key = _beneath(_text(settings, "parentFolderKey"), f"{name}/")
        bucket = _needed(parameters, "bucketName", "bucket's name")
        await self._service.request("PUT", bucket, key, headers=headers_of(settings))
        return [_DONE]

    async def _all_folders(self, _: int, parameters: Json) -> list[Json]:
        return await self._many(parameters, lambda key: key.endswith("/"), {})

    async def _many(
        self, parameters: Json, wanted: Callable[[str], bool], query: Mapping[str, str]
    ) -> list[Json]:
        """Entries of a bucket by what their keys are like, as many as are asked for."""
        settings, most = members(parameters), _most(parameters)
        bucket, found = _needed(parameters, "bucketName", "bucket's name"), list[Json]()
        if prefix := _text(settings, "folderKey"):
            query = {**query, "prefix": prefix}
        if most == 0:
            return found
        async for each in self._listed(bucket, query, settings, None):
            if wanted(str(each.get("Key", ""))):
                found.append(each)
                if len(found) == most:
                    break
        return found

    async def _delete_folder(self, _: int, parameters: Json) -> list[Json]:
        """With all that is beneath; without anything the key itself goes."""
        bucket = _needed(parameters, "bucketName", "bucket's name")
        folder = _needed(parameters, "folderKey", "folder's key")
        prefix = f"{folder.rstrip('/')}/"
        keys = [str(each["Key"]) async for each in self._listed(bucket, {"prefix": prefix}, {}, None)]
        if not keys:
            await self._service.request("DELETE", bucket, folder)
            return [{"deleted": [{"Key": folder}]}]
        deleted: list[Json] = []
        for start in range(0, len(keys), _DELETED):
            await self._ctx.checkpoint()
            deleted += await self._delete_keys(bucket, keys[start : start + _DELETED])
        return [{"deleted": deleted[0] if len(deleted) == 1 else deleted}]

    async def _delete_keys(self, bucket: str, keys: list[str]) -> list[Json]:
        objects = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in keys)
        body = f'<Delete xmlns="{_NAMESPACE}">{objects}</Delete>'.encode()
        headers = {"content-md5": await content_md5(body), "content-type": "application/xml"}
        found = await self._service.document("POST", bucket, query={"delete": ""}, headers=headers, body=body)
        if errors := listed(found.get("Error")):
            first = errors[0]
            text = f"{len(errors)} of {len(keys)} keys stay, as '{first.get('Key')}': {first.get('Message')}"
            raise NodeRunError(f"S3: {text}", code="HTTP_ERROR")
        return [{"Key": each.get("Key")} for each in listed(found.get("Deleted"))]

    # --- files

    async def _all_files(self, _: int, parameters: Json) -> list[Json]:
        return await self._many(parameters, lambda key: not key.endswith("/"), {"delimiter": "/"})

    async def _delete_file(self, _: int, parameters: Json) -> list[Json]:
        bucket, key = self._file(parameters)
        version = _text(members(parameters), "versionId")
        await self._service.request("DELETE", bucket, key, query={"versionId": version} if version else {})
        return [_DONE]

    @staticmethod
    def _file(parameters: Json) -> tuple[str, str]:
        return (
            _needed(parameters, "bucketName", "bucket's name"),
            _needed(parameters, "fileKey", "file's key"),
        )

    async def _copy_file(self, _: int, parameters: Json) -> list[Json]:
        settings = members(parameters, "additionalFields")
        source = _needed(parameters, "sourcePath", "path of the file").removeprefix("/")
        target = _needed(parameters, "destinationPath", "path of the copy").removeprefix("/")
        if not all(bucket and key for bucket, _, key in (path.partition("/") for path in (source, target))):
            raise NodeRunError("A path has a bucket and a key, as /bucket/folder/file.txt")
        bucket, key = target.split("/", 1)
        headers = {"x-amz-copy-source": f"/{quote(source, safe='/~')}", **headers_of(settings)}
        return [await self._service.document("PUT", bucket, key, headers=headers)]

    async def _download_file(self, index: int, parameters: Json) -> Item:
        bucket, key = self._file(parameters)
        if key.endswith("/"):
            raise NodeRunError(f"'{key}' is a folder; a file's key is needed")
        name = key.rpartition("/")[2]
        async with self._service.stream("GET", bucket, key) as answer, self._ctx.create_binary() as writer:
            async for chunk in answer:
                await self._ctx.checkpoint()
                await writer.write(chunk)
            given = {field.lower(): held for field, held in answer.headers}.get("content-type", "")
            kind = given.partition(";")[0].strip()
            if kind in {"", "binary/octet-stream", "application/octet-stream"}:
                kind = type_of(name, writer.head)
            entry = await writer.store(mime_type=kind, file_name=name)
        item = self._ctx.items[index]
        field = _text(parameters, "binaryPropertyName") or "data"
        return {**made(item["json"], index), "binary": {**item.get("binary", {}), field: entry}}

    async def _upload_file(self, index: int, parameters: Json) -> list[Json]:
        name = _text(parameters, "fileName")
        if parameters.get("binaryData", True) is False:
            text = _text(parameters, "fileContent").encode()
            await self._put(parameters, name, type_of(name, text), text)
            return [_DONE]
        field = _text(parameters, "binaryPropertyName") or "data"
        async with self._ctx.open_binary(index, field) as reader:
            await self._put(parameters, name or reader.file_name, reader.mime_type, reader)
        return [_DONE]

    async def _put(self, parameters: Json, name: str, kind: str, body: bytes | HttpBody) -> None:
        if not name:
            raise NodeRunError("The file has no name")
        settings = members(parameters, "additionalFields")
        headers = {"content-type": kind, **headers_of(settings)}
        tags = {_text(tag, "key"): _text(tag, "value") for tag in entries(parameters, "tagsUi", "tagsValues")}
        if tags:
            headers["x-amz-tagging"] = urlencode(tags, quote_via=quote)
        if any(header.startswith("x-amz-object-lock") for header in headers):
            headers["content-md5"] = await content_md5(body)
        key = _beneath(_text(settings, "parentFolderKey"), name)
        bucket = _needed(parameters, "bucketName", "bucket's name")
        await self._service.request("PUT", bucket, key, headers=headers, body=body)

    _OPERATIONS: Final[Mapping[str, Callable[["_Run", int, Json], Awaitable[list[Json] | Item]]]] = {
        "bucket:create": _create_bucket,
        "bucket:delete": _delete_bucket,
        "bucket:getAll": _all_buckets,
        "bucket:search": _search_bucket,
        "file:copy": _copy_file,
        "file:delete": _delete_file,
        "file:download": _download_file,
        "file:getAll": _all_files,
        "file:upload": _upload_file,
        "folder:create": _create_folder,
        "folder:delete": _delete_folder,
        "folder:getAll": _all_folders,
    }


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    service = Service(ctx.http, await ctx.credential("s3"))
    return [await map_items(ctx, _Run(ctx, service).items)]
