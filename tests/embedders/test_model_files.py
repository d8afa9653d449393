"""Which files of a published model are taken, and when a folder counts as a whole model."""

from __future__ import annotations

import json

import pytest

from embedders.model_files import (
    CLIP_FILES,
    IMAGE_FILES,
    TEXT_FILES,
    TOKENIZER_FILES,
    is_complete,
    is_safe,
    only,
)

TOKENIZER = ["tokenizer.json", "config.json"]
SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]


def put(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    return folder


@pytest.mark.parametrize(
    ("rule", "names", "expected"),
    [
        pytest.param(
            TEXT_FILES,
            ["model.safetensors", "pytorch_model.bin", "tf_model.h5", "onnx/model.onnx", "run.py"],
            ["model.safetensors"],
            id="no pickle beside safetensors",
        ),
        pytest.param(
            TEXT_FILES, ["pytorch_model.bin", "x.py"], ["pytorch_model.bin"], id="pickle if alone"
        ),
        pytest.param(
            TEXT_FILES,
            [*SHARDS, "model.safetensors.index.json", "pytorch_model.bin.index.json"],
            [*SHARDS, "model.safetensors.index.json"],
            id="all shards and their index",
        ),
        pytest.param(
            TEXT_FILES,
            ["model.safetensors", *SHARDS, "model.safetensors.index.json"],
            ["model.safetensors"],
            id="shards are not fetched beside the whole",
        ),
        pytest.param(
            TEXT_FILES,
            ["1_Pooling/config.json", "2_Dense/model.safetensors", "2_Dense/pytorch_model.bin",
             "2_Dense/config.json", "openvino/config.json", "a/1_Pooling/config.json"],
            ["1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors"],
            id="module folders, by the same rules",
        ),
        pytest.param(
            CLIP_FILES,
            ["open_clip_pytorch_model.bin", "open_clip_model.safetensors", "model.safetensors",
             "open_clip_config.json", "merges.txt", "config.json"],
            ["merges.txt", "open_clip_config.json", "open_clip_model.safetensors"],
            id="open_clip's own weights",
        ),
        pytest.param(
            IMAGE_FILES,
            ["model.safetensors", "pytorch_model.bin", "config.json", "tokenizer.json"],
            ["config.json", "model.safetensors"],
            id="timm",
        ),
        pytest.param(only("b.pt"), ["a.pt", "b.pt"], ["b.pt"], id="exactly these"),
    ],
)  # fmt: skip
def test_what_is_taken(rule, names, expected):
    assert rule.choose(names) == tuple(sorted(expected))


@pytest.mark.parametrize(
    ("names", "lacks"),
    [
        ([], "weights"),
        (["config.json", "vocab.txt"], "weights"),
        (["model.safetensors", "vocab.txt"], "config.json"),
        (["model.safetensors", "config.json"], "tokenizer files"),
        (["model.safetensors", "config.json", "spiece.model"], ""),
        (["0_Transformer/model.safetensors", "0_Transformer/config.json",
          "0_Transformer/vocab.txt", "config.json"], ""),
        (["0_StaticEmbedding/model.safetensors", "0_StaticEmbedding/tokenizer.json",
          "modules.json"], ""),
        (["2_Dense/model.safetensors", "2_Dense/config.json", *TOKENIZER], "weights"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(names, lacks):
    assert TEXT_FILES.lacking(TEXT_FILES.choose(names)) == lacks


def test_a_folder_with_a_shard_missing_is_no_model(tmp_path):
    put(tmp_path, *TOKENIZER, *SHARDS)
    assert not is_complete(tmp_path, TEXT_FILES)  # without the index nobody knows how many
    index = {"weight_map": {"a": SHARDS[0], "b": SHARDS[1]}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert is_complete(tmp_path, TEXT_FILES)
    (tmp_path / SHARDS[1]).unlink()
    assert not is_complete(tmp_path, TEXT_FILES)
    (tmp_path / "model.safetensors.index.json").write_text("no json")
    assert not is_complete(tmp_path, TEXT_FILES)


def test_a_folder_without_a_module_that_it_lists_is_no_model(tmp_path):
    modules = [
        {"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]
    put(tmp_path, *TOKENIZER, "model.safetensors")
    assert is_complete(tmp_path, TEXT_FILES)
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    assert not is_complete(tmp_path, TEXT_FILES)
    put(tmp_path, "1_Pooling/config.json")
    assert is_complete(tmp_path, TEXT_FILES)  # a scaling to length 1 has no files
    (tmp_path / "config.json").unlink()
    assert not is_complete(tmp_path, TEXT_FILES)
    modules[0]["type"] = "sentence_transformers.models.StaticEmbedding"
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    assert is_complete(tmp_path, TEXT_FILES)  # static vectors have no configuration


def test_a_tokenizer_alone_needs_no_weights(tmp_path):
    assert not is_complete(put(tmp_path, "config.json"), TOKENIZER_FILES)
    assert is_complete(put(tmp_path, "tokenizer.json"), TOKENIZER_FILES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("1_Pooling/config.json", True),
        (".gitattributes", True),
        ("../evil", False),
        ("a/../../evil", False),
        ("/etc/passwd", False),
        ("a//b", False),
        ("a\\b", False),
        ("C:evil", False),
        ("a\nb", False),
        ("", False),
        ("x" * 400, False),
    ],
)
def test_paths_that_would_leave_the_folder_are_known(name, expected):
    assert is_safe(name) is expected
