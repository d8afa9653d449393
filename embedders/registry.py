"""The methods that exist: a plain tuple; adding a method is one file and one line here."""

from __future__ import annotations

import difflib
from typing import Any

from core.errors import UnknownEmbedder
from core.modality import Modality
from embedders.api_text import ApiText
from embedders.base import Embedder
from embedders.bert import Bert
from embedders.clip import Clip
from embedders.colour_histogram import ColourHistogram
from embedders.deepwalk import DeepWalk
from embedders.doc2vec import Doc2Vec
from embedders.earlier_model import EarlierModel
from embedders.fasttext import FastText
from embedders.given import Given
from embedders.glove import Glove
from embedders.hog import Hog
from embedders.image_features import ImageFeatures
from embedders.lda import Lda
from embedders.lsa import Lsa
from embedders.netmf import NetMF
from embedders.node2vec import Node2Vec
from embedders.own_image_network import OwnImageNetwork
from embedders.pca import Pca
from embedders.pixels import Pixels
from embedders.recommender import UserItemTowers
from embedders.spectral import Spectral
from embedders.static_bert import StaticBert
from embedders.swivel import Swivel
from embedders.tfidf import Tfidf
from embedders.two_towers import TwoTowers
from embedders.word2vec import Word2Vec
from embedders.word_vector_file import WordVectorFile

EMBEDDERS: tuple[type[Embedder], ...] = (
    Bert,
    Lsa,
    Lda,
    Tfidf,
    Word2Vec,
    Glove,
    Swivel,
    FastText,
    Doc2Vec,
    StaticBert,
    WordVectorFile,
    ApiText,
    Node2Vec,
    DeepWalk,
    NetMF,
    Spectral,
    UserItemTowers,
    Given,
    Pca,
    Clip,
    ImageFeatures,
    OwnImageNetwork,
    ColourHistogram,
    Hog,
    Pixels,
    TwoTowers,
    EarlierModel,
)
"""In the order in which they are offered."""


def list_embedders(modality: Modality | None = None) -> tuple[type[Embedder], ...]:
    """Return the registered methods, or those that take ``modality``, in the order offered."""
    return tuple(e for e in EMBEDDERS if modality is None or modality in e.accepts)


def get_embedder(id: str, *, seed: int = 0, **params: Any) -> Embedder:
    """Return a new, unfitted embedder.

    Parameters
    ----------
    id : str
        One of the registered ids, such as "lsa".
    seed : int
        Makes stochastic methods repeatable.
    **params
        Settings of the method; its defaults for those left out.

    Raises
    ------
    UnknownEmbedder
        Listing the ids that exist.
    ParameterError
        For a setting that does not exist or is out of its range.
    """
    for embedder in EMBEDDERS:
        if embedder.id == id:
            return embedder(embedder.params_class.from_dict(params), seed=seed)
    known = [embedder.id for embedder in EMBEDDERS]
    near = difflib.get_close_matches(str(id), known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UnknownEmbedder(f"There is no method {id!r}; there are: {', '.join(known)}.{hint}")
