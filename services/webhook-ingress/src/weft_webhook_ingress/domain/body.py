"""From the bytes of a request's body to what the item says about it; forms with files piece by piece."""

from typing import Any, Final, NamedTuple

import orjson
from python_multipart.decoders import Base64Decoder, QuotedPrintableDecoder
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.items import dumps_js, loads_js, unmarked
from weft_node_sdk.charsets import decoded
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.xml_reading import Shape, parsed

from weft_webhook_ingress.domain.forms import MOST_FIELDS, parse_form, put_field

NOTHING: Final = b"{}"
FORM: Final = "multipart/form-data"
MOST_FILES: Final = 1000
MOST_XML: Final = 250_000
"""Elements and attributes of an XML body: each costs memory by the hundred bytes."""
_XML = Shape(merge_attributes=False, normalize=True, lower_tags=True, trim=True)
"""n8n's, as seen in its answers (tests/compat/recorded/webhook.json)."""


class TooLargeError(Exception):
    """The body is over the limit, in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


def kind_of(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def is_text(kind: str) -> bool:
    """Whether such a body becomes a value in the item; others are files."""
    return _is_json(kind) or is_xml(kind) or _is_plain(kind) or kind == "application/x-www-form-urlencoded"


def _is_json(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json")


def is_xml(kind: str) -> bool:
    return kind in ("application/xml", "text/xml") or kind.endswith("+xml")


def _is_plain(kind: str) -> bool:
    return kind.startswith("text/")


def parse_text(data: bytes, content_type: str) -> bytes:
    """The JSON of `body`. Raises UNPROCESSABLE with the place for what is not what its content type says."""
    kind = kind_of(content_type)
    if not data:
        return NOTHING
    if _is_json(kind):
        return _json(data)
    if is_xml(kind):
        return _xml(_text(data, content_type))
    if _is_plain(kind):
        return orjson.dumps(_text(data, content_type))
    return orjson.dumps(parse_form(data.decode("utf-8", "replace"), nested=False))


def _json(data: bytes) -> bytes:
    try:
        value = loads_js(unmarked(data))
    except WeftError as error:
        message = f"Failed to parse request body: {error.message}"
        raise WeftError(ErrorCode.UNPROCESSABLE, message, **error.details) from None
    try:
        return orjson.dumps(value)
    except TypeError:  # integers over 64 bits
        return dumps_js(value)


def _xml(text: str) -> bytes:
    try:
        return orjson.dumps(parsed(text, _XML, most=MOST_XML))
    except NodeRunError as error:
        message = f"Failed to parse request body: {error.message}"
        raise WeftError(ErrorCode.UNPROCESSABLE, message) from None


def _text(data: bytes, content_type: str) -> str:
    charset = parse_options_header(content_type.encode("latin-1", "replace"))[1].get(b"charset", b"utf-8")
    return decoded(data, charset.decode("latin-1"))


class FilePart(NamedTuple):
    """A file of a form begins; its bytes follow, and None ends it."""

    name: str
    file_name: str
    mime_type: str


Event = FilePart | bytes | None


class Form:
    """A multipart form that is read as it comes. `fields` is what `body` will be; `most`: bytes of all fields."""

    def __init__(self, content_type: str, most: int) -> None:
        """Raises UNPROCESSABLE."""
        self.fields: dict[str, Any] = {}
        self._most = most
        self._left = most
        self._count = 0
        self._files = 0
        self._events: list[Event] = []
        self._headers: dict[bytes, bytes] = {}
        self._header: list[bytearray] = [bytearray(), bytearray()]
        self._field: tuple[str, bytearray] | None = None
        self._sink: Any = self
        boundary = parse_options_header(content_type.encode("latin-1", "replace"))[1].get(b"boundary")
        if not boundary:
            raise _malformed("no boundary is named")
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._headers.clear,
                    "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers,
                    "on_part_data": lambda data, start, end: self._sink.write(data[start:end]),
                    "on_part_end": self._on_part_end,
                },
            )
        except FormParserError as error:
            raise _malformed(error) from None

    def feed(self, chunk: bytes) -> list[Event]:
        """What these bytes brought of files. Raises UNPROCESSABLE, TooLargeError."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _malformed(error) from None
        return self._taken()

    def finish(self) -> list[Event]:
        try:
            self._parser.finalize()
        except FormParserError as error:
            raise _malformed(error) from None
        return self._taken()

    def _taken(self) -> list[Event]:
        taken, self._events = self._events, []
        return taken

    def write(self, data: bytes) -> int:
        """Bytes of the present part, decoded."""
        if self._field is None:
            self._events.append(data)
        else:
            self._left -= len(data)
            if self._left < 0:
                raise TooLargeError(self._most)
            self._field[1].extend(data)
        return len(data)

    def finalize(self) -> None:
        """For the decoders."""

    def _on_header_end(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value).strip(b" \t")
        self._header = [bytearray(), bytearray()]

    def _on_headers(self) -> None:
        self._count += 1
        if self._count > MOST_FIELDS:
            raise WeftError(ErrorCode.BAD_REQUEST, f"The form has more than {MOST_FIELDS} fields.")
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        if b"name" not in options:
            raise _malformed("a part has no name")
        name = _decoded(options[b"name"])
        decoders = {b"base64": Base64Decoder, b"quoted-printable": QuotedPrintableDecoder}
        encoding = self._headers.get(b"content-transfer-encoding", b"").lower()
        self._sink = decoders[encoding](self) if encoding in decoders else self
        if b"filename" not in options:
            self._field = (name, bytearray())
            return
        self._files += 1
        if self._files > MOST_FILES:
            raise WeftError(ErrorCode.BAD_REQUEST, f"The form has more than {MOST_FILES} files.")
        self._field = None
        kind = _decoded(self._headers.get(b"content-type", b""))
        self._events.append(FilePart(name, _decoded(options[b"filename"]), kind))

    def _on_part_end(self) -> None:
        self._sink.finalize()
        if self._field is None:
            self._events.append(None)
        else:
            put_field(self.fields, self._field[0], _decoded(bytes(self._field[1])))


def names_of(given: list[str], binary_name: str) -> list[str]:
    """The properties of `binary` for files by their fields' names: the option's with a number behind, or the field's
    own, with a number where it came more than once."""
    if binary_name:
        return [f"{binary_name}{number}" for number in range(len(given))]
    plain = [name.removesuffix("[]") for name in given]
    return [
        f"{name}{plain[:number].count(name)}" if plain.count(name) > 1 else name
        for number, name in enumerate(plain)
    ]


def _malformed(reason: object) -> WeftError:
    message = f"Failed to parse request body: malformed multipart/form-data: {reason}"
    return WeftError(ErrorCode.UNPROCESSABLE, message)


def _decoded(value: bytes) -> str:
    return value.decode("utf-8", "replace")
