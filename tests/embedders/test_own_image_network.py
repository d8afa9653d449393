"""What a network trained on the user's images learns, says and remembers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from core.errors import Cancelled, DatasetError, ParameterError, UnreadableSource
from core.modality import Modality
from core.progress import quiet
from embedders import get_embedder
from embedders.image_classes import labelled_images
from embedders.image_items import image_references
from embedders.image_networks import Blueprint
from embedders.image_training import Plan, augmented, train
from ingest.dataset import Dataset
from ingest.images import encode_png

QUICK = {"size": "small", "side": "28", "epochs": 2}


def pictures(files, labels=None, **columns):
    ids = tuple(f"i{i}" for i in range(len(files)))
    named = {**({"kind": labels} if labels is not None else {}), **columns}
    roles = {"kind": "label"} if labels is not None else {}
    return Dataset("pictures", Modality.IMAGE, ids, files, pd.DataFrame(named), roles)


def digits(n):
    found = load_digits()
    files = [encode_png((image * 15.9).astype(np.uint8)) for image in found.images[:n]]
    return pictures(files, [str(t) for t in found.target[:n]])


def noise(n, seed=0, side=8):
    rng = np.random.default_rng(seed)
    return [encode_png(rng.integers(0, 255, (side, side, 3), np.uint8)) for _ in range(n)]


def split(data, share=0.25, column="", seed=0):
    return labelled_images(
        data, image_references(data, quiet), column=column, held_out=share, seed=seed
    )


@pytest.fixture(scope="module")
def taught():
    """Return 300 digits, 40 of them without a label, and a network taught on the others."""
    data = digits(300)
    columns = data.columns.copy()
    columns.loc[:39, "kind"] = None
    data = dataclasses.replace(data, columns=columns)
    return data, get_embedder("own_image_network", **{**QUICK, "epochs": 6}).fit(data)


def test_digits_are_told_apart_also_those_that_had_no_label(taught):
    data, embedder = taught
    vectors = embedder.vectors(data)
    held_out = vectors.provenance["held_out"]
    assert held_out["name"] == "accuracy"
    assert held_out["n"] == pytest.approx(52, abs=3)
    assert held_out["values"][held_out["kept"] - 1] == max(held_out["values"]) > 0.75
    assert held_out["knn_accuracy"] > 0.75
    assert held_out["chance"] < 0.2
    assert len(vectors.provenance["losses"]) == len(held_out["values"])
    unit = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    nearest = (unit[:40] @ unit[40:].T).argmax(1)
    truth = load_digits().target
    assert (truth[40:][nearest] == truth[:40]).mean() > 0.75


def test_before_it_runs_it_says_what_would_be_learnt_or_why_nothing_can_be(taught):
    data, embedder = taught
    assert (
        embedder.estimate(data) == "Learns 10 classes of 'kind' from 260 images; 40 have no label."
    )
    assert not embedder.refusal(data)
    nothing = embedder.refusal(pictures(noise(4)))
    assert nothing.startswith("pictures has no label to learn")


def test_what_was_learnt_is_said_in_sentences(taught):
    data, embedder = taught
    notes = " ".join(embedder.vectors(data).provenance["notes"])
    assert "learnt 10 classes of 'kind'" in notes
    assert "Accuracy on" in notes
    assert "largest class" in notes
    assert "40 images have no label: embedded, but not learnt." in notes
    assert "mirrored" not in notes  # digits are grey: a mirrored 2 is no 2


def test_the_best_epoch_is_kept_and_training_ends_when_none_is_better():
    data = pictures(noise(24), ["a", "b"] * 12)  # nothing to learn
    params = {**QUICK, "epochs": 40, "patience": 3, "held_out": 0.5}
    about = get_embedder("own_image_network", **params).fit(data).vectors(data).provenance
    held_out = about["held_out"]
    assert held_out["kept"] == int(np.argmax(held_out["values"])) + 1
    assert len(held_out["values"]) == held_out["kept"] + 3 < 40


def test_held_out_images_change_nothing_that_is_learnt():
    files, labels = noise(24), ["a", "b"] * 12
    data = pictures(files, labels)
    rows = np.flatnonzero(split(data).held_out)
    others = list(files)
    for row, new in zip(rows, noise(len(rows), seed=9), strict=True):
        others[row] = new
    both = []
    for images in (files, others):
        params = {**QUICK, "held_out": 0.25, "patience": 0, "epochs": 1}
        embedder = get_embedder("own_image_network", **params).fit(pictures(images, labels))
        both.append(embedder.state())
    learnt = [n for n in both[0] if n.startswith("weight.") or n in {"mean", "std"}]
    assert all(both[0][n].tobytes() == both[1][n].tobytes() for n in learnt)


def test_copies_never_lie_on_both_sides():
    files = noise(20)
    data = pictures(files + files + files[:3], ["a", "b"] * 20 + ["a", "b", "b"])
    found = split(data, share=0.5)
    assert len(found.images) == 20
    assert found.n_copies == 23
    assert found.n_disputed == 1  # the third file is "a" twice and "b" once
    assert found.names[found.target[2]] == "a"


def test_every_class_keeps_an_image_to_learn_and_gives_its_share():
    data = pictures(noise(31), ["many"] * 20 + ["some"] * 10 + ["one"])
    found = split(data, share=0.3)
    held = [found.names[t] for t in found.target[found.held_out]]
    assert sorted(held) == ["many"] * 6 + ["some"] * 3
    assert found.chance == pytest.approx(6 / 9)
    assert not np.array_equal(found.held_out, split(data, share=0.3, seed=1).held_out)


def test_a_named_column_is_learnt_whatever_its_type():
    data = pictures(noise(6), ["x"] * 6, size=[1.0, 2.0, 1.0, 2.0, np.nan, 2.0])
    found = split(data, column="size")
    assert found.names == ("2", "1")
    assert found.n_unlabelled == 1
    with pytest.raises(ParameterError, match="Did you mean 'size'"):
        split(data, column="sise")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "no label to learn"),
        (["a"] * 6, "only one class|nothing to tell apart"),
        ([None] * 6, "is empty"),
        (list("abcdef"), "6 different values for 6 images"),
    ],
)
def test_labels_that_teach_nothing_are_refused_in_one_sentence(labels, message):
    data = pictures(noise(6), labels)
    with pytest.raises(DatasetError, match=message):
        get_embedder("own_image_network", **QUICK).fit(data)


def test_a_training_that_gets_lost_says_so():
    pixels = np.random.default_rng(0).integers(0, 255, (16, 28, 28, 1), np.uint8)
    plan = Plan(4, 8, 1e30, mirror=False, shift=False, mixup=0, patience=0, seed=0)
    blueprint = Blueprint("cnn", "small", 28, 1, 2)
    with pytest.raises(ParameterError, match="Lower the learning rate, which was 1e"):
        train(blueprint, pixels, np.arange(16) % 2, np.zeros(16, np.bool_), plan, quiet)


def test_an_image_that_cannot_be_read_is_named():
    data = pictures([*noise(5), b"not an image"], ["a", "b"] * 3)
    with pytest.raises(UnreadableSource, match="i5 cannot be read"):
        get_embedder("own_image_network", **QUICK).fit(data)


@pytest.mark.parametrize("architecture", ["cnn", "vit"])
def test_progress_comes_with_every_batch_and_may_cancel(architecture):
    data, notes = pictures(noise(24), ["a", "b"] * 12), []

    def listen(done, total, stage="", note=""):
        if stage == "training":
            notes.append(note)
            if len(notes) == 6:
                raise Cancelled

    embedder = get_embedder("own_image_network", architecture=architecture, batch=8, **QUICK)
    with pytest.raises(Cancelled):
        embedder.fit(data, listen)
    assert not embedder.is_fitted
    assert notes[1].startswith("epoch 1 of 2, loss ")
    assert notes[4].startswith("epoch 2 of 2, loss ")  # three batches of eight an epoch


def test_training_leaves_torch_as_it_was():
    import torch

    torch.manual_seed(1)
    state, n = torch.get_rng_state(), torch.get_num_threads()
    get_embedder("own_image_network", **QUICK).fit(pictures(noise(8), ["a", "b"] * 4))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == n


def test_images_are_mirrored_and_shifted_as_asked():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (40, 16, 16, 3), np.uint8)
    plan = Plan(1, 8, 0.1, mirror=False, shift=False, mixup=0, patience=0, seed=0)
    np.testing.assert_array_equal(augmented(pixels, plan, rng), pixels)
    turned = augmented(pixels, dataclasses.replace(plan, mirror=True), rng)
    as_is = (turned == pixels).all(axis=(1, 2, 3))
    np.testing.assert_array_equal(turned[~as_is], pixels[~as_is, :, ::-1])
    assert 5 < as_is.sum() < 35
    shifted = augmented(pixels, dataclasses.replace(plan, shift=True), rng)
    centre = pixels[:, 4:12, 4:12]
    found = [
        any(
            np.array_equal(s[4 + dy : 12 + dy, 4 + dx : 12 + dx], c)
            for dy in range(-2, 3)
            for dx in range(-2, 3)
        )
        for s, c in zip(shifted, centre, strict=True)
    ]
    assert all(found)
    assert (shifted != pixels).any()
