from pathlib import Path

import pytest
from pydantic import Field, SecretStr
from weft_contracts.errors import ErrorCode, WeftError
from weft_kit.settings import CoreSettings


class DemoSettings(CoreSettings):
    """A service's own."""

    speed: int = Field(default=1, description="How fast.")
    token: SecretStr = Field(default=SecretStr(""), description="A secret.")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("WEFT_"):
            monkeypatch.delenv(name)


def test_order_is_flag_environment_file_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert DemoSettings.load().speed == 1
    (tmp_path / "weft.yaml").write_text("speed: 2\nport: 81\nnet_allow: [a, b]\nunknown: {x: 1}\n")
    monkeypatch.setenv("WEFT_CONFIG", str(tmp_path / "weft.yaml"))
    assert (DemoSettings.load().speed, DemoSettings.load().port) == (2, 81)
    assert DemoSettings.load().net_allow == ("a", "b")
    monkeypatch.setenv("WEFT_SPEED", "3")
    monkeypatch.setenv("WEFT_NET_ALLOW", "10.0.0.0/8, stub:80")
    assert DemoSettings.load().speed == 3
    assert DemoSettings.load().net_allow == ("10.0.0.0/8", "stub:80")
    assert DemoSettings.load(speed=4, port=None).speed == 4
    assert DemoSettings.load(speed=4, port=None).port == 81


def test_secrets_come_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("from file\n")
    monkeypatch.setenv("WEFT_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("WEFT_SPEED_FILE", str(tmp_path / "token"))
    loaded = DemoSettings.load()
    assert loaded.token.get_secret_value() == "from file"
    assert loaded.speed == 1
    assert "from file" not in repr(loaded)
    monkeypatch.setenv("WEFT_TOKEN", "from environment")
    assert DemoSettings.load().token.get_secret_value() == "from environment"


def test_the_message_names_what_is_wrong_and_not_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_PORT", "eighty")
    monkeypatch.setenv("WEFT_MASTER_KEY", "short")
    monkeypatch.setenv("WEFT_TIMEZONE", "Mars/Olympus")
    with pytest.raises(WeftError) as caught:
        DemoSettings.load()
    message = caught.value.message
    assert caught.value.code is ErrorCode.VALIDATION_ERROR
    assert all(name in message for name in ("WEFT_PORT", "WEFT_MASTER_KEY", "WEFT_TIMEZONE"))
    assert "short" not in message


def test_a_missing_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_CONFIG", str(tmp_path / "nowhere.yaml"))
    with pytest.raises(WeftError, match="nowhere"):
        DemoSettings.load()


def test_what_follows_from_other_settings(tmp_path: Path) -> None:
    loaded = DemoSettings.load(home=tmp_path, port=81)
    assert loaded.public_origin == "http://localhost:81"
    assert loaded.blob_folder == tmp_path / "blobs"
    assert loaded.file_folders == (tmp_path / "files",)
    assert DemoSettings.load(public_url="https://weft.example/").public_origin == "https://weft.example"
    assert DemoSettings.load(blob_url="file:///data/b").blob_folder == Path("/data/b")
    with pytest.raises(WeftError, match="s3://"):
        _ = DemoSettings.load(blob_url="ftp://bucket").blob_folder
    assert loaded.rpc_addresses["workflow_store"] == "workflow-store:9090"
