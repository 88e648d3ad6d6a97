"""Preferences: kept, mended when damaged, reset; never in the person's real settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import AnsweringDialogs, WindowMaker
from PySide6.QtCore import QByteArray

from cassi_gui.desktop.settings import MAX_RECENT, UiSettings
from cassi_gui.inputs.recent import RecentEntry, entry_from_text, entry_to_text
from cassi_gui.session.state import FileSelection, selection_title


def test_the_file_lies_where_tests_put_it(own_settings: Path, settings: UiSettings) -> None:
    assert own_settings in settings.path.parents
    assert settings.presets_folder.parent.parent == settings.path.parent


def test_values_come_back_in_the_next_session(settings: UiSettings, tmp_path: Path) -> None:
    settings.theme = "dark"
    settings.recent_files = ("one", "two")
    settings.remember_folder("mask", str(tmp_path / "mask.npy"))
    settings.save_layout("window", QByteArray(b"\x00\x01binary"))
    settings.sync()
    again = UiSettings()
    assert again.theme == "dark"
    assert again.recent_files == ("one", "two")
    assert again.folder_for("mask") == str(tmp_path)
    assert again.folder_for("measurement") == str(tmp_path), "the last folder of any purpose comes before none"
    assert again.layout("window").data() == b"\x00\x01binary"
    again.reset_layout()
    assert again.layout("window").isEmpty()
    assert again.theme == "dark", "the layout alone is reset"


def test_the_list_of_recent_files_is_short(settings: UiSettings) -> None:
    settings.recent_files = tuple(map(str, range(15)))
    assert settings.recent_files == tuple(map(str, range(MAX_RECENT)))
    settings.recent_files = ()
    assert settings.recent_files == ()


@pytest.mark.parametrize("damage", [b"\x00\xff\xfe\x01" * 50, b"this is no settings file at all {{{{\n", b"\xff\xff\xff"])
def test_a_damaged_file_is_put_aside_and_the_window_opens(
    settings: UiSettings, make_window: WindowMaker, damage: bytes
) -> None:
    path = settings.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(damage)
    mended = UiSettings()
    assert mended.mended is not None and mended.mended.read_bytes() == damage
    assert mended.theme == "system"
    mended.theme = "dark"
    mended.sync()
    assert UiSettings().theme == "dark"
    assert make_window().isVisible()


def test_unknown_values_become_the_default(settings: UiSettings) -> None:
    settings._settings.setValue("window/theme", "purple")
    settings._settings.setValue("files/recent", 7)
    settings._settings.setValue("layout/window", "no bytes")
    assert (settings.theme, settings.recent_files) == ("system", ())
    assert settings.layout("window").isEmpty()


def test_a_selection_survives_as_text_and_a_damaged_line_is_left_out(settings: UiSettings) -> None:
    files = FileSelection(("/a/y1.npy", "/a/y2.npy"), "/b/m.mat::mask", n_bands=28, step_px=1.5, mask_turn=(True, 3))
    assert entry_from_text(entry_to_text(RecentEntry(files))) == RecentEntry(files)
    assert selection_title(files) == "y1.npy and 1 more with m.mat::mask"
    for text in (
        "",
        "[]",
        "{}",
        '{"measurements": ["a"], "unknown": 1}',
        "not json",
        '{"files": {"measurements": []}, "png": "?"}',
    ):
        assert entry_from_text(text) is None


def test_window_size_and_log_come_back_and_are_reset(make_window: WindowMaker) -> None:
    first = make_window()
    first.resize(900, 700)
    first.slots_.toggle_log()
    assert first.log_dock.isVisible()
    first.close()
    second = make_window()
    screen = second.screen().availableSize()
    assert abs(second.width() - min(900, screen.width())) < 40 and abs(second.height() - 700) < 80, (
        "as far as the screen allows"
    )
    assert second.log_dock.isVisible()
    second.slots_.reset_layout()
    assert (second.width(), second.height()) == (1280, 720)
    assert not second.log_dock.isVisible()


def test_the_window_with_its_log_fits_a_small_screen(make_window: WindowMaker) -> None:
    window = make_window()
    window.deck.build_all()
    window.slots_.toggle_log()
    assert window.minimumSizeHint().height() <= 720


def test_the_theme_is_kept(make_window: WindowMaker, settings: UiSettings, dialogs: AnsweringDialogs) -> None:
    window = make_window()
    window.slots_.theme_dark()
    assert UiSettings().theme == "dark" or settings.theme == "dark"
    assert window.colours.dark
    assert window.action_set["view.theme_dark"].isChecked()
    window.slots_.theme_light()
    assert not window.colours.dark and not window.action_set["view.theme_dark"].isChecked()
