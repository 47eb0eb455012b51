"""From the bytes of a request's body to what the item says about it, and the files that came along."""

from typing import Any, Final, NamedTuple

import orjson
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import FormParser, parse_options_header
from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.items import dumps_js, loads_js

from weft_webhook_ingress.domain.forms import parse_form, put_field

NOTHING: Final = b"{}"
_XML = ("application/xml", "application/xhtml+xml")


class Upload(NamedTuple):
    """A file that came with a call: the property of the item's `binary`, and the file."""

    name: str
    file_name: str
    mime_type: str
    data: bytes


class Body(NamedTuple):
    """The JSON text of `body`, and files."""

    json: bytes
    uploads: tuple[Upload, ...] = ()


def parse_body(data: bytes, content_type: str, *, raw: bool = False, binary_name: str = "") -> Body:
    """`raw`: the bytes as a file, too (and then nothing is refused). `binary_name`: the option "Field name for
    binary data". Raises UNPROCESSABLE with the place for what is not what its content type says."""
    if not data:
        return Body(NOTHING)
    kind = content_type.partition(";")[0].strip().lower()
    if not raw:
        return _parse(data, content_type, kind, binary_name)
    try:
        parsed = _parse(data, content_type, kind, binary_name)
    except WeftError:
        parsed = Body(NOTHING)
    whole = Upload(binary_name or "data", "", kind or "application/octet-stream", data)
    return Body(parsed.json, (whole,))


def _parse(data: bytes, content_type: str, kind: str, binary_name: str) -> Body:
    if kind == "application/json" or kind.endswith("+json"):
        return Body(_json(data))
    if kind == "application/x-www-form-urlencoded":
        return Body(orjson.dumps(parse_form(data.decode("utf-8", "replace"))))
    if kind == "multipart/form-data":
        return _multipart(data, content_type, binary_name)
    if kind.startswith("text/") or kind in _XML or kind.endswith("+xml"):
        return Body(orjson.dumps(_text(data, content_type)))
    upload = Upload(binary_name or "data", "", kind or "application/octet-stream", data)
    return Body(NOTHING, (upload,))


def _json(data: bytes) -> bytes:
    try:
        value = loads_js(data)
    except WeftError as error:
        message = f"Failed to parse request body: {error.message}"
        raise WeftError(ErrorCode.UNPROCESSABLE, message, **error.details) from None
    try:
        return orjson.dumps(value)
    except TypeError:  # integers over 64 bits
        return dumps_js(value)


def _text(data: bytes, content_type: str) -> str:
    charset = parse_options_header(content_type.encode("latin-1", "replace"))[1].get(b"charset", b"utf-8")
    try:
        return data.decode(charset.decode("latin-1"), "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def _multipart(data: bytes, content_type: str, binary_name: str) -> Body:
    """Fields make `body`; each file takes its field's name, or the option's with a number behind."""
    _, options = parse_options_header(content_type.encode("latin-1", "replace"))
    fields: dict[str, Any] = {}
    files: list[tuple[str, Any]] = []

    def on_field(field: Any) -> None:
        name, value = _decoded(field.field_name), field.value
        put_field(fields, name, _decoded(value))

    def on_file(file: Any) -> None:
        files.append((_decoded(file.field_name), file))

    try:
        parser = FormParser(
            "multipart/form-data",
            on_field,
            on_file,
            boundary=options.get(b"boundary"),
            config={"MAX_MEMORY_FILE_SIZE": len(data) + 1},  # it is in memory already
        )
        parser.write(data)
        parser.finalize()
    except FormParserError as error:
        message = f"Failed to parse request body: malformed multipart/form-data: {error}"
        raise WeftError(ErrorCode.UNPROCESSABLE, message) from None
    return Body(orjson.dumps(fields), tuple(_uploads(files, binary_name)))


def _uploads(files: list[tuple[str, Any]], binary_name: str) -> list[Upload]:
    names = [name.removesuffix("[]") for name, _ in files]
    found = []
    for number, (name, (_, file)) in enumerate(zip(names, files, strict=True)):
        if binary_name:
            name = f"{binary_name}{number}"  # noqa: PLW2901
        elif names.count(name) > 1:
            name = f"{name}{names[:number].count(name)}"  # noqa: PLW2901
        file.file_object.seek(0)
        found.append(
            Upload(name, _decoded(file.file_name), _decoded(file.content_type), file.file_object.read())
        )
        file.close()
    return found


def _decoded(value: bytes | str | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""
