"""Every family of pretrained models from a hub on this machine: broken, wrong, offline, whole."""

from __future__ import annotations

import hashlib
import socket

import numpy as np
import pytest
import small_hub
import small_text_models
from small_clip import save_small_clip
from small_datasets import image_dataset, make_texts
from small_image_models import save_small_cnn, save_small_vit

from core.errors import EmbedderUnavailable, UnsafeSource
from embedders import get_embedder
from embedders.hub_download import fetch
from embedders.hub_model import at_hand

FAMILIES = {
    "BERT": ("bert", small_text_models.bert),
    "T5": ("bert", small_text_models.sentence_t5),
    "GPT-style": ("bert", small_text_models.gpt2),
    "CLIP": ("clip", lambda folder: save_small_clip(folder, "clip")),
    "CoCa": ("clip", lambda folder: save_small_clip(folder, "coca")),
    "ViT": ("image_features", save_small_vit),
    "CNN": ("image_features", save_small_cnn),
}


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with small_hub.in_use(tmp_path, monkeypatch) as one:
        yield one


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_refused_wrong_and_offline_and_comes_whole_after_a_break(
    family, hub, tmp_path, monkeypatch
):
    method, make = FAMILIES[family]
    files = small_hub.files_of(make(tmp_path / "made"))
    hub.add("org/tiny", files)
    embedder = get_embedder(method, model="hf-hub:org/tiny" if method == "clip" else "org/tiny")
    data = image_dataset() if method == "image_features" else make_texts(["a bank", "a red cat"])
    source = embedder.needs(embedder.params)
    with pytest.raises(EmbedderUnavailable, match="org/tiny is not on this machine"):
        embedder.fit(data)
    with socket.socket() as closed, monkeypatch.context() as offline:
        closed.bind(("127.0.0.1", 0))
        offline.setenv("HF_ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(EmbedderUnavailable, match="cannot be reached, so org/tiny was not"):
            fetch(source, consent=True)
    assert hub.asked == []

    hub.corrupts = True
    with pytest.raises(UnsafeSource, match="not the published org/tiny"):
        fetch(source, consent=True)
    assert at_hand(source) is None
    hub.corrupts = False

    large = [content for name, content in files.items() if name.endswith(small_hub.LARGE)]
    weights = max(large, key=len)  # a dense layer of its own is smaller
    hub.breaks_at = len(weights) - 100
    told = []
    fetch(source, lambda *call: told.append(call), consent=True)
    assert f"bytes={len(weights) - 100}-" in [asked for _, _, asked in hub.asked]
    assert any(stage.startswith("downloading") for _, _, stage, *_ in told)

    n_asked = len(hub.asked)
    vectors = embedder.fit(data).vectors(data)
    assert np.isfinite(vectors.matrix).all()
    assert np.ptp(vectors.matrix, axis=0).max() > 0
    assert vectors.provenance["weights_sha256"] == hashlib.sha256(weights).hexdigest()
    assert len(hub.asked) == n_asked  # no library fetches by itself
