"""Settings come from the environment, and each is documented once."""

from pathlib import Path

import pytest

from bot.config import Config, ConfigError, read_config, settings_table


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXEL_EASELS", "2")
    monkeypatch.setenv("PIXEL_GUILDS", "11, 22")
    monkeypatch.setenv("PIXEL_LOG_LEVEL", "debug")
    config = read_config()
    assert (config.easels, config.guilds, config.log_level) == (2, (11, 22), "DEBUG")


def test_the_models_that_people_may_choose_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_config().listed == {"perceptors": ("pixelclip",), "vqgan_model": ("mini",)}
    monkeypatch.setenv("PIXEL_PERCEPTORS", "pixelclip, ViT-B-32/openai")
    monkeypatch.setenv("PIXEL_VQGAN_MODELS", "mini,coco")
    assert read_config().listed == {
        "perceptors": ("pixelclip", "ViT-B-32/openai"),
        "vqgan_model": ("mini", "coco"),
    }
    assert "| `PIXEL_PERCEPTORS` | `pixelclip` |" in settings_table()


def test_room_is_given_in_bytes_or_with_a_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_config().quota is None
    for text, count in (("1000000", 10**6), ("20GB", 20 * 10**9), ("1.5 GiB", 3 * 2**29)):
        monkeypatch.setenv("PIXEL_QUOTA", text)
        assert read_config().quota == count


def test_settings_come_from_a_file_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PIXEL_TOKEN=secret\nSOMETHING_ELSE=1\nPIXEL_GUILDS=\n")
    config = read_config()
    assert config.token is not None
    assert config.token.reveal() == "secret"
    assert config.guilds == ()


def test_the_token_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXEL_TOKEN", "very-secret")
    assert "very-secret" not in repr(read_config())


@pytest.mark.parametrize("text", ["true", "False", "1", "0"])
def test_a_switch_is_on_or_off(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXEL_SYNC_COMMANDS", text)
    assert read_config().sync_commands is (text in {"true", "1"})


def test_the_environment_comes_before_the_file_and_nothing_counts_as_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PIXEL_EASELS=2\nPIXEL_DATA=here\n")
    monkeypatch.setenv("PIXEL_EASELS", "3")
    monkeypatch.setenv("PIXEL_EDIT_INTERVAL", " ")
    config = read_config()
    assert (config.easels, config.data, config.edit_interval) == (3, Path("here"), 4.0)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("EASELS", "0", "allowed are whole numbers from 1 to 64"),
        ("EASELS", "65", "allowed are whole numbers from 1 to 64"),
        ("EASELS", "x", "allowed are whole numbers from 1 to 64"),
        ("WAITING_PER_USER", "0", "allowed are whole numbers from 1"),
        ("KEEP_FRAMES_DAYS", "0", "allowed are whole numbers from 1"),
        ("KEEP_PICTURES_DAYS", "0.5", "allowed are whole numbers from 1"),
        ("EDIT_INTERVAL", "0", "allowed are numbers above 0, up to 3600"),
        ("EDIT_INTERVAL", "nan", "allowed are numbers above 0, up to 3600"),
        ("EDIT_INTERVAL", "inf", "allowed are numbers above 0, up to 3600"),
        ("SYNC_COMMANDS", "perhaps", "allowed are true and false"),
        ("GUILDS", "11, one", "allowed are whole numbers, separated by commas"),
        ("LOG_FORMAT", "xml", "allowed are json, text"),
        ("LOG_LEVEL", "loud", "allowed are DEBUG, ERROR, INFO, WARNING"),
        ("HTTP", "8780", "an address is host:port, such as 127.0.0.1:8781"),
        ("GALLERY", "localhost:99999", "an address is host:port, such as 127.0.0.1:8781"),
        ("QUOTA", "much", "it is a number of bytes above 0, or one with a unit, such as 20GB"),
        ("QUOTA", "0", "it is a number of bytes above 0, or one with a unit, such as 20GB"),
        ("QUOTA", "-1GB", "it is a number of bytes above 0, or one with a unit, such as 20GB"),
        ("QUOTA", 19 * "9", "it is a number of bytes above 0, or one with a unit, such as 20GB"),
    ],
)
def test_what_cannot_work_is_refused_with_what_is_allowed(
    name: str, value: str, allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"PIXEL_{name}", value)
    with pytest.raises(ConfigError) as error:
        read_config()
    assert str(error.value) == f"PIXEL_{name} cannot be “{value}”; {allowed}."


def test_all_that_cannot_work_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXEL_EASELS", "x")
    monkeypatch.setenv("PIXEL_HTTP", "x")
    with pytest.raises(ConfigError, match=r"^PIXEL_EASELS .+\.\nPIXEL_HTTP .+\.$"):
        read_config()


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PIXEL_TOKEN=\xff\n")
    with pytest.raises(ConfigError, match=r"The file \.env cannot be read: "):
        read_config()


def test_the_readme_table_has_every_setting() -> None:
    table = settings_table()
    for name in Config.__struct_fields__:
        assert f"| `PIXEL_{name.upper()}` | " in table
    assert "`4.0`" in table
    assert "`true`" in table
