"""Workflows in and out of a running Weft, over its REST API."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import httpx
from weft_contracts.errors import ErrorCode, WeftError


class Server:
    """The REST API with an API key. Raises WeftError with the API's own words."""

    def __init__(self, base: str, api_key: str) -> None:
        self._http = httpx.Client(
            base_url=f"{base.rstrip('/')}/api/v1", headers={"X-API-Key": api_key}, timeout=60
        )

    def call(self, method: str, path: str, content: bytes | None = None) -> httpx.Response:
        """Raises UNAVAILABLE where there is no Weft, or it is not ready; BAD_REQUEST where it refuses."""
        try:
            answer = self._http.request(
                method, path, content=content, headers={"Content-Type": "application/json"}
            )
        except httpx.HTTPError as error:
            raise WeftError(
                ErrorCode.UNAVAILABLE, f"Weft can't be reached at {self._http.base_url}: {error}"
            ) from None
        if answer.is_success and answer.headers.get("content-type", "").startswith("application/json"):
            return answer
        try:
            message = answer.json()["error"]["message"]
        except (ValueError, KeyError, TypeError):
            text = f"{answer.status_code} {answer.reason_phrase}"
            message = f"What answers at {self._http.base_url} is no Weft: {text}"
            raise WeftError(ErrorCode.UNAVAILABLE, message) from None
        away = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        raise WeftError(ErrorCode.UNAVAILABLE if away else ErrorCode.BAD_REQUEST, message)

    def workflows(self) -> Iterator[dict[str, Any]]:
        page, pages = 1, 1
        while page <= pages:
            answer = self.call("GET", f"/workflows?limit=250&sort=created_at&page={page}").json()
            yield from answer["data"]
            page, pages = page + 1, answer["pagination"]["total_pages"]


def import_workflows(
    base: str, api_key: str, files: tuple[Path, ...], *, publish: bool, as_json: bool
) -> int:
    """0 when every file was stored (and published); 1 when one was refused. Raises UNAVAILABLE."""
    server = Server(base, api_key)
    results: list[dict[str, Any]] = []
    for file in files:
        try:
            stored = server.call("POST", "/workflows/import", file.read_bytes()).json()["data"]
            for workflow in stored if isinstance(stored, list) else [stored]:
                if publish:
                    server.call("POST", f"/workflows/{workflow['id']}/activate")
                row = {
                    "file": str(file),
                    "id": workflow["id"],
                    "name": workflow["name"],
                    "issues": workflow["issues"],
                }
                results.append(row)
        except WeftError as error:
            if error.code is ErrorCode.UNAVAILABLE:
                raise
            results.append({"file": str(file), "error": error.message})
    if as_json:
        click.echo(json.dumps(results))
    else:
        for row in results:
            click.echo(_line(row), err="error" in row)
    return 1 if any("error" in row for row in results) else 0


def _line(row: dict[str, Any]) -> str:
    if "error" in row:
        return f"{row['file']}: {row['error']}"
    issues = "".join(f"\n    {issue['code']}: {issue['message']}" for issue in row["issues"])
    return f"{row['file']}: {row['name']} ({row['id']}){issues}"


def export_workflows(base: str, api_key: str, folder: Path, *, as_json: bool) -> int:
    """One file a workflow, named for it and its id. Raises VALIDATION_ERROR for a folder that can't be made."""
    server = Server(base, api_key)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeftError(ErrorCode.VALIDATION_ERROR, f"{folder} can't be made: {error.strerror}.") from None
    written = []
    for workflow in server.workflows():
        name = re.sub(r"[^A-Za-z0-9]+", "-", workflow["name"]).strip("-").lower() or "workflow"
        file = folder / f"{name}-{workflow['id'][-12:]}.json"  # ids begin with the time, alike for many
        file.write_bytes(server.call("GET", f"/workflows/{workflow['id']}/export").content)
        written.append(str(file))
    click.echo(json.dumps(written) if as_json else "\n".join(written))
    return 0
