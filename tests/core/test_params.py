"""Settings validate themselves and name what is wrong."""

from dataclasses import dataclass

import pytest

from core.errors import ParameterError
from core.modality import Modality
from core.params import Params, choice, flag, integer, real
from embedders.two_towers import TwoTowersParams


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


def test_of_pairs_a_setting_matters_for_the_kinds_that_are_paired():
    text, image, pairs = Modality.TEXT, Modality.IMAGE, Modality.PAIRS
    specs = TwoTowersParams.specs()

    def shown(name, modality, sides=None):
        return specs[name].concerns(modality, sides)

    assert not shown("new_layers", image)
    assert not shown("max_length", pairs, (image, image))
    assert shown("max_length", pairs, (text, image))
    assert not shown("images", pairs, (text, text))
    assert shown("images", pairs, (text, image))
    assert shown("shared", pairs, (text, text))
    assert not shown("shared", pairs, (text, image))
    assert not shown("shared", text)
    assert shown("epochs", image)
    assert all(spec.concerns(None) for spec in specs.values())
