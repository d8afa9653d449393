"""Pretrained image networks: timm's own features, from files of this machine, or one sentence."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil

import numpy as np
import pytest
from small_datasets import small
from small_hub import files_of, small_hub
from small_image_models import save_small_cnn, save_small_vit

from core.errors import EmbedderUnavailable, ParameterError
from core.modality import Modality
from embedders import get_embedder, precision
from embedders.image_model_list import KNOWN, TABLE, listed, resolve
from embedders.timm_model import _load
from ingest.dataset import Dataset
from ingest.image_codec import decode, encode_png
from tests.conftest import shared_data

MAKERS = {"vit": save_small_vit, "cnn": save_small_cnn}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return the folder of a tiny ViT and of a tiny CNN, in the models folder of the home."""
    home = tmp_path_factory.mktemp("home")
    made = {family: save(home / "models" / family) for family, save in MAKERS.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDSCOPE_HOME", str(home))
        yield made
    _load.cache_clear()


def vectors_of(data, **params):
    return get_embedder("image_features", **params).fit(data).vectors(data)


@pytest.mark.parametrize("family", MAKERS)
def test_features_are_those_that_timm_gives_to_the_classifier(folders, family):
    import timm
    import torch
    from PIL import Image
    from safetensors.torch import load_file

    data = small(Modality.IMAGE)
    ours = vectors_of(data, model=str(folders[family]))
    config = json.loads((folders[family] / "config.json").read_text())
    arguments = config.get("model_args", {})
    classes = config["pretrained_cfg"].get("num_classes", config["num_classes"])
    network = timm.create_model(config["architecture"], num_classes=classes, **arguments).eval()
    network.load_state_dict(load_file(folders[family] / "model.safetensors"))
    transform = timm.data.create_transform(
        **timm.data.resolve_data_config({}, pretrained_cfg=config["pretrained_cfg"])
    )
    with torch.inference_mode():
        batch = torch.stack([transform(Image.fromarray(decode(i))) for i in data.items])
        theirs = network.forward_head(network.forward_features(batch), pre_logits=True)
    np.testing.assert_allclose(ours.matrix, theirs.numpy(), atol=1e-5)
    assert ours.provenance["weights_sha256"]


def test_a_vit_reads_another_side_with_its_positions_resampled(folders):
    data = small(Modality.IMAGE)
    own = vectors_of(data, model=str(folders["vit"]))
    larger = vectors_of(data, model=str(folders["vit"]), side=64)
    assert "64 x 64 pixels" in larger.provenance["notes"][1]
    assert larger.dim == own.dim
    assert not np.allclose(larger.matrix, own.matrix, atol=1e-3)


def test_the_middle_or_the_whole_of_a_long_image_is_seen(folders):
    middle = np.full((40, 400, 3), 255, np.uint8)
    ends = middle.copy()
    ends[:, :60] = 0  # outside of the middle
    data = Dataset("long", Modality.IMAGE, ("a", "b"), [encode_png(middle), encode_png(ends)])
    a, b = vectors_of(data, model=str(folders["cnn"])).matrix
    np.testing.assert_allclose(a, b, atol=1e-6)
    a, b = vectors_of(data, model=str(folders["cnn"]), crop="whole").matrix
    assert np.abs(a - b).max() > 1e-3


def test_odd_images_all_embed(folders):
    files = sorted(p for p in shared_data("odd_images_valid").rglob("*") if p.suffix != ".md")
    wide = encode_png(np.zeros((1, 20_000, 3), np.uint8))
    images = [*(p.read_bytes() for p in files), wide, encode_png(np.zeros((1, 1), np.uint8))]
    data = Dataset("odd", Modality.IMAGE, tuple(map(str, range(len(images)))), images)
    assert len(data) == 56
    for model in folders.values():
        assert np.isfinite(vectors_of(data, model=str(model)).matrix).all()


def test_a_model_of_the_hub_is_downloaded_on_consent_and_then_used(folders, monkeypatch, tmp_path):
    from embedders.hub_download import fetch

    monkeypatch.setenv("EMBEDSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    data = small(Modality.IMAGE)
    with small_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hub.add("timm/test_resnet.r160_in1k", files_of(folders["cnn"]))
        embedder = get_embedder("image_features", model="test_resnet")
        assert embedder.availability(embedder.params).state == "needs_download"
        with pytest.raises(EmbedderUnavailable, match="can be downloaded"):
            embedder.fit(data)
        assert hub.asked == []  # nothing is asked without consent
        fetch(embedder.needs(embedder.params), consent=True)
        n_asked = len(hub.asked)
        ours = embedder.fit(data).vectors(data)
        assert len(hub.asked) == n_asked  # timm downloads nothing by itself
    assert ours.provenance["model"] == "timm/test_resnet.r160_in1k"
    np.testing.assert_array_equal(
        ours.matrix, vectors_of_folder(data, folders["cnn"], monkeypatch).matrix
    )


def vectors_of_folder(data, folder, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_MODEL_FOLDERS", str(folder))
    return vectors_of(data, model=str(folder))


def test_a_checkpoint_that_leaves_a_tensor_at_random_is_refused(folders, tmp_path, monkeypatch):
    from safetensors.numpy import load_file, save_file

    monkeypatch.setenv("EMBEDSCOPE_MODEL_FOLDERS", str(tmp_path))
    broken = shutil.copytree(folders["vit"], tmp_path / "broken")
    weights = load_file(broken / "model.safetensors")
    del weights["blocks.0.attn.qkv.weight"]
    save_file(weights, broken / "model.safetensors")
    with pytest.raises(EmbedderUnavailable, match=r"1 of \d+ tensors .*attn\.qkv\.weight"):
        get_embedder("image_features", model=str(broken)).fit(small(Modality.IMAGE))


def test_a_file_of_weights_fits_its_architecture_or_is_refused(folders, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_MODEL_FOLDERS", str(folders["cnn"].parent))
    file, data = str(folders["cnn"] / "model.safetensors"), small(Modality.IMAGE)
    vectors = vectors_of(data, model="test_resnet", checkpoint=file)
    assert vectors.dim == 96
    with pytest.raises(EmbedderUnavailable, match="do not fit resnet18"):
        get_embedder("image_features", model="resnet18", checkpoint=file).fit(data)


def test_weights_that_hold_program_code_are_never_run(folders, tmp_path, monkeypatch):
    import pickle

    monkeypatch.setenv("EMBEDSCOPE_MODEL_FOLDERS", str(tmp_path))
    ran = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return (ran.write_text, ("x",))

    file = tmp_path / "weights.pt"
    file.write_bytes(pickle.dumps({"state_dict": Evil()}, protocol=2))
    embedder = get_embedder("image_features", model="test_resnet", checkpoint=str(file))
    with pytest.raises(EmbedderUnavailable, match="be read safely"):
        embedder.fit(small(Modality.IMAGE))
    assert not ran.exists()


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"model": "resnet81"}, ParameterError, "Did you mean 'resnet18'"),
        ({"model": "resnet18.a9_in1k"}, ParameterError, "Did you mean .*'a1_in1k'"),
        ({"model": " "}, ParameterError, "is empty"),
        ({"model": "timm/resnet18.a1_in1k", "checkpoint": "x.pt"}, ParameterError, "Leave one"),
        ({"model": "/no/such/folder"}, EmbedderUnavailable, "not loaded from"),
        ({"model": "resnet18", "checkpoint": "/etc/passwd"}, EmbedderUnavailable, "not loaded"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_loaded(folders, params, error, message):
    embedder = get_embedder("image_features", **params)
    with pytest.raises(error, match=message):
        embedder.fit(small(Modality.IMAGE))
    state = embedder.availability(embedder.params)
    assert state.state == "needs_extra"
    assert state.hint.endswith((".", "?"))
    if error is ParameterError:
        assert embedder.needs(embedder.params) is None


def test_a_folder_of_another_library_is_refused(folders, tmp_path, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_MODEL_FOLDERS", str(tmp_path))
    other = shutil.copytree(folders["vit"], tmp_path / "bert")
    for config, message in (
        ({"architectures": ["BertModel"]}, "is no model of timm"),
        ({"architecture": "no_such_net"}, "does not know"),
        ({"architecture": "resnet18", "model_args": {"depth": 3}}, "cannot be built"),
    ):
        (other / "config.json").write_text(json.dumps(config))
        _load.cache_clear()
        with pytest.raises(EmbedderUnavailable, match=message):
            get_embedder("image_features", model=str(other)).fit(small(Modality.IMAGE))


def test_the_table_of_names_is_that_of_the_installed_timm():
    import runpy

    made = runpy.run_path(str(TABLE.with_name("list_timm_models.py")))["lines"]()
    assert TABLE.read_text().splitlines() == made
    assert listed()["resnet18"][0] == "a1_in1k"


def test_what_is_told_of_known_models_is_what_timm_knows():
    from timm.models import get_pretrained_cfg

    for model in KNOWN:
        config = get_pretrained_cfg(model.name)
        assert config.license == model.licence.lower(), model.name
        assert config.input_size[1] == model.side, model.name
        assert resolve(model.name).source.mb == model.mb
    import timm
    import torch

    for model in KNOWN[:2]:  # all are checked by benchmarks/image_models.py --known
        with torch.device("meta"):
            whole = timm.create_model(model.name)
        size = sum(t.numel() * t.element_size() for t in whole.state_dict().values())
        assert round(size / 1e6) == model.mb
        assert whole.head_hidden_size == model.dim


def test_a_changed_file_of_weights_is_another_run(folders, tmp_path, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_MODEL_FOLDERS", str(tmp_path))
    file = tmp_path / "w.safetensors"
    shutil.copy(folders["cnn"] / "model.safetensors", file)
    data = dataclasses.replace(small(Modality.IMAGE))
    embedder = get_embedder("image_features", model="test_resnet", checkpoint=str(file))
    before = embedder.fingerprint(data)
    file.write_bytes(file.read_bytes() + b"\0")
    assert embedder.fingerprint(data) != before


def test_a_run_is_not_asked_with_other_weights_than_its_own(folders, tmp_path, monkeypatch):
    from safetensors.numpy import load_file, save_file

    monkeypatch.setenv("EMBEDSCOPE_MODEL_FOLDERS", str(tmp_path))
    folder, data = shutil.copytree(folders["vit"], tmp_path / "vit"), small(Modality.IMAGE)
    asked = {"model": str(folder)}
    fitted = get_embedder("image_features", **asked).fit(data)
    state, first = fitted.state(), fitted.vectors(data).matrix
    restored = get_embedder("image_features", **asked).restore(state)
    np.testing.assert_allclose(restored.embed_query(data.items[0]), first[0], atol=1e-5)
    weights = load_file(folder / "model.safetensors")
    weights["norm.weight"] *= 2
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(EmbedderUnavailable, match=r"are no longer those .* Embed the data again"):
        get_embedder("image_features", **asked).restore(state)
    # A new run reads what lies there now, not what is in memory.
    assert np.abs(vectors_of(data, **asked).matrix - first).max() > 0.1


@pytest.mark.skipif(not precision.has_bfloat16(), reason="no bfloat16 in this processor")
@pytest.mark.parametrize("family", MAKERS)
def test_sixteen_bit_arithmetic_is_near_and_its_distance_is_told(folders, family):
    data, asked = small(Modality.IMAGE), {"model": str(folders[family]), "normalise": True}
    exact = vectors_of(data, **asked)
    rough = get_embedder("image_features", **asked, precision="bfloat16").fit(data)
    vectors = rough.vectors(data)
    cosines = (exact.matrix * vectors.matrix).sum(axis=1)
    assert vectors.matrix.tobytes() != exact.matrix.tobytes()
    assert cosines.min() > 0.99
    note = vectors.provenance["notes"][-1]
    mean, lowest = map(float, re.findall(r"0\.9\d+|1\.0+", note))
    assert (mean, lowest) == pytest.approx((cosines.mean(), cosines.min()), abs=2e-3)
    kept = get_embedder("image_features", **asked, precision="bfloat16").restore(rough.state())
    query = data.items[0]
    assert kept.embed_query(query).tobytes() == rough.embed_query(query).tobytes()
    assert vectors_of(data, **asked).matrix.tobytes() == exact.matrix.tobytes()
