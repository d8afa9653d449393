"""What BERT vectors mean, and that they are the published model's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_datasets import make_texts

from benchmarks.published_figures import stsb_spearman
from core.errors import EmbedderUnavailable
from embedders import get_embedder, minilm
from embedders.torchvision_schemas import declare_missing
from tests.conftest import shared_data

ROOT = Path(__file__).resolve().parents[2]
SENTENCES = [
    "A man is playing a guitar.",
    "Someone plays an instrument.",
    "The bank raised its interest rate by a quarter of a point on Tuesday, surprising markets.",
    "Rain.",
    "naïve café 東京 😀",
    "The river bank was muddy after the long rain of the week before, and nobody could walk there.",
]


@pytest.fixture(scope="module")
def reference():
    """Return token states and mask of each sentence alone, from transformers itself."""
    import torch

    declare_missing()
    from transformers import BertModel, BertTokenizerFast

    folder = str(minilm.model_folder())
    tokenizer = BertTokenizerFast.from_pretrained(folder, local_files_only=True)
    model = BertModel.from_pretrained(folder, local_files_only=True).eval()
    with torch.inference_mode():
        out = [
            model(**tokenizer(s, return_tensors="pt"), output_hidden_states=True).hidden_states
            for s in SENTENCES
        ]
    return [[layer[0].numpy() for layer in states] for states in out]


POOLS = {
    "mean": lambda s: s.mean(axis=0),
    "cls": lambda s: s[0],
    "max": lambda s: s.max(axis=0),
}


@pytest.mark.parametrize("layer", [0, 3, 6])
@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_layer_and_pooling_equal_a_hand_computation(layer, pooling, reference):
    data = make_texts(SENTENCES)
    embedder = get_embedder("bert", layer=layer, pooling=pooling, normalise=False)
    expected = [POOLS[pooling](states[layer]) for states in reference]
    np.testing.assert_allclose(embedder.fit(data).vectors(data).matrix, expected, atol=2e-5)


def test_normalised_vectors_have_length_one():
    data = make_texts(SENTENCES)
    matrix = get_embedder("bert").fit(data).vectors(data).matrix
    np.testing.assert_allclose(np.linalg.norm(matrix, axis=1), 1, atol=1e-5)


def test_vectors_equal_those_of_sentence_transformers():
    declare_missing()
    from sentence_transformers import SentenceTransformer

    data = make_texts([*SENTENCES, *SENTENCES, "word " * 400])
    ours = get_embedder("bert").fit(data).vectors(data)
    theirs = SentenceTransformer(str(minilm.model_folder()), device="cpu")
    expected = theirs.encode(data.items, show_progress_bar=False)
    assert np.abs(ours.matrix - expected).max() < 1e-5


def test_meaning_beats_shared_words():
    data = make_texts(
        ["How do I reset my password?", "I forgot my login credentials.", "How do I bake my bread?"]
    )
    m = get_embedder("bert").fit(data).vectors(data).matrix
    assert m[0] @ m[1] > m[0] @ m[2] + 0.2


def test_texts_cut_at_the_maximum_length_are_counted():
    data = make_texts(["one two three", "word " * 50, "word " * 60])
    vectors = get_embedder("bert", max_length=16).fit(data).vectors(data)
    assert vectors.provenance["n_truncated"] == 2
    assert "2 of 3 texts were longer and were cut" in " ".join(vectors.provenance["notes"])
    assert vectors.matrix[1].tobytes() == vectors.matrix[2].tobytes()


def test_repeated_texts_are_embedded_once(monkeypatch):
    embedder = get_embedder("bert").fit(make_texts(["a"]))
    sizes = []
    original = type(embedder)._embed_batch
    monkeypatch.setattr(
        type(embedder), "_embed_batch", lambda s, i: sizes.append(len(i)) or original(s, i)
    )
    vectors = embedder.vectors(make_texts(["a", "b", "a", "A", "b"]))
    assert sum(sizes) == 2  # the model is uncased: "A" is "a"
    assert vectors.provenance["n_unique"] == 2


def test_batches_hold_few_long_or_many_short_texts(monkeypatch):
    embedder = get_embedder("bert").fit(make_texts(["a"]))
    shapes = []

    def record(self, items):
        shapes.append((len(items), max(map(len, items)), min(map(len, items))))
        return np.zeros((len(items), 3), np.float32)

    monkeypatch.setattr(type(embedder), "_embed_batch", record)
    numbers = [f"{i} " for i in range(300)]
    embedder.vectors(make_texts([n + "word " * 200 for n in numbers[:30]] + numbers))
    assert all(n * longest <= 2_048 for n, longest, _ in shapes)
    assert max(n for n, _, _ in shapes) == 128
    assert sum(n for n, _, _ in shapes) == 330


def test_tampered_weights_are_refused(monkeypatch, tmp_path):
    bad = tmp_path / "model.safetensors"
    bad.write_bytes(b"not the weights")
    with pytest.raises(EmbedderUnavailable, match="not the published ones"):
        minilm._check_weights(bad)


def test_a_missing_package_is_said_before_and_when_running(monkeypatch):
    monkeypatch.setattr(minilm, "missing_packages", lambda: ["torch"])
    embedder = get_embedder("bert", layer=5)
    state, hint, _ = embedder.availability(embedder.params)
    assert (state, "torch" in hint) == ("needs_extra", True)
    with pytest.raises(EmbedderUnavailable, match="torch"):
        embedder.fit(make_texts(["a"]))


def test_it_is_quiet_and_needs_no_network():
    code = """
import socket
def refuse(*a, **k): raise AssertionError("network")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
from core.modality import Modality
from ingest.dataset import Dataset
from embedders import get_embedder
d = Dataset("d", Modality.TEXT, ("a", "b"), ["one", "two"])
assert get_embedder("bert", layer=2).fit(d).vectors(d).dim == 384
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
def test_stsb_spearman_is_the_published_one():
    score = stsb_spearman("bert", shared_data("stsb_en"))
    assert score == pytest.approx(0.8203, abs=0.0005)


def test_the_multilingual_set_has_the_same_english_pairs():
    # Equal rows have equal vectors: the figure above holds for both sets.
    one, other = (shared_data(f"stsb_{name}") for name in ("en", "multilingual"))
    assert (one / "stsb-en-test.csv").read_bytes() == (other / "stsb-en-test.csv").read_bytes()
