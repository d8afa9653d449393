"""Comparisons that are worth a look, ready to be ticked: one click instead of eight forms."""

from __future__ import annotations

from dataclasses import dataclass

from core.modality import Modality
from workspace.recipes import Member


@dataclass(frozen=True)
class Preset:
    """Members of a recipe with the question they answer.

    Attributes
    ----------
    id, title : str
    question : str
        One sentence.
    members : tuple of Member
    """

    id: str
    title: str
    question: str
    members: tuple[Member, ...]


_WORD2VEC = Member("word2vec", name="Word2Vec")
_MINILM = Member("bert", name="MiniLM")
_TEXT = (
    Preset(
        "classic",
        "Classic and contextual",
        "What does a sentence model see that counting words does not, and what does it cost?",
        (
            Member("tfidf", name="TF-IDF"),
            Member("lsa", name="LSA"),
            _WORD2VEC,
            _MINILM,
            Member("bert", {"layer": 3}, name="MiniLM, layer 3"),
        ),
    ),
    Preset(
        "words",
        "Kinds of word vectors",
        "How far do methods that learn words agree once words are averaged into texts?",
        (
            _WORD2VEC,
            Member("word2vec", {"objective": "cbow"}, name="Word2Vec, CBOW"),
            Member("glove", name="GloVe"),
            Member("fasttext", name="fastText"),
            Member("static_bert", name="BERT word vectors"),
        ),
    ),
    Preset(
        "layers",
        "Layers of the model",
        "Where in the network does the meaning of the finished vectors come about?",
        (
            *(Member("bert", {"layer": n}, name=f"MiniLM, layer {n}") for n in (1, 2, 3, 4, 5)),
            _MINILM,
        ),
    ),
    Preset(
        "dimensions",
        "Dimensions",
        "How many dimensions can go before neighbours change?",
        (
            Member("lsa", {"dim": 200}, name="LSA, 200-d"),
            Member("lsa", {"dim": 50}, name="LSA, 50-d"),
            Member("lsa", {"dim": 10}, name="LSA, 10-d"),
            _MINILM,
            Member("bert", {"dim": 128}, name="MiniLM, first 128-d"),
            Member("bert", {"dim": 32}, name="MiniLM, first 32-d"),
        ),
    ),
    Preset(
        "precision",
        "Precision",
        "What do smaller numbers cost?",
        (
            _MINILM,
            Member("bert", {"output": "int8"}, name="MiniLM, int8"),
            Member("bert", {"output": "binary"}, name="MiniLM, binary"),
        ),
    ),
    Preset(
        "seeds",
        "Seeds",
        "How much of a trained space is chance?",
        tuple(Member("word2vec", seed=s, name=f"Word2Vec, seed {s}") for s in (0, 1, 2)),
    ),
)
_GRAPH = (
    Preset(
        "graph",
        "Walks and spectra",
        "Do random walks see the same communities as the exact factorisations?",
        (
            Member("node2vec", {"q": 0.5}, name="node2vec, q 0.5"),
            Member("deepwalk", name="DeepWalk"),
            Member("netmf", name="NetMF"),
            Member("spectral", name="Spectral"),
        ),
    ),
    Preset(
        "walks",
        "Communities or roles",
        "What do the return and in-out parameters of node2vec change?",
        (
            Member("node2vec", {"q": 0.5}, name="node2vec, q 0.5"),
            Member("node2vec", name="node2vec, q 1"),
            Member("node2vec", {"q": 2.0}, name="node2vec, q 2"),
        ),
    ),
    Preset(
        "seeds",
        "Seeds",
        "How much of a trained space is chance?",
        tuple(Member("node2vec", seed=s, name=f"node2vec, seed {s}") for s in (0, 1, 2)),
    ),
)
_IMAGE = (
    Preset(
        "looks",
        "Colour, shape, content",
        "Do simple descriptors find the same pictures as a trained network? The bundled CLIP "
        "knows drawn shapes and digits only: for photographs choose a larger one.",
        (
            Member("pixels", name="Pixels"),
            Member("colour_histogram", name="Colour histogram"),
            Member("hog", name="HOG"),
            Member("pca", name="PCA of pixels"),
            Member("clip", name="CLIP"),
        ),
    ),
)
_TABLE = (
    Preset(
        "scaling",
        "Scaling",
        "Is it the structure, or only the column with the largest numbers?",
        (
            Member("pca", name="PCA, standardised"),
            Member("pca", {"standardise": False}, name="PCA, as given"),
            Member("pca", {"dim": 2}, name="PCA, 2-d"),
        ),
    ),
)
_VECTORS = (
    Preset(
        "geometry",
        "Geometry",
        "What do the metric and the mean of all vectors change?",
        (
            Member("vectors", name="As given"),
            Member("vectors", {"centre": True}, name="Centred"),
            Member("vectors", {"metric": "euclidean"}, name="Euclidean"),
        ),
    ),
)
_BY_MODALITY = {
    Modality.TEXT: _TEXT,
    Modality.GRAPH: _GRAPH,
    Modality.IMAGE: _IMAGE,
    Modality.TABLE: _TABLE,
    Modality.VECTORS: _VECTORS,
}


def presets(modality: Modality) -> tuple[Preset, ...]:
    """Return the comparisons on offer for a kind of data, the most instructive first."""
    return _BY_MODALITY.get(modality, ())
