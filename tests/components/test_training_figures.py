"""What is drawn of a training: the loss, the tokens' vectors, the topics as colours."""

from __future__ import annotations

import numpy as np
import pytest

from components.figures.loss_curve import (
    held_out_caption,
    held_out_curve,
    held_out_words,
    loss_curve,
)
from components.figures.token_strips import token_strips
from components.training_progress import training_words


def test_the_loss_curve_counts_epochs_from_one():
    trace = loss_curve([3.0, 2.0, 1.5]).data[0]
    assert list(trace.x) == [1, 2, 3]
    assert list(trace.y) == [3.0, 2.0, 1.5]


def test_what_held_out_items_said_is_drawn_beside_chance_with_the_kept_epoch_marked():
    held_out = {
        "name": "recall@5",
        "values": [0.1, 0.6, 0.5],
        "chance": 0.05,
        "start": 0,
        "kept": 1,
    }
    figure = held_out_curve(held_out)
    line, kept = figure.data
    assert list(line.x) == [0, 1, 2]
    assert (list(kept.x), list(kept.y)) == ([1], [0.6])
    assert figure.layout.shapes[0].y0 == 0.05
    assert figure.layout.yaxis.title.text == "recall@5"
    low, high = figure.layout.yaxis.range
    assert low == 0
    assert high > 0.6
    caption = held_out_caption(held_out)
    assert caption.startswith("Recall@5 on held-out items")
    assert "0.050" in caption
    assert "epoch 1," in caption


def test_a_running_training_leaves_room_for_the_epochs_to_come():
    held_out = {"name": "recall@5", "values": [0.1, 0.3], "start": 0, "chance": 0.05}
    for figure in (loss_curve([3.0], n_epochs=10), held_out_curve(held_out, n_epochs=10)):
        low, high = figure.layout.xaxis.range
        assert low <= 1
        assert high >= 10


def test_the_line_of_a_running_training_says_where_it_stands():
    held_out = {
        "name": "recall@5",
        "values": [0.1, 0.6, 0.5],
        "chance": 0.05,
        "start": 0,
        "kept": 1,
    }
    training = {"stage": "training", "epochs": 9, "losses": [2.0, 1.25], "held_out": held_out}
    assert training_words(training) == (
        "Training: loss 1.250 after epoch 2 of at most 9 · recall@5 on held-out items 0.500 "
        "(chance 0.050, dotted, before training 0.100, best 0.600 after epoch 1)"
    )
    assert training_words({**training, "held_out": None}).endswith("epoch 2 of at most 9")


def test_a_result_says_what_its_kept_epoch_reached():
    held_out = {"name": "accuracy", "values": [0.3, 0.652, 0.6], "chance": 0.1, "kept": 2, "n": 160}
    words = held_out_words(held_out, "images")
    assert words == "accuracy .65 on 160 held-out images after the best epoch · chance .10"
    before = {"name": "recall@5", "values": [1.0], "start": 0, "kept": 0, "chance": 0.012}
    assert held_out_words(before) == "recall@5 1.00 on held-out items · chance .012"
    assert "before training, which no epoch bettered" in held_out_words(
        {**before, "values": [0.5, 0.4]}
    )


@pytest.mark.parametrize(
    ("reached", "chance", "words"),
    [
        (0.997, 0.0004, "recall@5 > .99 on held-out items · chance < .001"),
        (0.994, 0.0006, "recall@5 .99 on held-out items · chance .001"),
        (1.0, 0.0, "recall@5 1.00 on held-out items · chance .00"),
    ],
)
def test_figures_are_never_rounded_to_all_or_nothing(reached, chance, words):
    held_out = {"name": "recall@5", "values": [reached], "chance": chance}
    assert held_out_words(held_out) == words
    told = held_out_caption({**held_out, "chance": 0.0004})
    assert told.endswith("dotted: chance, < 0.001.")


def test_without_chance_and_kept_epoch_only_the_line_is_drawn():
    figure = held_out_curve({"name": "accuracy", "values": [0.1, 0.2]})
    assert len(figure.data) == 1
    assert list(figure.data[0].x) == [1, 2]
    assert not figure.layout.shapes


def test_equal_tokens_keep_rows_of_their_own_and_the_text_comes_last():
    matrix = np.array([[1, -2], [1, -2], [0, 0]], np.float32)
    heat = token_strips(["bank", "bank", "of"], matrix, np.array([4, 1], np.float32)).data[0]
    assert len(set(heat.y)) == 4
    assert heat.y[0] == "the text\u200b\u200b\u200b"  # drawn from the bottom up
    np.testing.assert_allclose(heat.z[0], [1, 0.25])
    np.testing.assert_allclose(heat.z[-1], [0.5, -1])
    np.testing.assert_allclose(heat.z[1], [0, 0])  # a zero vector stays blank
