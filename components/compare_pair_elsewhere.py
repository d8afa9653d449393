"""Other items with the same classes: without shared items, only classes can be compared."""

from __future__ import annotations

import streamlit as st

from comparison.class_labels import labels_of
from comparison.class_moves import ClassMoves, class_moves
from comparison.class_neighbours import ClassNeighbours
from comparison.label_level import class_side
from components import session
from components.compare_pair_findings import Pair
from components.figures.ink import short_number
from components.markdown import escaped
from workspace.workspace import RunInfo

MOST_ITEMS = 5_000
"""Items of the other embedding whose neighbours are found in a moment."""


def classes_elsewhere(pair: Pair, column: str, first: ClassNeighbours) -> ClassMoves | None:
    """Draw the choice of an embedding of other items; return how its classes differ from A's.

    None where there is no such embedding, or none was chosen.
    """
    runs = _others(pair)
    if not runs:
        return None
    st.markdown("**Other items with the same classes**")
    chosen = st.columns([1, 2])[0].selectbox(
        "Compare with",
        list(runs),
        index=None,
        format_func=lambda id: _called(runs[id]),
        placeholder="an embedding of another dataset",
        key=f"compare.pair.elsewhere.{pair.stored.info.id[:12]}",
        help="Embeddings that share no items can be compared by classes of the same name only: "
        "which of them stand beside which.",
    )
    if chosen is None:
        return None
    run = runs[chosen]
    data = session.dataset(run.dataset)
    other = column if column in data.columns else data.label
    if other is None:
        st.info(f"{escaped(data.name)} has no column of classes. Give one the role label.")
        return None

    def make() -> ClassMoves:
        vectors = session.workspace().vectors(run.id, next(iter(run.kinds)))
        labels = labels_of(data, other, vectors.keys)
        named = [labels.names[code] if code >= 0 else None for code in labels.codes.tolist()]
        seed = pair.stored.comparison.seed
        second = class_side(vectors, named, k=pair.k, seed=seed)
        return class_moves(first, second, paired=False, seed=seed)

    key = ("classes elsewhere", pair.stored.info.id, pair.a, run.id, column, other, str(pair.k))
    moves = session.worked_out(key, make)
    st.markdown(escaped(elsewhere_words(moves, pair.a, _called(run))))
    return moves


def elsewhere_words(moves: ClassMoves, first: str, second: str) -> str:
    """Say what was compared, and how far the classes differ beyond chance."""
    beyond = sum(move.moved > move.noise for move in moves.moves)
    words = [
        f"Label-level comparison only, items are not matched: {beyond} of {len(moves.classes)} "
        f"classes that both name have other neighbours in {second} than in {first}, by more than "
        "chance gives. The difference may be that of the items as well as that of the methods."
    ]
    if moves.alike == moves.alike:  # a number
        words.append(
            f"Which classes stand near which agrees by {short_number(moves.alike)} (Spearman, "
            f"p = {max(moves.p, 0.005):.3f})."
        )
    for name, alone in ((first, moves.only_first), (second, moves.only_second)):
        if alone:
            words.append(f"Only in {name}, or too few there: {len(alone)}.")
    return " ".join([*words, f"k = {moves.k}, seed {moves.seed}."])


def _others(pair: Pair) -> dict[str, RunInfo]:
    """Return the embeddings of other datasets that are small enough, by id, newest first."""
    own = {session.workspace().run(id).dataset for id in pair.stored.info.runs}
    runs = reversed(session.workspace().runs())
    return {run.id: run for run in runs if run.dataset not in own and run.n <= MOST_ITEMS}


def _called(run: RunInfo) -> str:
    name = session.workspace().dataset_info(run.dataset).name
    return f"{name} · {run.title} · {run.dim}-d"
