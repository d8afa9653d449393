"""The bundled samples: small datasets of every kind that open without a network.

``data/SOURCES.md`` tells where each comes from. scikit-learn and networkx are imported only when
a sample that ships inside them is loaded.
"""

from __future__ import annotations

import difflib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from core.errors import DatasetError
from core.modality import Modality
from ingest.dataset import Dataset, Edges, Role
from ingest.image_items import ImageItems
from ingest.scene_sample import NEVER_TRAINED, sample_columns, sample_pictures

DATA = Path(__file__).resolve().parents[1] / "data"

Setting = bool | int | float | str


@dataclass(frozen=True)
class Sample:
    """What a card says about a bundled sample, and what its first click does.

    Attributes
    ----------
    id : str
        What ``load_sample`` takes.
    title, summary : str
        The name and one sentence for the card.
    modality : Modality
    n_items : int
    licence, origin : str
    embedder : str
        Id of the method that makes its first map.
    colour : str
        Column that colours its first map.
    params : mapping of str to bool, int, float or str
        Settings of that method that differ from its defaults.
    """

    id: str
    title: str
    summary: str
    modality: Modality
    n_items: int
    licence: str
    origin: str
    embedder: str
    colour: str
    params: Mapping[str, Setting] = field(default_factory=dict, hash=False)


def list_samples() -> tuple[Sample, ...]:
    """Return the bundled samples in the order of their cards; nothing is read from disk."""
    return tuple(_SAMPLES.values())


