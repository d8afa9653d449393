"""Two towers: the loss, what is no negative example, what is held out, and what is learnt."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pandas as pd
import pytest
from small_datasets import image_dataset, make_texts, small, small_pairs

from core.errors import (
    Cancelled,
    DatasetError,
    EmbedderUnavailable,
    ModalityMismatch,
    ParameterError,
    QueryError,
)
from core.modality import Modality
from embedders import get_embedder, tiny_clip
from embedders.contrastive_training import Schedule, Towers, info_nce, own_chance, train
from embedders.packing import pack_json, unpack_json
from embedders.pair_evaluation import Retrieval, chance, knn_accuracy, retrieval
from embedders.pair_sampling import (
    GivenPairs,
    LabelPairs,
    SelfPairs,
    split_labelled,
    split_pairs,
)
from embedders.text_tower import from_scratch
from ingest.dataset import Dataset, Edges
from ingest.paired_items import PairedItems
from ingest.scene_captions import describe
from ingest.scenes import COLOURS, PLACES, SHAPES, Group, Scene, draw, random_scene
from ingest.sides import Sides

SCRATCH = {"start": "scratch", "new_layers": 0, "new_width": 32, "dim": 16}


def paired(left, right, pairs, kinds=(Modality.TEXT, Modality.TEXT)):
    """Return a dataset of pairs; ``pairs`` count each side from 0."""
    source, target = np.array(pairs, np.int32).reshape(-1, 2).T
    n = len(left) + len(right)
    sides = Sides(("query", "document"), kinds, len(left))
    ones = np.ones(len(source), np.float32)
    return Dataset(
        "pairs",
        Modality.PAIRS,
        tuple(f"p{i}" for i in range(n)),
        PairedItems(left, right),
        pd.DataFrame({"side": sides.kinds(n)}),
        {"side": "label"},
        edges=Edges(source.copy(), target + np.int32(len(left)), ones, True),
        sides=sides,
    )


def counted(n):
    """Return ``n`` pairs "alpha i" and "beta i": only the number says what belongs together."""
    words = [f"{chr(97 + i // 26)}{chr(97 + i % 26)} {i}" for i in range(n)]
    left, right = [f"alpha {w}" for w in words], [f"beta {w}" for w in words]
    return paired(left, right, [(i, i) for i in range(n)])


def labelled(items, labels):
    data = make_texts(items)
    return dataclasses.replace(
        data, columns=pd.DataFrame({"topic": labels}), roles={"topic": "label"}
    )


# the loss
def unit(rows):
    import torch

    return torch.nn.functional.normalize(torch.tensor(rows, dtype=torch.float64), dim=1)


LEFT = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
RIGHT = [[1.0, 0.2], [0.3, 1.0], [1.0, 0.8]]


def by_hand(scores, excluded=()):
    """Return the mean of -log softmax of the diagonal, entry by entry."""
    total = 0.0
    for i in range(3):
        row = [np.exp(scores[i][j]) for j in range(3) if (i, j) not in excluded]
        total -= np.log(np.exp(scores[i][i]) / sum(row))
    return total / 3


def test_the_loss_is_info_nce_of_both_directions():
    left, right = unit(LEFT), unit(RIGHT)
    scores = (left @ right.T / 0.5).tolist()
    turned = [list(column) for column in zip(*scores, strict=True)]
    one = float(info_nce(left, right, temperature=0.5, is_symmetric=False))
    both = float(info_nce(left, right, temperature=0.5))
    assert one == pytest.approx(by_hand(scores), abs=1e-12)
    assert both == pytest.approx((by_hand(scores) + by_hand(turned)) / 2, abs=1e-12)


def test_what_belongs_together_besides_the_pair_is_no_negative_example():
    import torch

    left, right = unit(LEFT), unit(RIGHT)
    same = torch.eye(3, dtype=torch.bool)
    same[0, 2] = True
    scores = (left @ right.T / 0.5).tolist()
    found = float(info_nce(left, right, temperature=0.5, same=same, is_symmetric=False))
    assert found == pytest.approx(by_hand(scores, {(0, 2)}), abs=1e-12)
    assert found < by_hand(scores)


def test_the_loss_equals_that_of_sentence_transformers():
    import torch

    from embedders.torchvision_schemas import declare_missing

    declare_missing()
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    rng = np.random.default_rng(0)
    left, right = (torch.tensor(rng.normal(size=(7, 5)), dtype=torch.float32) for _ in "ab")
    theirs = MultipleNegativesRankingLoss(torch.nn.Identity(), scale=20.0)
    expected = float(theirs.compute_loss_from_embeddings([left, right], torch.arange(7)))
    ours = info_nce(
        torch.nn.functional.normalize(left, dim=1),
        torch.nn.functional.normalize(right, dim=1),
        temperature=0.05,
        is_symmetric=False,
    )
    assert float(ours) == pytest.approx(expected, abs=1e-5)


# which pairs
def test_known_pairs_and_equal_things_are_not_pushed_apart():
    pairs = np.array([[0, 3], [0, 4], [1, 4], [2, 5]])
    content = np.array([0, 1, 2, 3, 4, 2])  # right 5 is the same text as left 2
    same = GivenPairs(pairs, content).same(pairs[[0, 2, 3]])
    assert same.tolist() == [[True, True, False], [False, True, False], [False, False, True]]


def test_label_pairs_are_drawn_anew_and_mask_their_own_label():
    rows, codes = np.arange(10, 21), np.array([0] * 5 + [1] * 4 + [2] * 2)
    sampler, rng = LabelPairs(rows, codes), np.random.default_rng(0)
    code_of = dict(zip(rows.tolist(), codes.tolist(), strict=True))
    epochs = [sampler.epoch(rng) for _ in range(5)]
    for pairs in epochs:
        assert len(pairs) == sampler.n_pairs == 5
        assert len(np.unique(pairs)) == 10  # everybody at most once
        assert all(code_of[a] == code_of[b] and a != b for a, b in pairs.tolist())
    assert len({pairs.tobytes() for pairs in epochs}) == 5
    both = sampler.same(np.array([[10, 11], [12, 13], [15, 16]]))
    assert both.tolist() == [[True, True, False], [True, True, False], [False, False, True]]


def test_nothing_of_a_held_out_pair_is_seen_in_training():
    rng = np.random.default_rng(0)
    pairs = np.array([(i, 100 + i // 2) for i in range(100)])  # two left things per right one
    split = split_pairs(pairs, np.arange(150), 0.2, 1_000, rng)
    assert len(split.held_out) == 20
    assert len(split.train) == 80
    assert not split.leaks_right
    for side in (0, 1):
        assert not set(split.train[:, side]) & set(split.held_out[:, side])


def test_where_all_pairs_hang_together_left_things_are_held_out_and_that_is_told():
    pairs = np.array([(i, 30 + j) for i in range(30) for j in (i % 4, (i + 1) % 4)])
    split = split_pairs(pairs, np.arange(34), 0.2, 1_000, np.random.default_rng(0))
    assert split.leaks_right
    assert len(split.held_out) == 12
    assert not set(split.train[:, 0]) & set(split.held_out[:, 0])


def test_every_label_gives_its_share_to_what_is_held_out():
    codes = np.array([0] * 40 + [1] * 20 + [2] * 3)
    held, n = split_labelled(np.arange(63), codes, 0.2, 1_000, np.random.default_rng(0))
    assert n == 12
    assert [int(held[codes == c].sum()) for c in range(3)] == [8, 4, 0]


def test_labels_of_a_few_items_each_give_two_here_and_there():
    codes = np.repeat(np.arange(100), 4)
    held, n = split_labelled(np.arange(400), codes, 0.15, 1_000, np.random.default_rng(0))
    per_label = np.bincount(codes[held], minlength=100)
    assert set(per_label.tolist()) == {0, 2}
    assert 40 <= n <= 80


# how well
def test_recall_counts_the_rank_of_the_first_right_candidate():
    queries = np.eye(3, dtype=np.float32)
    candidates = np.array([[1, 0, 0], [0.9, 0.8, 0.1], [0, 0.9, 1]], np.float32)
    found = retrieval(queries, candidates, np.eye(3, dtype=bool))
    assert found.recall == {1: pytest.approx(2 / 3), 5: 1.0, 10: 1.0}
    assert found.mrr == pytest.approx((1 + 1 / 2 + 1) / 3)


def test_vectors_that_are_all_alike_find_nothing():
    ones = np.ones((8, 2), np.float32)
    found = retrieval(ones, ones, np.eye(8, dtype=bool))
    assert found.recall == {1: 0.0, 5: 0.0, 10: 1.0}
    assert found.mrr == pytest.approx(1 / 8)


def test_chance_is_what_random_orders_give():
    right = np.zeros((2, 6), bool)
    right[0, 0] = right[1, :2] = True
    expected = (5 / 6 + (1 - 0)) / 2  # of two right ones among six, five places hold at least one
    assert chance(right, (5,))[5] == pytest.approx(expected)
    rng = np.random.default_rng(0)
    many = rng.random((200, 40)) < 0.1
    many[~many.any(1), 0] = True
    draws = [
        retrieval(rng.normal(size=(200, 3)), rng.normal(size=(40, 3)), many).recall[5]
        for _ in range(60)
    ]
    assert np.mean(draws) == pytest.approx(chance(many)[5], abs=0.01)


def test_nearest_neighbours_vote_by_similarity():
    gallery = np.array([[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8]], np.float32)
    labels = ["a", "b", "b", "b"]
    queries = np.array([[1, 0], [0, 1]], np.float32)
    assert knn_accuracy(gallery, labels, queries, ["a", "b"], 1) == 1.0
    assert knn_accuracy(gallery, labels, queries, ["a", "b"], 3) == 0.5
    assert knn_accuracy(gallery, labels, queries, ["a", "never seen"], 1) == 0.5


# learning
@pytest.fixture(scope="module")
def learnt():
    data = counted(80)
    embedder = get_embedder("two_towers", seed=1, epochs=40, held_out=0.0, **SCRATCH).fit(data)
    return data, embedder


def test_pairs_are_learnt_by_heart(learnt):
    data, embedder = learnt
    matrix = embedder.vectors(data).matrix
    nearest = (matrix[:80] @ matrix[80:].T).argmax(1)
    assert (nearest == np.arange(80)).mean() > 0.9
    losses = embedder.vectors(data).provenance["losses"]
    assert losses[-1] < losses[0] / 4


def test_without_training_pairs_are_not_found():
    data = counted(80)
    untrained = get_embedder("two_towers", epochs=1, learning_rate=1e-9, held_out=0.0, **SCRATCH)
    matrix = untrained.fit(data).vectors(data).matrix
    assert ((matrix[:80] @ matrix[80:].T).argmax(1) == np.arange(80)).mean() < 0.9


def test_new_items_and_queries_lie_in_the_same_space(learnt):
    data, embedder = learnt
    matrix = embedder.vectors(data).matrix
    again = embedder.vectors(make_texts(list(data.items[:3])))
    np.testing.assert_allclose(again.matrix, matrix[:3], atol=1e-6)
    assert "Trained on pairs." in again.provenance["notes"]
    with pytest.raises(ModalityMismatch, match="trained on text data and reads nothing else"):
        embedder.vectors(image_dataset())
    with pytest.raises(QueryError, match="no tower was trained on image data"):
        embedder.embed_query(image_dataset().items[0])


def test_texts_that_were_cut_are_named(learnt):
    _, embedder = learnt
    long = "word " * 100_000
    about = embedder.vectors(paired(["one", long], [long, "", "two"], [[0, 0], [1, 2]])).provenance
    assert about["n_truncated"] == 2
    assert about["truncated"] == ["p1", "p2"]
    assert any('2 were longer and were cut: "p1", "p2".' in note for note in about["notes"])
    again = embedder.vectors(make_texts(["one"])).provenance
    assert (again["n_truncated"], again["truncated"]) == (0, [])
    assert any("none was longer." in note for note in again["notes"])


def test_texts_find_images_and_images_texts():
    colours = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (30, 40, 220)}
    left, right = [], []
    for name, colour in colours.items():
        for i in range(8):
            left.append(f"{name} picture {i}")
            right.append(png(np.clip(np.array(colour) + 3 * i - 12, 0, 255)))
    kinds = (Modality.TEXT, Modality.IMAGE)
    data = paired(left, right, [(i, i) for i in range(24)], kinds)
    settings = {**SCRATCH, "images": "descriptors", "batch_size": 8, "epochs": 30, "held_out": 0.0}
    embedder = get_embedder("two_towers", **settings).fit(data)
    vectors = embedder.vectors(data)
    assert vectors.kind_names == ("query", "document")
    for number, name in enumerate(colours):
        query = embedder.embed_query(f"{name} picture")
        best = np.argsort(-(vectors.matrix[24:] @ query))[:8]
        assert (best // 8 == number).mean() > 0.8
    query = embedder.embed_query(png((30, 40, 220)))
    assert (np.argsort(-(vectors.matrix[:24] @ query))[:5] // 8 == 2).all()


def png(colour):
    import io

    from PIL import Image

    buffer = io.BytesIO()
    pixels = np.broadcast_to(np.array(colour, np.uint8), (16, 16, 3))
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
    return buffer.getvalue()


def test_items_of_one_label_come_together():
    items = [f"{word} {i}" for word in ("cat", "kitten", "car", "truck") for i in range(10)]
    topics = ["pet"] * 20 + ["road"] * 20
    settings = {**SCRATCH, "epochs": 40, "batch_size": 4, "patience": 0}
    embedder = get_embedder("two_towers", **settings).fit(labelled(items, topics))
    vectors = embedder.vectors(make_texts(["cat", "kitten", "car", "truck"])).matrix
    assert vectors[0] @ vectors[1] > 0.8 > vectors[0] @ vectors[2]
    about = embedder.vectors(labelled(items, topics)).provenance
    assert about["held_out"]["name"] == "recall@5"
    assert about["held_out"]["after"] >= about["held_out"]["before"]
    assert len(about["held_out"]["values"]) == len(about["losses"]) + 1
    assert any("same topic (2 labels" in note for note in about["notes"])


def test_accuracy_on_test_texts_is_measured_before_and_after():
    items = [f"{word} {i}" for word in ("cat", "kitten", "car", "truck") for i in range(10)]
    data = labelled(items, ["pet"] * 20 + ["road"] * 20)
    test = labelled(["a kitten", "the truck", "one cat"], ["pet", "road", "pet"])
    embedder = get_embedder("two_towers", epochs=40, batch_size=4, test="d" + 24 * "0", **SCRATCH)
    embedder.supply("test", test)
    told = embedder.fit(data).vectors(data).provenance
    assert told["test"]["after"] == 1.0
    assert told["test"]["n"] == 3
    assert told["datasets"] == {"test": "texts"}
    with pytest.raises(ModalityMismatch, match="label"):
        get_embedder("two_towers").supply("test", make_texts())
    with pytest.raises(ParameterError, match="no dataset"):
        get_embedder("two_towers").supply("other", test)


def test_texts_that_are_trained_on_test_nothing():
    items = [f"{word} {i}" for word in ("cat", "car") for i in range(10)]
    data = labelled(items, ["pet"] * 10 + ["road"] * 10)
    settings = {**SCRATCH, "epochs": 1, "batch_size": 4, "test": "d" + 24 * "0"}
    embedder = get_embedder("two_towers", **settings)
    embedder.supply("test", labelled(["a cat", "car 3", "cat 4"], ["pet", "road", "pet"]))
    told = embedder.fit(data).vectors(data).provenance
    assert told["test"]["n"] == 1
    assert any("2 further texts of texts are among those trained on" in n for n in told["notes"])
    embedder = get_embedder("two_towers", **settings)
    embedder.supply("test", data)
    with pytest.raises(DatasetError, match=r"Every text of .* is among those"):
        embedder.fit(data)


def scripted(values):
    """Return an ``evaluate`` that answers with recall@5 values in turn."""
    rest = iter(values)

    def evaluate(tick):
        value = next(rest)
        return Retrieval({1: 0.0, 5: value, 10: 1.0}, value, 10, 10)

    return evaluate


def small_towers():
    with own_chance(0):
        tower = from_scratch(range(1000, 1020), layers=0, width=16, dim=8, max_length=16)
    texts = [(2, 3 + i, 3) for i in range(12)]
    return Towers(tower, tower, texts, 12), SelfPairs(np.arange(12))


def test_training_stops_early_and_keeps_the_best_epoch():
    kept = {}
    for patience, values, n_run in ((2, [0.1, 0.5, 0.4, 0.3, 0.9], 4), (0, [0.1, 0.5], 2)):
        towers, pairs = small_towers()
        schedule = Schedule(epochs=len(values), batch_size=6, patience=patience)
        start = scripted([0.0])(None)
        with own_chance(3):
            history = train(
                towers,
                pairs,
                schedule,
                seed=3,
                progress=lambda *a, **k: None,
                evaluate=scripted(values),
                before=start,
            )
        assert (len(history.losses), history.kept) == (n_run, 2)
        kept[patience] = towers.vectors(np.arange(12), 0, lambda: None)
    assert not np.allclose(kept[2], 0)


def test_a_model_that_training_made_worse_stays_as_it_was():
    towers, pairs = small_towers()
    before = towers.vectors(np.arange(12), 0, lambda: None)
    train(
        towers,
        pairs,
        Schedule(epochs=3, batch_size=6),
        seed=3,
        progress=lambda *a, **k: None,
        evaluate=scripted([0.1, 0.2, 0.1]),
        before=scripted([0.9])(None),
    )
    assert towers.vectors(np.arange(12), 0, lambda: None).tobytes() == before.tobytes()


def test_gradients_in_chunks_with_recomputing_equal_those_in_one_go(monkeypatch):
    import torch

    from embedders import contrastive_training
    from embedders.text_tower import TextTower

    found = []
    monkeypatch.setattr(
        torch.nn.utils,
        "clip_grad_norm_",
        lambda learnt, most: found.append([p.grad.clone() for p in learnt if p.grad is not None]),
    )
    for chunk, kept in ((100_000, 100_000), (40, 0)):
        monkeypatch.setattr(TextTower, "chunk_cost", chunk)
        monkeypatch.setattr(contrastive_training, "KEPT_COST", kept)
        with own_chance(0):
            tower = from_scratch(range(1000, 1020), layers=1, width=16, dim=8, max_length=16)
        for module in tower.body.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
            if hasattr(module, "dropout_prob"):
                module.dropout_prob = 0.0
        towers = Towers(tower, tower, [(2, *range(4, 4 + i), 3) for i in range(1, 9)], 8)
        pairs = GivenPairs(np.array([[0, 1], [2, 3], [4, 5], [6, 7]]), np.arange(8))
        train(towers, pairs, Schedule(epochs=1), seed=0, progress=lambda *a, **k: None)
    assert len(found[0]) == len(found[1]) > 10
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)
    assert any(gradient.abs().max() > 1e-3 for gradient in found[0])


# before there are pairs
def test_simcse_learns_from_texts_alone():
    data = small(Modality.TEXT)
    embedder = get_embedder(
        "two_towers",
        start="scratch",
        new_layers=1,
        new_width=32,
        pretraining_epochs=6,
        batch_size=8,
    )
    about = embedder.fit(data).vectors(data).provenance
    assert len(about["losses"]) == 6
    assert about["losses"][-1] < 0.8 * about["losses"][0]
    assert any("SimCSE" in note for note in about["notes"])


@pytest.mark.parametrize("layers", [0, 1])
def test_tsdae_learns_to_write_texts_again(layers):
    data = small(Modality.TEXT)
    embedder = get_embedder(
        "two_towers",
        start="scratch",
        new_layers=layers,
        new_width=32,
        pretraining="tsdae",
        pretraining_epochs=12,
        batch_size=8,
        learning_rate=0.005,
    )
    losses = embedder.fit(data).vectors(data).provenance["losses"]
    assert losses[-1] < 0.8 * losses[0]
    assert losses[0] > np.log(5)


def test_pretraining_comes_before_pairs(learnt):
    data, _ = learnt
    settings = {**SCRATCH, "new_layers": 1, "epochs": 1, "held_out": 0.0, "pretraining": "tsdae"}
    about = get_embedder("two_towers", **settings).fit(data).vectors(data).provenance
    assert len(about["pretraining_losses"]) == 1
    assert len(about["losses"]) == 1
    assert any("Pretrained with TSDAE on 160 texts" in note for note in about["notes"])


def test_texts_alone_with_no_pretraining_are_nothing_to_learn_from():
    with pytest.raises(DatasetError, match="neither pairs nor a label column"):
        get_embedder("two_towers", pretraining="none", **SCRATCH).fit(small(Modality.TEXT))


# the packaged model
def test_minilm_under_a_projection_starts_as_minilm():
    data = small_pairs(Modality.TEXT, Modality.TEXT)
    embedder = get_embedder("two_towers", epochs=1, learning_rate=1e-9, held_out=0.0).fit(data)
    texts = make_texts(list(data.items))
    minilm = get_embedder("bert").fit(texts).vectors(texts).matrix
    np.testing.assert_allclose(embedder.vectors(data).matrix, minilm, atol=1e-4)
    names = set(embedder.state())
    assert names == {"about", "left.head.weight"}  # what came with the program is not stored


def test_only_trained_layers_of_minilm_are_stored_and_others_stay_as_they_are():
    data = small_pairs(Modality.TEXT, Modality.TEXT)
    settings = {"train": "last", "last_layers": 1, "epochs": 1, "held_out": 0.0}
    embedder = get_embedder("two_towers", **settings).fit(data)
    state = embedder.state()
    assert all("layer.5" in name for name in state if name.startswith("left.body"))
    assert sum(a.nbytes for a in state.values()) < 8e6
    again = get_embedder("two_towers", **settings).restore(state)
    assert again.vectors(data).matrix.tobytes() == embedder.vectors(data).matrix.tobytes()
    texts = make_texts(list(data.items))
    minilm = get_embedder("bert").fit(texts).vectors(texts).matrix
    assert not np.allclose(embedder.vectors(data).matrix, minilm, atol=1e-3)


# odd input
def test_two_pairs_are_enough_and_one_is_not():
    settings = {**SCRATCH, "epochs": 2}
    data = counted(2)
    about = get_embedder("two_towers", **settings).fit(data).vectors(data).provenance
    assert any("No pair was held out (there are too few" in note for note in about["notes"])
    assert "held_out" not in about
    with pytest.raises(DatasetError, match="nothing to tell apart"):
        get_embedder("two_towers", **settings).fit(counted(1))


@pytest.mark.parametrize("side", ["query", "document"])
def test_one_thing_on_a_side_is_nothing_to_tell_apart(side):
    many, one = [f"thing {i}" for i in range(6)], ["the same"]
    data = (
        paired(one, many, [(0, i) for i in range(6)])
        if side == "query"
        else paired(many, one, [(i, 0) for i in range(6)])
    )
    with pytest.raises(DatasetError, match=f"have the same {side}"):
        get_embedder("two_towers", **SCRATCH).fit(data)


def test_one_label_is_nothing_to_tell_apart():
    with pytest.raises(DatasetError, match="1 label"):
        get_embedder("two_towers", **SCRATCH).fit(labelled(["a b", "c d", "e f"], ["x"] * 3))
    with pytest.raises(DatasetError, match="0 label"):
        get_embedder("two_towers", **SCRATCH).fit(labelled(["a b", "c d"], ["x", "y"]))


def test_items_without_a_label_take_no_part_and_are_counted():
    items = [f"word{i % 4} {i}" for i in range(24)]
    labels = [None if i < 3 else "even" if i % 2 else "odd" for i in range(24)]
    embedder = get_embedder("two_towers", epochs=1, **SCRATCH).fit(labelled(items, labels))
    notes = embedder.vectors(labelled(items, labels)).provenance["notes"]
    assert any("3 items took no part" in note for note in notes)


def test_training_that_diverges_is_told_with_what_to_change(monkeypatch):
    import torch

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *a, **k: None)
    data = counted(20)
    embedder = get_embedder("two_towers", **{**SCRATCH, "new_layers": 1, "epochs": 3})
    real = torch.optim.AdamW.step

    def poisoned(self, *args, **kwargs):
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.grad.fill_(float("nan"))
        return real(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", poisoned)
    with pytest.raises(DatasetError, match=r"went astray.*Lower the learning rate"):
        embedder.fit(data)
    assert not embedder.is_fitted


def test_a_cancelled_training_leaves_nothing_and_the_packaged_model_alone():
    data = small_pairs(Modality.TEXT, Modality.TEXT)
    embedder = get_embedder("two_towers", train="last", last_layers=1, epochs=3)
    calls = []

    def stop(done, total, stage="", note=""):
        calls.append(stage)
        if stage == "training" and done == 2:
            raise Cancelled

    texts = make_texts(list(data.items))
    before = get_embedder("bert").fit(texts).vectors(texts).matrix
    with pytest.raises(Cancelled):
        embedder.fit(data, stop)
    assert not embedder.is_fitted
    assert get_embedder("bert").fit(texts).vectors(texts).matrix.tobytes() == before.tobytes()


def test_the_first_training_of_a_process_gives_the_same_bytes_as_the_next():
    from embedders import minilm

    minilm.load.cache_clear()
    settings = {"train": "last", "last_layers": 1, "epochs": 1}
    data = small_pairs(Modality.TEXT, Modality.TEXT)
    first, again = (get_embedder("two_towers", **settings).fit(data).vectors(data) for _ in "ab")
    assert first.matrix.tobytes() == again.matrix.tobytes()


def test_the_first_training_of_a_process_on_the_bundled_clip_gives_the_same_bytes_as_the_next():
    tiny_clip.load.cache_clear()
    settings, data = {"images": "clip", "epochs": 1}, image_dataset()
    first, again = (get_embedder("two_towers", **settings).fit(data).vectors(data) for _ in "ab")
    assert first.matrix.tobytes() == again.matrix.tobytes()


def test_a_run_on_the_bundled_clip_is_known_by_its_weights(monkeypatch):
    data, images = image_dataset(), ("clip", "descriptors", "auto")
    before = [get_embedder("two_towers", images=start).fingerprint(data) for start in images]
    monkeypatch.setattr(tiny_clip, "WEIGHTS_SHA256", "0" * 64)
    after = [get_embedder("two_towers", images=start).fingerprint(data) for start in images]
    assert before[0] != after[0]
    assert before[1:] == after[1:]


def test_training_leaves_the_dice_of_others_alone():
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    get_embedder("two_towers", **{**SCRATCH, "epochs": 1}).fit(counted(6))
    assert torch.equal(torch.rand(3), expected)


def test_two_towers_of_their_own_keep_queries_and_documents_apart():
    data = counted(20)
    settings = {**SCRATCH, "shared": False, "epochs": 2, "held_out": 0.0}
    embedder = get_embedder("two_towers", **settings).fit(data)
    matrix = embedder.vectors(data).matrix
    left, right = data.items[3], data.items[23]
    np.testing.assert_allclose(embedder.embed_query(left), matrix[3], atol=1e-6)
    documents = embedder.vectors(make_texts([right]))
    np.testing.assert_allclose(documents.matrix[0], matrix[23], atol=1e-6)
    again = get_embedder("two_towers", **settings).restore(embedder.state())
    assert again.vectors(data).matrix.tobytes() == matrix.tobytes()
    for text, side, vector, tower in (
        (left, 0, matrix[3], "left"),
        (right, 1, matrix[23], "right"),
        (right, None, documents.matrix[0], "right"),
    ):
        trace = embedder.trace_item(text, side)
        np.testing.assert_allclose(trace.vector, vector, atol=1e-6)
        assert f"this is the {tower} one" in trace.rule
    query = embedder.trace(right)
    np.testing.assert_allclose(query.vector, embedder.embed_query(right), atol=1e-6)
    assert "this is the left one" in query.rule
    assert query.vector @ matrix[23] < 0.9


def scenes(n):
    """Return ``n`` drawn scenes with a caption each, as pairs."""
    rng = np.random.default_rng(3)
    made = [random_scene(rng) for _ in range(n)]
    files = []
    for seed, scene in enumerate(made):
        buffer = io.BytesIO()
        draw(scene, seed).save(buffer, "PNG")
        files.append(buffer.getvalue())
    kinds = (Modality.TEXT, Modality.IMAGE)
    return paired([describe(s) for s in made], files, [(i, i) for i in range(n)], kinds)


def test_the_bundled_clip_sees_drawn_scenes_and_is_not_stored_again():
    data = scenes(60)
    start = {**SCRATCH, "dim": 64, "images": "clip", "epochs": 40, "held_out": 0.3, "seed": 1}
    model = get_embedder("two_towers", **start).fit(data)
    about = model.vectors(data).provenance
    told = about["held_out"]
    assert about["reads"] == ["image", "text"]
    assert told["after"] > told["before"] + 0.2
    assert any("the bundled CLIP, left as it is" in note for note in model._about["notes"])
    state = model.state()
    assert [name for name in state if name.startswith("right.")] == ["right.head.weight"]
    again = get_embedder("two_towers", **start).restore(state)
    np.testing.assert_array_equal(again.vectors(data).matrix, model.vectors(data).matrix)
    about = unpack_json(state["about"])
    about["plans"][1]["weights"] = "0" * 64
    with pytest.raises(EmbedderUnavailable, match="another version of the bundled CLIP"):
        get_embedder("two_towers", **start).restore({**state, "about": pack_json(about)})


def shapes(n):
    """Return ``n`` pictures of one to three equal shapes somewhere, labelled by the shape."""
    rng, files = np.random.default_rng(3), []
    labels = [SHAPES[i % len(SHAPES)] for i in range(n)]
    for seed, shape in enumerate(labels):
        group = Group(int(rng.integers(1, 4)), shape, list(COLOURS)[rng.integers(len(COLOURS))])
        buffer = io.BytesIO()
        draw(Scene(group, place=list(PLACES)[rng.integers(len(PLACES))]), seed).save(buffer, "PNG")
        files.append(buffer.getvalue())
    ids, columns = tuple(f"s{i}" for i in range(n)), pd.DataFrame({"shape": labels})
    return Dataset("shapes", Modality.IMAGE, ids, files, columns, {"shape": "label"})


def test_the_bundled_clip_knows_shapes_before_training_and_its_figures_say_that_it_has_seen_such():
    told = {}
    for images in ("clip", "descriptors"):
        model = get_embedder("two_towers", images=images, epochs=1, held_out=0.4, seed=1)
        data = shapes(60)
        told[images] = model.fit(data).vectors(data).provenance
    clip, others = told["clip"], told["descriptors"]
    assert clip["held_out"]["before"] > others["held_out"]["before"] + 0.2
    assert clip["held_out"]["doubt"] == "the bundled CLIP may have seen these images"
    assert any("four fifths of scikit-learn's handwritten digits" in n for n in clip["notes"])
    assert "doubt" not in others["held_out"]
    assert others["reads"] == ["image"]
    assert not any("CLIP" in note for note in others["notes"])
