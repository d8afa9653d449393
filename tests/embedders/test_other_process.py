"""What Python's random hashes must not touch: vectors, from one process to the next."""

from __future__ import annotations

import pytest

from tests.conftest import run_python

CODE = """
import hashlib
from core.modality import Modality
from ingest.dataset import Dataset
from embedders import get_embedder
d = Dataset("d", Modality.TEXT, ("a", "b", "c"), ["one two three four", "two three", "four one"])
for id in ("word2vec", "fasttext", "doc2vec"):
    e = get_embedder(id, dim=6, min_count=1, epochs=3, seed=4).fit(d)
    m = e.vectors(d).matrix.tobytes() + e.embed_query("three one").tobytes()
    print(hashlib.sha256(m).hexdigest())
"""


@pytest.fixture(scope="module")
def digests():
    first, second = (run_python(CODE, PYTHONHASHSEED=seed) for seed in ("1", "2"))
    return dict(
        zip(("word2vec", "fasttext", "doc2vec"), zip(first, second, strict=True), strict=True)
    )


@pytest.mark.parametrize("method", ["word2vec", "fasttext", "doc2vec"])
def test_another_process_gives_the_same_bytes(digests, method):
    first, second = digests[method]
    assert first == second
