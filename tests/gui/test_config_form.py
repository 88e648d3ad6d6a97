"""The form of the settings: made from the configuration's metadata, so that nothing is described twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QLineEdit, QSpinBox
from pytestqt.qtbot import QtBot

from cassi_core.config import CalibrationConfig
from cassi_core.errors import ConfigError
from cassi_gui.run.presets import PresetStore
from cassi_gui.widgets.config_fields import NOT_IN_FORMS, describe, value_at, with_setting
from cassi_gui.widgets.config_form import ConfigForm


def leaves(model: BaseModel, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Paths of all settings, found without the form's own code."""
    found: set[tuple[str, ...]] = set()
    for name, value in model:
        found |= leaves(value, (*path, name)) if isinstance(value, BaseModel) else {(*path, name)}
    return found


@pytest.fixture
def form(qtbot: QtBot) -> ConfigForm:
    form = ConfigForm()
    qtbot.addWidget(form)
    form.show()
    return form


def test_every_setting_has_a_control_with_help_and_range(form: ConfigForm) -> None:
    expected = leaves(CalibrationConfig()) - {(n,) for n in NOT_IN_FORMS}
    assert set(form.paths) == expected and len(expected) > 40
    for path in form.paths:
        control = form.control(path)
        assert control.objectName() and control.accessibleName(), path
        assert "default" in control.toolTip() and ".".join(path) in control.toolTip()


def test_limits_and_units_come_from_the_metadata(form: ConfigForm) -> None:
    steps = form.control(("reference", "stage_2a", "steps"))
    assert isinstance(steps, QSpinBox) and (steps.minimum(), steps.maximum(), steps.value()) == (1, 2000, 50)
    reach = form.control(("auto", "reach_px"))
    assert isinstance(reach, QDoubleSpinBox) and reach.text() == "25 px" and reach.minimum() == 2.0
    above_zero = form.control(("reference", "grid", "range_px"))
    assert isinstance(above_zero, QDoubleSpinBox) and 0 < above_zero.minimum() < 1e-6
    small = form.control(("reference", "stage_2c", "lr_end"))
    assert isinstance(small, QDoubleSpinBox) and small.text() == "0.0005"


def test_only_the_groups_of_the_preset_are_shown(form: ConfigForm) -> None:
    def visible(path: tuple[str, ...]) -> bool:
        return form.control(path).isVisibleTo(form)

    for preset, own, other in (("auto", "reach_px", "reference"), ("reference", "margin_px", "algorithm1")):
        form.set_config(CalibrationConfig(preset=preset))
        assert visible((preset, own)) and not visible((other, "margin_px"))
        assert visible(("quality", "maps")) and visible(("seed",))


def test_an_edit_is_asked_for_with_its_path(form: ConfigForm, qtbot: QtBot) -> None:
    box = form.control(("auto", "reach_px"))
    with qtbot.waitSignal(form.edited, timeout=500) as caught:
        box.setValue(40.0)
    assert caught.args == [("auto", "reach_px"), 40.0]
    with qtbot.assertNotEmitted(form.edited):
        form.set_config(CalibrationConfig(auto={"reach_px": 12.0}))
    assert box.value() == 12.0
    assert "(changed)" in form._labels[("auto", "reach_px")].text()
    form.set_config(CalibrationConfig())
    assert "(changed)" not in form._labels[("auto", "reach_px")].text()


def test_a_stage_switch_turns_its_settings_off(form: ConfigForm, qtbot: QtBot) -> None:
    switch = form.control(("reference", "stage_2b", "enabled"))
    assert isinstance(switch, QCheckBox) and switch.text() == "Stage 2B: dy and theta"
    with qtbot.waitSignal(form.edited, timeout=500) as caught:
        switch.click()
    config = with_setting(CalibrationConfig(preset="reference"), *caught.args)
    form.set_config(config)
    assert not config.reference.stage_2b.enabled
    assert not form.control(("reference", "stage_2b", "steps")).isEnabled()
    assert form.control(("reference", "stage_2a", "steps")).isEnabled()


def test_text_settings_are_checked_by_their_pattern(form: ConfigForm, qtbot: QtBot) -> None:
    device = form.control(("device",))
    assert isinstance(device, QLineEdit)
    device.setFocus()
    device.selectAll()
    with qtbot.waitSignal(form.edited, timeout=500) as caught:
        qtbot.keyClicks(device, "cpu")
        qtbot.keyClick(device, Qt.Key.Key_Return)
    assert caught.args == [("device",), "cpu"]


def test_a_setting_out_of_range_is_refused_by_name() -> None:
    config = with_setting(CalibrationConfig(), ("reference", "grid", "n_iter"), 12)
    assert config.reference.grid.n_iter == 12 and config.reference.stage_2a == CalibrationConfig().reference.stage_2a
    assert value_at(config, ("reference", "grid", "n_iter")) == 12
    with pytest.raises(ConfigError, match=r"reference\.grid\.n_iter.*999"):
        with_setting(config, ("reference", "grid", "n_iter"), 999)


def test_descriptions_keep_the_order_and_find_the_switch() -> None:
    groups = {g.path: g for g in describe(CalibrationConfig()).groups}
    reference = groups[("reference",)]
    assert [g.path[-1] for g in reference.groups] == ["grid", "stage_2a", "stage_2b", "stage_2c"]
    assert reference.groups[0].switch is None and reference.groups[1].switch is not None
    assert next(f for f in reference.groups[1].fields if f.name == "steps").range_text() == "1 to 2000, default 50"


# -- presets of one's own -----------------------------------------------------------------------------------------------
def test_presets_are_saved_read_renamed_and_deleted(tmp_path: Path) -> None:
    store = PresetStore(tmp_path / "presets")
    config = CalibrationConfig(preset="reference", seed=7, refine=("dx", "slope"))
    assert store.names() == ()
    store.save("My rig (2026)", config)
    assert store.names() == ("My rig (2026)",) and store.load("My rig (2026)") == config
    store.rename("My rig (2026)", "other")
    assert store.names() == ("other",)
    store.delete("other")
    assert store.names() == ()
    assert store.load("algorithm1").preset == "algorithm1"


def test_bad_names_and_damaged_presets_are_said_in_words(tmp_path: Path) -> None:
    store = PresetStore(tmp_path)
    for name in ("auto", "", "../x", "a/b", ".hidden"):
        with pytest.raises(ConfigError):
            store.save(name, CalibrationConfig())
    store.save("a", CalibrationConfig())
    store.save("b", CalibrationConfig())
    with pytest.raises(ConfigError, match="already"):
        store.rename("a", "b")
    (tmp_path / "a.json").write_text('{"seed": "many"}')
    with pytest.raises(ConfigError, match=r"preset 'a'.*seed"):
        store.load("a")
    with pytest.raises(ConfigError, match="cannot be read"):
        store.load("gone")
