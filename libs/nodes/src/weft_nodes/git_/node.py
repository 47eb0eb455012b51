"""Git: repositories in the folders that nodes may use."""

import os
import shutil
import uuid
from collections.abc import Mapping
from typing import Any

from weft_node_sdk.context import Item, NodeRunError, OpenFolder, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import members, text_of, value

from weft_nodes.git_ import address, listings, remotes, settings
from weft_nodes.git_.program import Git, bare, repository

_LIMIT = 100
Settings = list[tuple[str, str]]


def _word(given: Any, name: str) -> str:
    """A name that Git can't take for an option. Raises NodeRunError."""
    text = text_of(given).strip()
    if not text or text.startswith("-") or not text.isprintable():
        raise NodeRunError(f"'{text}' is no name of a {name}")
    return text


def _paths(given: Any) -> list[str]:
    return [part for each in text_of(given).split(",") if (part := each.strip())]


def _limited(parameters: Mapping[str, Any]) -> list[str]:
    if parameters.get("returnAll") is True:
        return []
    limit = value(parameters.get("limit", _LIMIT))
    if isinstance(limit, bool) or not isinstance(limit, int | float) or limit < 1:
        raise NodeRunError(f"The limit {limit!r} is no number of entries")
    return [f"--max-count={int(limit)}"]


async def _clone(ctx: RunContext, parameters: Mapping[str, Any], secret: Mapping[str, Any]) -> None:
    """Into a folder of a name of its own, which takes its place when it is whole."""
    path = text_of(parameters.get("repositoryPath")).rstrip("/")
    parent, _, name = path.rpartition("/")
    if name.casefold() in {"", ".", "..", ".git"}:
        raise NodeRunError(f"The path '{path}' is none for a repository", code="FILE_REFUSED")
    source = await remotes.settled(ctx, address.parsed(text_of(parameters.get("sourceRepository")).strip()))
    parent = parent or ("/" if path.startswith("/") else ".")
    async with ctx.files.folder(parent, make=True) as folder, bare(ctx, folder) as git:
        temporary = f".clone-{uuid.uuid4().hex}"
        try:
            async with git.reaching(source, secret) as reaching:
                await reaching.run("clone", "--quiet", "--", source.text, temporary)
            _place(folder, temporary, name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True, dir_fd=folder.handle)


def _place(folder: OpenFolder, temporary: str, name: str) -> None:
    try:
        os.rename(temporary, name, src_dir_fd=folder.handle, dst_dir_fd=folder.handle)
    except OSError as error:
        text = f"The folder '{folder.path}/{name}' is there already, and not empty"
        raise NodeRunError(text, description=str(error.strerror), code="FILE_ERROR") from None


async def _switch(git: Git, name: str, options: Mapping[str, Any]) -> None:
    """To a branch, which is made where it is missing: from the remote's of the same name, else from `startPoint`."""
    force = ["--discard-changes"] if options.get("force") is True else []
    start = text_of(options.get("startPoint")).strip()
    held = await git.run("show-ref", "--verify", "--quiet", f"refs/heads/{name}", accepted=(0, 1))
    tracked = "" if start else await git.text("for-each-ref", "--format=%(refname)", f"refs/remotes/*/{name}")
    if held.code == 0 or len(tracked.splitlines()) == 1:
        await git.run("switch", "--quiet", *force, name)
    elif options.get("createBranch", True) is not False:
        await git.run(
            "switch", "--quiet", *force, "--create", name, *([_word(start, "start")] if start else [])
        )
        if options.get("setUpstream") is True:
            remote = _word(options.get("remoteName") or "origin", "remote")
            await git.run("config", f"branch.{name}.remote", remote)
            await git.run("config", f"branch.{name}.merge", f"refs/heads/{name}")
    else:
        raise NodeRunError(f"There is no branch '{name}'", code="GIT_FAILED")


async def _commit(git: Git, parameters: Mapping[str, Any]) -> None:
    options = members(parameters)
    if branch := text_of(options.get("branch")).strip():
        await _switch(git, _word(branch, "branch"), {})
    only = _paths(options.get("pathsToAdd"))
    if only:
        await git.run("add", "--", *only)
    clean = await git.run(
        "diff", "--cached", "--quiet", "--no-ext-diff", *(["--", *only] if only else []), accepted=(0, 1)
    )
    if clean.code != 0:
        message = text_of(parameters.get("message"))
        await git.run("commit", "--quiet", f"--message={message}", *(["--", *only] if only else []))


