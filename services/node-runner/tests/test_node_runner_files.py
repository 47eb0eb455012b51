"""Files of nodes: below the allowed folders and nowhere else."""

import asyncio
import os
from pathlib import Path

import pytest
from weft_node_runner.adapters.files import AllowedFiles
from weft_node_sdk.context import NodeRunError


@pytest.fixture
def files(tmp_path: Path) -> AllowedFiles:
    (tmp_path / "secret.txt").write_text("no")
    return AllowedFiles([tmp_path / "one", tmp_path / "two"])


async def test_what_was_written_is_read(files: AllowedFiles, tmp_path: Path) -> None:
    await files.write("a.txt", b"first")
    await files.write(str(tmp_path / "one" / "a.txt"), b" and second", append=True)
    assert await files.read("a.txt") == b"first and second"
    await files.write("a.txt", b"new")
    assert (tmp_path / "one" / "a.txt").read_bytes() == b"new"


@pytest.mark.parametrize(
    "path", ["../secret.txt", "/etc/passwd", "x/../../secret.txt", "", "a\0b", "../onefold/x"]
)
async def test_what_lies_elsewhere_is_refused(files: AllowedFiles, path: str) -> None:
    for attempt in (files.read(path), files.write(path, b"x")):
        with pytest.raises(NodeRunError) as caught:
            await attempt
        assert caught.value.code == "FILE_REFUSED"


async def test_links_are_not_followed(files: AllowedFiles, tmp_path: Path) -> None:
    await files.write("real.txt", b"1")
    (tmp_path / "one" / "link.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "one" / "up").symlink_to(tmp_path)
    for attempt in (files.read("link.txt"), files.write("link.txt", b"x"), files.read("up/secret.txt")):
        with pytest.raises(NodeRunError):
            await attempt
    assert (tmp_path / "secret.txt").read_text() == "no"
    assert await files.find("**") == [str(tmp_path / "one" / "real.txt")]


async def test_only_plain_files_are_opened(files: AllowedFiles, tmp_path: Path) -> None:
    await files.write("real.txt", b"1")
    os.mkfifo(tmp_path / "one" / "pipe")
    (tmp_path / "one" / "folder").mkdir()
    for name in ("pipe", "folder", "."):
        with pytest.raises(NodeRunError) as caught:
            await files.read(name)
        assert caught.value.code == "FILE_ERROR"
    with pytest.raises(NodeRunError, match="does not exist"):
        await files.read("missing.txt")


async def test_patterns_find_files(files: AllowedFiles, tmp_path: Path) -> None:
    first = tmp_path / "one"
    (first / "deep").mkdir(parents=True)
    for name in ("a.txt", "b.csv", "deep/c.txt", "[x].txt"):
        (first / name).write_text(name)
    assert await files.find(f"{first}/*.txt") == [f"{first}/[x].txt", f"{first}/a.txt"]
    assert await files.find(f"{first}/**/*.{{txt,csv}}") == sorted(
        f"{first}/{name}" for name in ("a.txt", "b.csv", "deep/c.txt", "[x].txt")
    )
    assert await files.find(f"{first}/none*") == []
    with pytest.raises(NodeRunError, match="outside the folders"):
        await files.find("/etc/*")


async def test_what_is_git_s_is_refused(files: AllowedFiles, tmp_path: Path) -> None:
    await files.write("real.txt", b"1")
    (tmp_path / "one/repository/.Git").mkdir(parents=True)
    (tmp_path / "one/repository/.Git/config").write_text("")
    for attempt in (files.read("repository/.Git/config"), files.write("repository/.GIT/config", b"x")):
        with pytest.raises(NodeRunError, match="belongs to Git"):
            await attempt
    assert await files.find("**") == [str(tmp_path / "one" / "real.txt")]


async def test_folders_are_opened(files: AllowedFiles, tmp_path: Path) -> None:
    with pytest.raises(NodeRunError, match="does not exist"):
        async with files.folder("."):
            pass
    async with files.folder("a/b", make=True) as folder:
        assert (folder.path, folder.depth) == (str(tmp_path / "one/a/b"), 2)
        assert os.fstat(folder.handle).st_ino == (tmp_path / "one/a/b").stat().st_ino
        (tmp_path / "one/a/b").rename(tmp_path / "one/moved")
        child = await asyncio.create_subprocess_exec("pwd", cwd=folder.cwd, stdout=asyncio.subprocess.PIPE)
        assert (await child.communicate())[0].decode().strip() == str(tmp_path / "one/moved")
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(folder.handle)
    (tmp_path / "one/up").symlink_to(tmp_path)
    for path in ("up", "up/x", "../x", "a/.git"):
        with pytest.raises(NodeRunError):
            async with files.folder(path, make=True):
                pass
    assert not (tmp_path / "x").exists()
