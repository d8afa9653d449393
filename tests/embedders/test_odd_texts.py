"""Odd texts: every method gives finite vectors, or one clear sentence."""

from __future__ import annotations

import base64
import json
from functools import lru_cache

import numpy as np
import pytest
from small_datasets import make_texts
from test_contract import quick

from core.errors import EmbedscopeError
from core.modality import Modality
from embedders import EMBEDDERS
from ingest import read_dataset
from tests.conftest import shared_data

READERS = [e for e in EMBEDDERS if Modality.TEXT in e.accepts]
ODD = {
    "one document": ["a single text about a single thing"],
    "one word": ["word"],
    "one word repeated": ["word word word word"] * 6,
    "all texts equal": ["the same three words"] * 20,
    "no word at all": ["!!! ??", "...", "—"],
    "only function words": ["the of and", "to the", "and of the", "is it the"],
    "only numbers": ["1 2 3", "4 5 6", "1 2", "3.14 2,000"],
    "one very long word": ["a" * 5_000, "b" * 101, "short word"],
    "one very long text": ["red green blue " * 20_000, "red green", "blue green"],
    "no space": ["日本語の文章です", "日本の言葉", "中文文本", "ภาษาไทยไม่มีช่องว่าง"],
    "lone surrogates": ["broken \ud800 text", "another \udfff text", "text text"],
    "controls": ["a\x00b\x07c", "\u200b\u200e\u202e reversed", "\ufeffmark here"],
    "emoji": ["🙂🙃 fine", "👩‍👩‍👧 family", "🇩🇪 flag fine"],
}


@lru_cache(maxsize=1)
def declarations():
    """Return the first article or two of the declaration of human rights in 387 languages."""
    data = read_dataset(shared_data("udhr_languages") / "udhr2.zip")
    return tuple(text[:800] for text in data.items)


every = pytest.mark.parametrize("cls", READERS, ids=lambda c: c.id)


def check(cls, data, **params):
    """Return the vectors or None after one readable sentence."""
    try:
        embedder = quick(cls, **params).fit(data)
        vectors = embedder.vectors(data)
    except EmbedscopeError as error:
        told = str(error)
        assert told.endswith((".", "”")), told
        assert 20 < len(told) < 500
        return None
    assert vectors.keys[: len(data)] == data.ids
    assert np.isfinite(vectors.matrix).all()
    return vectors


@every
@pytest.mark.parametrize("kind", ODD)
def test_odd_texts_give_vectors_or_one_sentence(cls, kind):
    check(cls, make_texts(ODD[kind]))


@every
def test_nothing_left_after_the_limits_is_told(cls):
    specs = cls.params_class.specs()
    limit = next((name for name in ("min_count", "min_df") if name in specs), None)
    if limit is None:
        pytest.skip("keeps every word")
    with pytest.raises(EmbedscopeError, match=f"[Ll]ower {limit}"):
        quick(cls, **{limit: 50}).fit(make_texts(["a b c", "b c d", "c d e"]))


@every
def test_naughty_strings_are_only_texts(cls):
    folder = shared_data("naughty_strings")
    name = next(f for f in sorted(folder.iterdir()) if f.suffix in {".json", ".txt"})
    if name.suffix == ".json":
        lines = json.loads(name.read_text(encoding="utf-8"))
        lines = [base64.b64decode(x).decode() if "base64" in name.name else x for x in lines]
    else:
        lines = name.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    vectors = check(cls, make_texts([line for line in lines if line.strip()]))
    assert vectors is not None


@every
def test_hundreds_of_languages_at_once(cls):
    if cls.id in {"bert", "static_bert", "lookup"}:
        pytest.skip("takes BERT half a minute, and a small file knows few languages")
    # SWIVEL's time grows with the square of the words: a third of the languages is enough.
    texts = list(declarations())[:: 3 if cls.id == "swivel" else 1]
    vectors = check(cls, make_texts(texts))
    assert vectors is not None
    documents = vectors.of_kind("document").matrix
    # Nearly all languages are cut into words that occur twice or more.
    assert (documents.any(axis=1)).mean() > 0.9
