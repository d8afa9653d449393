"""A layer that a model does not have is refused before anything is loaded."""

from __future__ import annotations

import json

import pytest

from core.errors import ParameterError
from embedders import get_embedder, minilm
from embedders.bert import Bert
from embedders.model_shape import Shape, check_shape, shape_of


def saved(folder, config, modules=None, inside=""):
    (folder / inside).mkdir(exist_ok=True)
    (folder / inside / "config.json").write_text(json.dumps(config), encoding="utf-8")
    if modules:
        told = [{"type": f"sentence_transformers.models.{m}", "path": p} for m, p in modules]
        (folder / "modules.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("config", "shape"),
    [
        ({"num_hidden_layers": 12, "hidden_size": 768}, Shape(12, 768)),
        ({"num_layers": 6, "d_model": 512}, Shape(6, 512)),  # T5
        ({"n_layer": 12, "n_embd": 768}, Shape(12, 768)),  # GPT-2
        ({"text_config": {"num_hidden_layers": 4, "hidden_size": 64}}, Shape(4, 64)),
        ({}, Shape(0, 0)),
    ],
)
def test_configurations_of_each_family_tell_layers_and_length(tmp_path, config, shape):
    assert shape_of(saved(tmp_path, config)) == shape


def test_a_dense_layer_behind_hides_the_length_but_not_the_layers(tmp_path):
    modules = [("Transformer", "0_Transformer"), ("Pooling", "1_Pooling"), ("Dense", "2_Dense")]
    config = {"num_hidden_layers": 3, "hidden_size": 32}
    assert shape_of(saved(tmp_path, config, modules, "0_Transformer")) == Shape(3, 0)


@pytest.mark.parametrize(
    ("pooling", "dim"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}, 64),
        ({"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}, 32),
        ({"pooling_mode": ["cls", "mean", "max"]}, 96),
        ({"pooling_mode": "mean"}, 32),
        ({"word_embedding_dimension": 32}, 32),
        (["x"], 0),
    ],
)
def test_several_poolings_make_longer_vectors(tmp_path, pooling, dim):
    config = {"num_hidden_layers": 3, "hidden_size": 32}
    saved(tmp_path, pooling, inside="1_Pooling")
    modules = [("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")]
    assert shape_of(saved(tmp_path, config, modules)) == Shape(3, dim)


@pytest.mark.parametrize(
    ("config", "modules"),
    [
        ('{"text_config": ["x"]}', "[]"),
        ('{"num_hidden_layers": true, "hidden_size": "32"}', "[]"),
        ('{"num_hidden_layers": -2}', "[]"),
        ("{}", '["x"]'),
        ("{}", '[{"type": 5, "path": ["x"]}]'),
        ("[" * 100_000, "[]"),
    ],
)
def test_odd_files_tell_nothing(tmp_path, config, modules):
    (tmp_path / "config.json").write_text(config, encoding="utf-8")
    (tmp_path / "modules.json").write_text(modules, encoding="utf-8")
    assert shape_of(tmp_path) == Shape(0, 0)


def test_a_folder_without_a_configuration_tells_nothing(tmp_path):
    assert shape_of(tmp_path) == Shape(0, 0)
    check_shape("it", Shape(0, 0), 99, 9_999)


def test_what_a_model_does_not_have_is_named_with_what_it_has():
    with pytest.raises(
        ParameterError, match=r"6 layers: choose one from 0 to 6 or none for the last"
    ):
        check_shape("MiniLM", Shape(6, 384), 99, 0)
    with pytest.raises(ParameterError, match=r"384 numbers: choose up to 384 or none to keep all"):
        check_shape("MiniLM", Shape(6, 384), -1, 385)
    check_shape("MiniLM", Shape(6, 384), 6, 384)


def test_the_packaged_model_says_so_before_the_job():
    wrong = get_embedder("bert", layer=99)
    found = Bert.availability(wrong.params)
    assert found.state == "needs_extra"
    assert f"has {minilm.N_LAYERS} layers" in found.hint
    assert Bert.availability(get_embedder("bert", layer=minilm.N_LAYERS).params).state == "ready"
    assert "384" in Bert.availability(get_embedder("bert", dim=385).params).hint
