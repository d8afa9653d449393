"""What the neighbour list says about scores and classes."""

import numpy as np
import pandas as pd
import pytest

from components.items import RunItems
from components.neighbour_list import bar_lengths, class_agreement, shorten
from vectors.neighbors import Neighbors


def items(labels):
    keys = tuple(str(i) for i in range(len(labels)))
    return RunItems(keys, keys, None, pd.DataFrame({"topic": labels}), {"topic": "label"})


def neighbours(positions):
    n = len(positions)
    return Neighbors(
        keys=tuple(map(str, positions)),
        kinds=np.full(n, "document"),
        positions=np.asarray(positions, np.int64),
        scores=np.linspace(0.9, 0.5, n, dtype=np.float32),
        metric="cosine",
        exact=True,
        engine="exact",
        n_compared=10,
    )


def test_class_agreement_counts_the_shared_label_and_states_chance():
    data = items(["a", "a", "a", "b", "b"])
    assert class_agreement(neighbours([1, 3, 4]), data, 0, "topic") == (
        "1 of 3 share its topic (chance .50)"
    )


def test_class_agreement_is_silent_for_an_item_without_label():
    assert class_agreement(neighbours([1]), items([None, "a", "b"]), 0, "topic") is None


def test_the_nearest_has_the_longest_bar_for_similarities_and_distances():
    assert bar_lengths([0.9, 0.2], higher_is_nearer=True) == pytest.approx([0.9, 0.2])
    near, far = bar_lengths([1.0, 4.0], higher_is_nearer=False)
    assert near > far > 0


def test_bars_never_leave_their_track():
    for scores in ([250.0, 3.0], [-0.4, 0.1], [0.0, 0.0], []):
        for higher in (True, False):
            assert all(
                0 <= bar <= 1 for bar in bar_lengths(np.abs(scores), higher_is_nearer=higher)
            )


def test_long_texts_are_cut_at_one_line_with_an_ellipsis():
    assert shorten("a  b\nc") == "a b c"
    cut = shorten("x" * 500, 100)
    assert len(cut) == 100
    assert cut.endswith("…")
