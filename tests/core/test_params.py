"""Settings validate themselves and name what is wrong."""

from dataclasses import dataclass

import pytest

from core.errors import ParameterError
from core.params import Params, choice, flag, integer, real


@dataclass(frozen=True, kw_only=True)
class ToyParams(Params):
    window: int = integer(5, low=1, high=20, help="Words on each side.")
    rate: float = real(0.5, low=0.0, high=1.0, help="Share.")
    mode: str = choice("mean", ("mean", "max"), help="How.")
    norm: bool = flag(True, help="Unit length.")


def test_a_value_out_of_range_is_named_with_what_is_allowed():
    with pytest.raises(
        ParameterError, match=r"Toy\.window must be an integer in \[1, 20\], got 40"
    ):
        ToyParams(window=40)


@pytest.mark.parametrize("bad", [True, 2.5, "5", None])
def test_an_integer_setting_takes_only_integers(bad):
    with pytest.raises(ParameterError, match="window"):
        ToyParams(window=bad)


def test_a_real_setting_refuses_nan():
    with pytest.raises(ParameterError, match="rate"):
        ToyParams(rate=float("nan"))


def test_a_misspelt_name_gets_the_nearest_known_one():
    with pytest.raises(ParameterError, match="Did you mean 'window'"):
        ToyParams.from_dict({"windo": 3})


def test_a_whole_number_for_a_real_setting_makes_the_same_settings():
    assert ToyParams(rate=1).to_dict() == ToyParams(rate=1.0).to_dict()
    assert isinstance(ToyParams(rate=1).rate, float)


def test_every_declaration_can_make_a_value_that_it_refuses():
    for name, spec in ToyParams.specs().items():
        with pytest.raises(ParameterError, match=name):
            ToyParams.from_dict({name: spec.invalid_value()})


def test_settings_survive_a_round_trip_through_plain_values():
    params = ToyParams(window=3, mode="max", norm=False)
    assert ToyParams.from_dict(params.to_dict()) == params
