"""Where a repository's remote is."""

from urllib.parse import urljoin

from weft_node_sdk.context import NodeRunError, RunContext

from weft_nodes.git_ import address
from weft_nodes.git_.address import Address
from weft_nodes.git_.program import Git

_REDIRECTS = {301, 302, 303, 307, 308}
_MOST = 5
_SECONDS = 60.0
_DISCOVERY = "/info/refs?service=git-upload-pack"


async def own(git: Git, held: list[tuple[str, str]]) -> tuple[str, Address]:
    """The remote that the present branch follows, else `origin`: its name and address. Raises NodeRunError where there
    is none, or more than one address."""
    branch = (await git.text("branch", "--show-current")).strip()
    # of several Git takes the last
    name = ["origin", *(value for key, value in held if key == f"branch.{branch}.remote")][-1]
    if name.startswith("-"):
        raise NodeRunError(f"'{name}' is no name of a remote", code="GIT_REFUSED")
    urls = [value for key, value in held if key == f"remote.{name}.url"]
    if len(urls) != 1:
        text = (
            f"The repository has no remote '{name}'"
            if not urls
            else f"The remote '{name}' has several addresses"
        )
        raise NodeRunError(text, code="GIT_FAILED")
    return name, address.parsed(urls[0])


async def settled(ctx: RunContext, given: Address) -> Address:
    """Where a repository has moved to at its server: Git itself follows no redirect, as that might lead anywhere, the
    credential with it. Raises NodeRunError where it leads to another server."""
    if given.scheme == "ssh":
        return given
    sign_in, separator, rest = given.text.partition("://")[2].rpartition("@")
    for _ in range(_MOST):
        url = f"{given.scheme}://{rest.rstrip('/')}{_DISCOVERY}"
        async with ctx.http.stream("GET", url, follow_redirects=False, timeout=_SECONDS) as answer:
            if answer.status not in _REDIRECTS:
                return given
            place = next((held for name, held in answer.headers if name.lower() == "location"), "")
        moved = urljoin(url, place)
        if not moved.endswith(_DISCOVERY):
            return given
        found = address.parsed(moved.removesuffix(_DISCOVERY))
        if found.host != given.host or (given.scheme, found.scheme) == ("https", "http"):
            raise NodeRunError(
                f"The repository has moved to {found.name}: use that address", code="GIT_FAILED"
            )
        rest = found.text.partition("://")[2].rpartition("@")[2]
        given = address.parsed(f"{found.scheme}://{sign_in}{separator}{rest}")
    raise NodeRunError("The repository's address redirects too often", code="GIT_FAILED")
