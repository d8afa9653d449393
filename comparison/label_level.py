"""Spaces without shared items: only the classes that both name can be compared."""

from __future__ import annotations

from dataclasses import dataclass

from comparison.class_moves import ClassMoves, class_moves
from comparison.class_neighbours import ClassNeighbours, Labels, class_neighbours
from comparison.guards import guard_of_neighbours
from comparison.tied_neighbours import settled, without_direction
from core.errors import ParameterError
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors


@dataclass(frozen=True, eq=False)
class LabelLevel:
    """Two spaces of different items seen from the classes that both have.

    Attributes
    ----------
    first, second : ClassNeighbours
        Of all classes of either space.
    moves : ClassMoves
        Of the shared ones; ``paired`` is False. Noise is that of two samples of items: it also
        covers what another choice of items of the same classes would change.
    """

    first: ClassNeighbours
    second: ClassNeighbours
    moves: ClassMoves


def label_level(
    first: tuple[KeyedVectors, Labels],
    second: tuple[KeyedVectors, Labels],
    *,
    k: int = 10,
    seed: int = 0,
) -> LabelLevel:
    """Compare which classes stand beside which in two spaces that share no items.

    Nothing is said of items. A difference may come from the items as well as from the methods:
    the classes have the same names, not the same content.

    Parameters
    ----------
    first, second : (KeyedVectors, sequence of str or None)
        A space and the class of each of its rows.
    k : int
        Neighbours of an item, among the items of its own space.
    seed : int
        Of ties and of noise.

    Raises
    ------
    ParameterError
        If fewer than two classes with more than 2 items are shared, labels and rows differ in
        number, or ``k`` is too large for either space.
    """
    one, other = (class_side(*each, k=k, seed=seed) for each in (first, second))
    return LabelLevel(one, other, class_moves(one, other, paired=False, seed=seed))


def class_side(
    vectors: KeyedVectors, labels: Labels, *, k: int = 10, seed: int = 0
) -> ClassNeighbours:
    """Return the class neighbours of one space; items without a direction do not count.

    Raises
    ------
    ParameterError
        As :func:`label_level` for one space.
    """
    if len(labels) != len(vectors):
        raise ParameterError(f"There are {len(vectors):,} items but {len(labels):,} labels.")
    blank = without_direction(vectors.matrix, vectors.metric)
    if reason := guard_of_neighbours(len(vectors) - int(blank.sum()), k):
        raise ParameterError(reason)
    # One more than counts, so that ties at the last rank are known.
    depth = min(k + 1, len(vectors) - 1)
    graph = VectorIndex(vectors, exact=True).knn_graph(depth)
    near = settled(graph.ids, graph.scores, vectors.matrix, vectors.metric, seed=seed).ids
    known = [None if empty else label for label, empty in zip(labels, blank, strict=True)]
    return class_neighbours(near, known, k)