async def _push(git: Git, parameters: Mapping[str, Any], held: Settings, secret: Mapping[str, Any]) -> None:
    options = members(parameters)
    if branch := text_of(options.get("branch")).strip():
        await _switch(git, _word(branch, "branch"), {})
    if target := text_of(options.get("targetRepository")).strip():
        goal = address.parsed(target)
        async with git.reaching(goal, secret) as reaching:
            await reaching.run("push", "--quiet", "--", goal.text, "HEAD")
        return
    name, goal = await remotes.own(git, held)
    async with git.reaching(goal, secret) as reaching:
        if branch:
            await reaching.run("push", "--quiet", "--set-upstream", "--", name, branch)
        else:
            await reaching.run("push", "--quiet", "--", name)


async def _configure(git: Git, version: float, parameters: Mapping[str, Any]) -> None:
    name, text = _word(parameters.get("key"), "setting"), text_of(parameters.get("value"))
    if version >= 1.1 and name not in settings.CHOICES:
        raise NodeRunError(f"The Git setting '{name}' is none of the choices", code="GIT_REFUSED")
    settings.check(name)
    lowered = settings.lowered(name)
    if lowered.startswith("remote.") and lowered.endswith(".url"):
        address.parsed(text)
    how = "--add" if members(parameters).get("mode") == "append" else "--replace-all"
    await git.run("config", "--local", how, name, text)


def _listed(held: Settings) -> dict[str, Any]:
    found: dict[str, Any] = {"_file": ".git/config"}
    for name, text in held:
        if name not in found:
            found[name] = text
        elif isinstance(found[name], list):
            found[name].append(text)
        else:
            found[name] = [found[name], text]
    return found


async def _in_repository(
    ctx: RunContext, operation: str, parameters: Mapping[str, Any], secret: Mapping[str, Any]
) -> list[dict[str, Any]]:
    options = members(parameters)
    path, configures = text_of(parameters.get("repositoryPath")), operation == "addConfig"
    async with repository(ctx, path, configures=configures) as (git, held):
        match operation:
            case "add":
                await git.run("add", "--", *(_paths(parameters.get("pathsToAdd")) or ["."]))
            case "addConfig":
                await _configure(git, ctx.node.version, parameters)
            case "commit":
                await _commit(git, parameters)
            case "push":
                await _push(git, parameters, held, secret)
            case "fetch" | "pull" | "pushTags":
                name, goal = await remotes.own(git, held)
                async with git.reaching(goal, secret) as reaching:
                    match operation:
                        case "fetch":
                            await reaching.run("fetch", "--quiet", "--", name)
                        case "pull":
                            await reaching.run("pull", "--quiet", "--", name)
                        case _:
                            await reaching.run("push", "--quiet", "--tags", "--", name)
            case "listConfig":
                return [_listed(held)]
            case "log":
                file = text_of(options.get("file")).strip()
                only = ["--", file] if file else []
                words = ["log", "-z", listings.LOG_FORMAT, *_limited(parameters), *only]
                return listings.commits(await git.text(*words))
            case "reflog":
                reference = text_of(options.get("reference")).strip()
                only = [_word(reference, "reference"), "--"] if reference else []
                words = ["reflog", "show", "-z", listings.REFLOG_FORMAT, *_limited(parameters), *only]
                return listings.movements(await git.text(*words))
            case "status":
                words = ["status", "--porcelain=v2", "--branch", "--untracked-files=all", "-z"]
                return [listings.status(await git.text(*words))]
            case "switchBranch":
                branch = _word(parameters.get("branchName"), "branch")
                await _switch(git, branch, options)
                return [{"success": True, "branch": branch}]
            case "tag":
                await git.run("tag", _word(parameters.get("name"), "tag"))
            case "userSetup":
                return []
            case other:
                raise NodeRunError(f"The operation '{other}' is not known", code="UNSUPPORTED")
    return [{"success": True}]


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()

    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        operation = str(parameters.get("operation", "log"))
        secret: Mapping[str, Any] = {}
        if parameters.get("authentication") == "gitPassword":
            secret = await ctx.credential("gitPassword")
        if operation == "clone":
            await _clone(ctx, parameters, secret)
            return [made({"success": True}, index)]
        found = await _in_repository(ctx, operation, parameters, secret)
        return [made(each, index) for each in found]

    return [await map_items(ctx, handle)]
