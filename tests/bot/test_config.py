"""Settings come from the environment, and each is documented once."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.config import Config, settings_table


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXEL_EASELS", "2")
    monkeypatch.setenv("PIXEL_GUILDS", "11, 22")
    monkeypatch.setenv("PIXEL_LOG_LEVEL", "debug")
    config = Config()
    assert (config.easels, config.guilds, config.log_level) == (2, (11, 22), "DEBUG")


def test_the_models_that_people_may_choose_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Config().listed == {"perceptors": ("pixelclip",), "vqgan_model": ("mini",)}
    monkeypatch.setenv("PIXEL_PERCEPTORS", "pixelclip, ViT-B-32/openai")
    monkeypatch.setenv("PIXEL_VQGAN_MODELS", "mini,coco")
    assert Config().listed == {
        "perceptors": ("pixelclip", "ViT-B-32/openai"),
        "vqgan_model": ("mini", "coco"),
    }
    assert "| `PIXEL_PERCEPTORS` | `pixelclip` |" in settings_table()


def test_room_is_given_in_bytes_or_with_a_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Config().quota is None
    for text, count in (("1000000", 10**6), ("20GB", 20 * 10**9), ("1.5 GiB", 3 * 2**29)):
        monkeypatch.setenv("PIXEL_QUOTA", text)
        assert Config().quota == count


def test_settings_come_from_a_file_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PIXEL_TOKEN=secret\nSOMETHING_ELSE=1\nPIXEL_GUILDS=\n")
    config = Config()
    assert config.token is not None
    assert config.token.get_secret_value() == "secret"
    assert config.guilds == ()


def test_the_token_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXEL_TOKEN", "very-secret")
    assert "very-secret" not in repr(Config())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EASELS", "0"),
        ("EDIT_INTERVAL", "0"),
        ("GUILDS", "one"),
        ("EASELS", "x"),
        ("HTTP", "8780"),
        ("HTTP", "localhost:99999"),
        ("LOG_FORMAT", "xml"),
        ("QUOTA", "much"),
        ("QUOTA", "0"),
        ("KEEP_FRAMES_DAYS", "0"),
        ("KEEP_PICTURES_DAYS", "0.5"),
    ],
)
def test_values_that_cannot_work_are_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"PIXEL_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Config()


def test_the_readme_table_has_every_setting() -> None:
    table = settings_table()
    for name, field in Config.model_fields.items():
        assert f"`PIXEL_{name.upper()}`" in table
        assert field.description
        assert field.description in table
    assert "`4.0`" in table
    assert "`true`" in table
