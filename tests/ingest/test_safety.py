"""Pickles are refused in every disguise; ordinary files that resemble one are not."""

from __future__ import annotations

import collections
import pickle

import numpy as np
import pandas as pd
import pytest

from core.errors import UnsafeSource
from ingest import inspect_source, read_dataset
from ingest.safety import is_pickle
from tests.conftest import shared_data

OBJECTS = {
    "list": [1, 2, 3], "dict": {"a": [1, {"b": 2}]}, "empty": [], "set": {1, 2}, "call": print,
    "ordered": collections.OrderedDict(a=1), "array": np.zeros(3),
    "frame": pd.DataFrame({"a": [1]}), "text": "some text",
}  # fmt: skip


class Evil:
    def __reduce__(self):
        return (pytest.fail, ("the pickle was executed",))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", OBJECTS)
def test_every_protocol_is_recognised_without_its_suffix(name, protocol):
    assert is_pickle(pickle.dumps(OBJECTS[name], protocol))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("suffix", [".csv", ".txt", ".npy", ".xlsx", ".json", ".bin", ".png", ""])
def test_a_harmful_pickle_is_refused_under_any_name_and_never_run(protocol, suffix):
    data = pickle.dumps(Evil(), protocol)
    for call in (read_dataset, inspect_source):
        with pytest.raises(UnsafeSource, match=r"Python pickle, which can run code"):
            call((f"data{suffix}", data))


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n", "(lp hello) there\n", "cat\ndog\nbird\n", "cos\nsin\ntan\n", "]q2 is over\n",
        "col\nname\nfoo\nbar\n", "N. Korea and S. Korea.", "I am here.\nYou are there.", "(S 1)\n",
        "}q is a brace", "K. was arrested one morning.", "F. Scott Fitzgerald wrote this one.",
        "\x80\x02 is no text of ours but no pickle either",
    ],
)  # fmt: skip
def test_texts_that_begin_like_a_pickle_are_not_refused(text):
    assert not is_pickle(text.encode("latin-1"))


@pytest.mark.parametrize("name", ["phraser-no-scoring.pkl", "word2vec_3.3"])
def test_real_pickles_are_refused(name):
    with pytest.raises(UnsafeSource, match="never read"):
        read_dataset(shared_data("pickle_and_corrupt") / name)


def test_a_gzipped_pickle_is_refused():
    import gzip

    with pytest.raises(UnsafeSource):
        read_dataset(("data.csv.gz", gzip.compress(pickle.dumps(Evil()))))
