"""Which classes stand beside which in either embedding, and which of them moved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from comparison.class_moves import ClassMoves, class_moves
from comparison.class_neighbours import ClassNeighbours, class_neighbours
from components import session
from components.boundary import explained
from components.compare_items import label_choice, label_list
from components.compare_pair_elsewhere import classes_elsewhere
from components.compare_pair_findings import Pair
from components.figures.class_matrix import class_difference, class_matrix
from components.figures.ink import short_number
from components.markdown import escaped

_BAR = {"displayModeBar": False}
_CLASSES_DRAWN = 60
_CONFUSIONS = 20


def pair_classes(pair: Pair) -> None:
    """Draw the classes that moved, the class by class matrices, and what is taken for what."""
    with st.columns([1, 2])[0]:
        column = label_choice(pair.stored, key="compare.classes")
    if column is None:
        st.info(
            "These items have no column of classes. Give one the role label on the Data page to "
            "see which classes stand beside which."
        )
        return
    sides, moves = found_moves(pair, column)
    st.markdown(escaped(moves_words(pair, column, sides, moves)))
    table, matrices = st.columns([4, 5], gap="large")
    with table:
        _moves(pair, moves)
        _confusion(pair, sides)
    with matrices:
        _matrices(pair, column, moves)
    with explained():
        _elsewhere(pair, column, sides[0])


def _elsewhere(pair: Pair, column: str, first: ClassNeighbours) -> None:
    moves = classes_elsewhere(pair, column, first)
    if moves is not None:
        st.dataframe(moves_frame(moves, "own, other"), hide_index=True)


def found_moves(
    pair: Pair, column: str
) -> tuple[tuple[ClassNeighbours, ClassNeighbours], ClassMoves]:
    """Return which classes are neighbours in A and in B, and how the two differ."""

    def make() -> tuple[tuple[ClassNeighbours, ClassNeighbours], ClassMoves]:
        labels = label_list(pair.stored, column) or []
        graphs = pair.stored.comparison.graphs
        first, second = (class_neighbours(graphs[at], labels, pair.k) for at in (pair.i, pair.j))
        return (first, second), class_moves(first, second, seed=pair.stored.comparison.seed)

    key = ("class moves", pair.stored.info.id, pair.key, str(pair.k), column)
    return session.worked_out(key, make)


def moves_words(
    pair: Pair,
    column: str,
    sides: tuple[ClassNeighbours, ClassNeighbours],
    moves: ClassMoves,
) -> str:
    """Say in two sentences how far the classes changed their surroundings."""
    beyond = sum(move.moved > move.noise for move in moves.moves)
    n = len(moves.classes)
    first, second = sides
    words = [
        f"{beyond} of {n} classes of {column} have other neighbours in {pair.b} than in {pair.a}, "
        "by more than chance gives. The neighbours vote for an item's own class "
        f"{short_number(first.accuracy)} of the time in {pair.a} and "
        f"{short_number(second.accuracy)} in {pair.b}."
    ]
    if moves.alike == moves.alike:  # a number
        words.append(
            f"Which classes stand near which agrees by {short_number(moves.alike)} (Spearman, "
            f"p = {max(moves.p, 0.005):.3f})."
        )
    left = len(moves.only_first)
    if left:
        words.append(f"{left} classes have too few items.")
    if first.n_unlabelled:
        words.append(f"{first.n_unlabelled:,} items without a usable class do not count.")
    used = len(first.rows)
    words.append(f"{used:,} items, k = {first.k}, seed {moves.seed}.")
    return " ".join(words)


def moves_frame(moves: ClassMoves, second: str = "own, B") -> pd.DataFrame:
    """Return the classes as a table, the most moved first."""
    return pd.DataFrame(
        {
            "class": [move.name for move in moves.moves],
            "moved": [move.moved for move in moves.moves],
            "by chance": [move.noise for move in moves.moves],
            "own, A": [move.purity[0] for move in moves.moves],
            second: [move.purity[1] for move in moves.moves],
            "now more of": [_named(move.gained) for move in moves.moves],
            "now less of": [_named(move.lost) for move in moves.moves],
            "items": [move.n for move in moves.moves],
        }
    )


def _named(change: tuple[str, float]) -> str:
    return f"{change[0]} {change[1]:+.2f}" if abs(change[1]) >= 0.005 else "–"


def _moves(pair: Pair, moves: ClassMoves) -> None:
    st.markdown("**Classes that moved**")
    st.dataframe(
        moves_frame(moves),
        hide_index=True,
        height=320,
        column_config={
            "moved": st.column_config.NumberColumn(
                format="%.2f",
                help="Share of a class's neighbours that are of other classes than before.",
            ),
            "by chance": st.column_config.NumberColumn(
                format="%.2f",
                help="What chance reaches: of embeddings that differ by chance only, 95 % have no "
                "class beyond it.",
            ),
            "own, A": _own(pair.a),
            "own, B": _own(pair.b),
        },
    )


def _own(name: str) -> Any:
    return st.column_config.NumberColumn(
        format="%.2f", help=f"Share of neighbours of the own class in {escaped(name)}."
    )


def confusion_frame(
    sides: tuple[ClassNeighbours, ClassNeighbours], a: str, b: str, *, most: int = _CONFUSIONS
) -> pd.DataFrame:
    """Return which classes are taken for which, the largest difference of A and B first."""
    first, second = (side.confusion for side in sides)
    change = second - first
    np.fill_diagonal(change, 0)
    rows, columns = np.nonzero(change)
    order = np.argsort(-np.abs(change[rows, columns]), kind="stable")[:most]
    rows, columns = rows[order], columns[order]
    names = sides[0].classes
    return pd.DataFrame(
        {
            "class": [names[row] for row in rows],
            "taken for": [names[column] for column in columns],
            f"in {a}": first[rows, columns],
            f"in {b}": second[rows, columns],
        }
    )


def _confusion(pair: Pair, sides: tuple[ClassNeighbours, ClassNeighbours]) -> None:
    st.markdown("**Taken for another class**")
    frame = confusion_frame(sides, pair.a, pair.b)
    if frame.empty:
        st.caption("Both take the same classes for one another.")
        return
    st.caption(
        "Items whose neighbours vote for another class; where the two embeddings differ most."
    )
    st.dataframe(frame, hide_index=True, height=min(320, 38 + 35 * len(frame)))


def _matrices(pair: Pair, column: str, moves: ClassMoves) -> None:
    drawn = [moves.classes.index(move.name) for move in moves.moves[:_CLASSES_DRAWN]]
    drawn.sort()
    names = [moves.classes[c] for c in drawn]
    some = np.ix_(drawn, drawn)
    note = f"of {len(moves.classes)} classes the {len(drawn)} that moved most"
    note = f"k = {moves.k}" + (f" · {note}" if len(drawn) < len(moves.classes) else "")
    shown = st.segmented_control(
        "Matrix",
        ["Difference", pair.a, pair.b],
        default="Difference",
        required=True,
        key=f"compare.pair.matrix.{pair.key}",
        label_visibility="collapsed",
    )
    dark = session.is_dark()
    if shown == "Difference":
        figure = class_difference(
            names,
            moves.difference[some],
            title="What changed",
            minus=pair.a,
            plus=pair.b,
            note=note,
            dark=dark,
        )
    else:
        shares = moves.first if shown == pair.a else moves.second
        title = f"Classes of the neighbours in {shown}"
        figure = class_matrix(names, shares[some], title=title, note=note, dark=dark)
    st.plotly_chart(
        figure,
        key=f"compare.pair.classes.{pair.key}.{column}.{shown}",
        width="content",
        config=_BAR,
    )
