"""Settings come from the environment, with safe defaults and clear refusals."""

from __future__ import annotations

import pytest

from core.errors import ParameterError
from workspace.settings import settings, settings_table


def test_defaults_need_no_environment():
    chosen = settings({})
    assert chosen.home.name == ".embedscope"
    assert (chosen.workers, chosen.warm_up) == (1, True)
    assert chosen.worker_threads >= 1


def test_environment_is_read_and_empty_means_default(tmp_path):
    chosen = settings(
        {
            "EMBEDSCOPE_HOME": str(tmp_path),
            "EMBEDSCOPE_WORKERS": " 3 ",
            "EMBEDSCOPE_WARM_UP": "No",
            "EMBEDSCOPE_NICE": "",
        }
    )
    assert (chosen.home, chosen.workers, chosen.warm_up, chosen.nice) == (tmp_path, 3, False, 10)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("EMBEDSCOPE_WORKERS", "two", r"integer in \[1, 64\], got 'two'"),
        ("EMBEDSCOPE_WORKERS", "0", r"integer in \[1, 64\], got 0"),
        ("EMBEDSCOPE_NICE", "-5", r"integer in \[0, 19\], got -5"),
        ("EMBEDSCOPE_WARM_UP", "perhaps", "true or false, got 'perhaps'"),
    ],
)
def test_wrong_value_names_variable_range_and_value(variable, value, told):
    with pytest.raises(ParameterError, match=f"{variable} must be .*{told}"):
        settings({variable: value})


def test_table_explains_every_setting_in_a_sentence():
    table = settings_table()
    assert len(table) == 11
    for variable, default, help in table:
        assert variable.startswith("EMBEDSCOPE_")
        assert default
        assert help.endswith(".")