def load_sample(id: str) -> Dataset:
    """Return a bundled sample; equal content and fingerprint on every call.

    Raises
    ------
    DatasetError
        If no sample has that id.
    """
    if id not in _SAMPLES:
        near = difflib.get_close_matches(id, _SAMPLES, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DatasetError(f"There is no sample {id!r}; there are: {', '.join(_SAMPLES)}.{hint}")
    return _LOADERS[id](_SAMPLES[id])


def _load_topics(sample: Sample) -> Dataset:
    # Without keep_default_na=False a text such as "null" would silently become a missing value.
    table = pd.read_csv(DATA / "topics.csv", dtype=str, keep_default_na=False, encoding="utf-8")
    columns = table[["topic", "word", "sense"]]
    columns = columns.mask(columns == "")
    roles: dict[str, Role] = {"topic": "label", "word": "categorical", "sense": "categorical"}
    return Dataset(
        sample.title,
        sample.modality,
        tuple(table["id"]),
        table["text"].tolist(),
        columns,
        roles,
        notes=("Columns word and sense are filled for the sentences around a homonym only.",),
    )


def _load_digits(sample: Sample) -> Dataset:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    # Ink runs from 0 to 16. 255 - 15 * ink is dark on white like the paper forms, and exactly
    # affine (255 / 16 is not an integer), so distances keep their order to the last bit.
    pixels = (255 - 15 * bunch.images).astype(np.uint8)
    digits = pd.DataFrame({"digit": [str(digit) for digit in bunch.target]})
    return Dataset(
        sample.title,
        sample.modality,
        tuple(f"digit-{i:04d}" for i in range(len(pixels))),
        ImageItems(_png(image) for image in pixels),
        digits,
        {"digit": "label"},
    )


def _png(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _load_scenes(sample: Sample) -> Dataset:
    columns, roles = sample_columns()
    pictures = sample_pictures()
    return Dataset(
        sample.title,
        sample.modality,
        tuple(f"scene-{i:03d}" for i in range(len(pictures))),
        ImageItems(pictures),
        columns,
        roles,
        notes=(
            "Drawn by this project; the description of each picture came first, its columns tell "
            "what is in it. Without the word second they tell of the first group.",
            f"Column CLIP: {NEVER_TRAINED} where the bundled CLIP model saw no group of that "
            "count, colour and shape in training (no picture of this sample was trained on).",
        ),
    )


def _load_wine(sample: Sample) -> Dataset:
    from sklearn.datasets import load_wine

    # The donors number the three cultivars from 1; scikit-learn's "class_0" says nothing.
    return _table(sample, load_wine(as_frame=True), "cultivar", ("first", "second", "third"))


def _load_iris(sample: Sample) -> Dataset:
    from sklearn.datasets import load_iris

    bunch = load_iris(as_frame=True)
    return _table(sample, bunch, "species", tuple(str(name) for name in bunch.target_names))


def _table(sample: Sample, bunch: Any, label: str, names: tuple[str, ...]) -> Dataset:
    features = bunch.data.astype(np.float64)
    features.columns = [str(name).replace("_", " ") for name in features]
    columns = features.assign(**{label: [names[i] for i in bunch.target]})
    roles: dict[str, Role] = dict.fromkeys(features, "numeric")
    ids = tuple(f"{sample.id}-{i + 1:03d}" for i in range(len(features)))
    return Dataset(sample.title, sample.modality, ids, features, columns, {**roles, label: "label"})


def _load_les_miserables(sample: Sample) -> Dataset:
    import networkx as nx

    graph = nx.les_miserables_graph()
    names = [str(name) for name in graph]
    numbered = nx.convert_node_labels_to_integers(graph, ordering="default")
    strength = dict(numbered.degree(weight="weight"))
    community = [""] * len(names)
    for members in nx.community.greedy_modularity_communities(numbered, weight="weight"):
        centre = min(members, key=lambda node: (-strength[node], node))
        for node in members:
            community[node] = f"around {names[centre]}"
    columns = pd.DataFrame(
        {
            "community": community,
            "characters met": [int(numbered.degree(i)) for i in range(len(names))],
            "shared scenes": [int(strength[i]) for i in range(len(names))],
        }
    )
    return Dataset(
        sample.title,
        sample.modality,
        tuple(names),
        None,
        columns,
        {"community": "label", "characters met": "numeric", "shared scenes": "numeric"},
        edges=_edges(numbered),
        notes=(
            "Column community was computed: greedy modularity (Clauset, Newman and Moore 2004) "
            "on the weighted graph, each community named after its best connected member.",
        ),
    )


def _load_karate(sample: Sample) -> Dataset:
    import networkx as nx

    graph = nx.karate_club_graph()
    columns = pd.DataFrame({"club": [str(club) for _, club in graph.nodes(data="club")]})
    return Dataset(
        sample.title,
        sample.modality,
        tuple(f"member {node + 1}" for node in graph),  # Zachary counts from 1
        None,
        columns,
        {"club": "label"},
        edges=_edges(graph),
    )


def _edges(graph: Any) -> Edges:
    """Return the edges of an undirected networkx graph whose nodes are 0..n-1."""
    rows = sorted((min(a, b), max(a, b), w) for a, b, w in graph.edges(data="weight", default=1))
    source, target, weight = zip(*rows, strict=True)
    return Edges(
        np.asarray(source, np.int32), np.asarray(target, np.int32), np.asarray(weight, np.float32)
    )


_LOADERS: dict[str, Callable[[Sample], Dataset]] = {
    "topics": _load_topics,
    "digits": _load_digits,
    "scenes": _load_scenes,
    "wine": _load_wine,
    "iris": _load_iris,
    "les-miserables": _load_les_miserables,
    "karate": _load_karate,
}

# A graph of a few dozen nodes has little to say in 128 dimensions, and few walks cover it.
_SMALL_GRAPH: dict[str, Setting] = {"dim": 32}

_SAMPLES: dict[str, Sample] = {
    sample.id: sample
    for sample in (
        Sample(
            "topics",
            "Fifteen topics",
            "Short sentences on everyday topics, some built around words with two meanings.",
            Modality.TEXT,
            810,
            "Same terms as this project",
            "Written for this project.",
            "bert",
            "topic",
        ),
        Sample(
            "digits",
            "Handwritten digits",
            "Tiny grey pictures of the digits 0 to 9, written by 13 people.",
            Modality.IMAGE,
            1_797,
            "CC BY 4.0",
            "Alpaydin and Kaynak, UCI Machine Learning Repository, as shipped in scikit-learn.",
            "pca",
            "digit",
        ),
        Sample(
            "scenes",
            "Drawn scenes",
            "Shapes in many colours, counts and positions: ask for two red circles above a blue "
            "square.",
            Modality.IMAGE,
            400,
            "Same terms as this project",
            "Drawn by this project.",
            "clip",
            "colour",
        ),
        Sample(
            "wine",
            "Wine chemistry",
            "Thirteen laboratory measurements of Italian wines from three grape varieties.",
            Modality.TABLE,
            178,
            "CC BY 4.0",
            "Aeberhard and Forina, UCI Machine Learning Repository, as shipped in scikit-learn.",
            "pca",
            "cultivar",
        ),
        Sample(
            "iris",
            "Iris flowers",
            "Length and width of petals and sepals tell three species apart, almost.",
            Modality.TABLE,
            150,
            "CC BY 4.0",
            "Fisher 1936, UCI Machine Learning Repository, as shipped in scikit-learn.",
            "pca",
            "species",
        ),
        Sample(
            "les-miserables",
            "Les Misérables",
            "Who shares scenes with whom in the novel, weighted by how often.",
            Modality.GRAPH,
            77,
            "BSD-3-Clause (networkx)",
            "Knuth, The Stanford GraphBase, 1993, as shipped in networkx.",
            "node2vec",
            "community",
            _SMALL_GRAPH,
        ),
        Sample(
            "karate",
            "Karate club",
            "Friendships in a club that split in two; can a map see the split coming?",
            Modality.GRAPH,
            34,
            "BSD-3-Clause (networkx)",
            "Zachary 1977, Journal of Anthropological Research, as shipped in networkx.",
            "node2vec",
            "club",
            _SMALL_GRAPH,
        ),
    )
}
