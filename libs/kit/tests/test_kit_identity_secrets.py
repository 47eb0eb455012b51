from pathlib import Path

import pytest
from pydantic import SecretStr
from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.identity.secrets import MasterKey, begin_rotation, end_rotation, ensure_secrets
from weft_kit.settings import CoreSettings


def settings(home: Path, master_key: str = "") -> CoreSettings:
    return CoreSettings(home=home, master_key=SecretStr(master_key), cluster_secret=SecretStr(""))


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    first = ensure_secrets(settings(tmp_path))
    assert ensure_secrets(settings(tmp_path)) == first
    assert first.master_key != first.cluster_secret
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    files = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()}
    assert files == {"master_key": 0o600, "cluster_secret": 0o600}


def test_given_secrets_are_not_written(tmp_path: Path) -> None:
    given = ensure_secrets(settings(tmp_path / "new", "k" * 32))
    assert given.master_key.get_secret_value() == "k" * 32
    assert [path.name for path in (tmp_path / "new" / "secrets").iterdir()] == ["cluster_secret"]


def test_an_empty_secret_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "master_key").touch()
    with pytest.raises(WeftError, match="master_key"):
        ensure_secrets(settings(tmp_path))


def test_sealed_data_opens_only_as_what_it_was_sealed() -> None:
    key, other = MasterKey(SecretStr("a" * 32)), MasterKey(SecretStr("b" * 32))
    sealed = key.seal("signing key", b"data")
    assert b"data" not in sealed
    assert key.seal("signing key", b"data") != sealed
    assert key.open("signing key", sealed) == b"data"
    tampered = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for opener, purpose, data in (
        (other, "signing key", sealed),
        (key, "pepper", sealed),
        (key, "signing key", tampered),
        (key, "signing key", b""),
    ):
        with pytest.raises(WeftError) as caught:
            opener.open(purpose, data)
        assert caught.value.code is ErrorCode.INTERNAL
    with pytest.raises(WeftError, match="WEFT_MASTER_KEY"):
        MasterKey(SecretStr(""))


def test_a_key_before_opens_and_seals_nothing() -> None:
    old, new = SecretStr("a" * 32), SecretStr("b" * 32)
    sealed = MasterKey(old).seal("pepper", b"data")
    both = MasterKey(new, old)
    assert both.open("pepper", sealed) == b"data"
    assert MasterKey(new).open("pepper", both.seal("pepper", b"more")) == b"more"
    assert both.seal("pepper", b"").startswith(both.mark)
    assert not sealed.startswith(both.mark)
    same = MasterKey(old, old)
    assert same.open("pepper", same.seal("pepper", b"x")) == b"x"


def test_the_key_in_the_folder_is_changed_once_however_often_it_is_begun(tmp_path: Path) -> None:
    old = ensure_secrets(settings(tmp_path)).master_key
    folder = tmp_path / "secrets"
    (folder / "master_key_previous").write_text(old.get_secret_value())  # ended before the new key was made
    begin_rotation(tmp_path)
    during = ensure_secrets(settings(tmp_path))
    assert during.master_key != old
    assert during.master_key_previous == old
    begin_rotation(tmp_path)
    assert ensure_secrets(settings(tmp_path)) == during
    end_rotation(tmp_path)
    after = ensure_secrets(settings(tmp_path))
    assert (after.master_key, after.master_key_previous) == (during.master_key, SecretStr(""))
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "master_key": 0o600,
        "cluster_secret": 0o600,
    }


def test_a_home_that_is_missing_is_made_for_us_alone(tmp_path: Path) -> None:
    home = tmp_path / "srv" / "weft"
    ensure_secrets(CoreSettings(home=home))
    for folder in (home.parent, home, home / "secrets"):
        assert folder.stat().st_mode & 0o777 == 0o700
    tmp_path.chmod(0o755)
    ensure_secrets(CoreSettings(home=tmp_path / "other"))
    assert tmp_path.stat().st_mode & 0o777 == 0o755
