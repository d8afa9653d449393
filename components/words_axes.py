"""Words along one axis or on two: between words or word lists, or along a formula."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from components import session
from components.figures.word_axes import axes_scatter, axis_histogram, placed_labels
from components.markdown import escaped
from components.neighbour_list import shorten
from components.word_list import WordRow, shown_score, word_list
from components.words_fields import (
    Vocabulary,
    going_to,
    joined,
    known_words,
    reads_as_formula,
    typed,
)
from core.errors import EmbedscopeError
from ingest.tokenize import is_stop_word
from vectors.formula import in_quotes, quoted
from vectors.semantic_axes import (
    Axis,
    along,
    angle_cosine,
    axis_along,
    axis_between,
    ends_cosine,
    hold_out,
    variance_share,
)

MOST_DRAWN = 2_000
_AT_ENDS = 10
_TITLE = 60


def axes_tab(vocabulary: Vocabulary) -> None:
    """Draw the fields of one or two axes and what lies where."""
    examples = vocabulary.examples
    is_two = st.toggle(
        "A second axis",
        key="words.second_axis",
        persist_state="session",
        help="Draws the words on both axes at once.",
    )
    ends = [("axis", "From", "To", examples.low, examples.high)]
    if is_two:
        ends = [
            ("axis", "Across, from", "to", examples.low, examples.high),
            ("axis2", "Up, from", "to", examples.other_low, examples.other_high),
        ]
    axes = [_axis(vocabulary, *end) for end in ends]
    st.caption(
        f"Several {vocabulary.plural}, with commas between them, make an end steadier. Leave the "
        f"first field empty to look along the second alone: one of them{_formula(vocabulary)}."
    )
    found = [axis for axis in axes if axis is not None]
    if len(found) < len(axes):
        return
    scores = along(vocabulary.index, found)
    if not is_two:
        _one_axis(vocabulary, "only", found[0], scores[0])
        return
    _scatter(vocabulary, found, scores)
    for column, name, axis, row in zip(
        st.columns(2, gap="large"), ("across", "up"), found, scores, strict=True
    ):
        with column:
            st.markdown(f"##### {escaped(shorten(axis.text, _TITLE))}")
            _one_axis(vocabulary, name, axis, row)


def _formula(vocabulary: Vocabulary) -> str:
    ends = vocabulary.examples.high[:1] + vocabulary.examples.low[:1]
    return escaped(f", or a formula such as {' - '.join(map(quoted, ends))}") if ends[1:] else ""


def _axis(
    vocabulary: Vocabulary,
    name: str,
    from_label: str,
    to_label: str,
    low: Sequence[str],
    high: Sequence[str],
) -> Axis | None:
    """Draw the two fields of an axis and return it, or None after saying what is missing."""
    left, right = st.columns(2)
    with left:
        from_text = typed(
            vocabulary,
            f"{name}.low",
            from_label,
            joined(tuple(low)),
            placeholder="empty: along the other field",
        )
    with right:
        to_text = typed(
            vocabulary,
            f"{name}.high",
            to_label,
            joined(tuple(high)),
            placeholder=f"{vocabulary.plural} or a formula",
        )
    try:
        if reads_as_formula(vocabulary, to_text) and not from_text:
            return axis_along(vocabulary.vectors, to_text)
        if any(reads_as_formula(vocabulary, text) for text in (from_text, to_text)):
            st.info("A formula is an axis by itself: write it into the second field alone.")
            return None
        with left:
            low_words = known_words(vocabulary, f"{name}.low", from_text).known
        with right:
            high_words = known_words(vocabulary, f"{name}.high", to_text).known
        if not from_text and len(high_words) == 1:
            return axis_along(vocabulary.vectors, in_quotes(high_words[0]))
        if not high_words or not low_words:
            st.info(
                f"Both ends need at least one known {vocabulary.kind}; or leave the first field "
                "empty and write a single one or a formula into the second."
            )
            return None
        return axis_between(vocabulary.vectors, low_words, high_words)
    except EmbedscopeError as error:
        st.error(escaped(str(error)), icon=":material/error:")
        return None


def _one_axis(
    vocabulary: Vocabulary,
    which: Literal["only", "across", "up"],
    axis: Axis,
    scores: NDArray[np.float32],
) -> None:
    """Draw the spread of all words, both ends and how far to trust the axis."""
    beside = which == "only"
    positions = vocabulary.vectors.position
    low, high = (
        {word: float(scores[positions(word)]) for word in words} for words in (axis.low, axis.high)
    )
    placed = np.flatnonzero(vocabulary.index.has_direction)
    room, trust = st.columns([2.7, 1], gap="large") if beside else (st.container(), st.container())
    with room:
        st.plotly_chart(
            axis_histogram(
                scores[placed],
                low,
                high,
                title="cosine with the axis",
                width=700 if beside else 440,
                dark=session.is_dark(),
            ),
            key=f"words.histogram.{which}.{axis.text}",
            config={"displayModeBar": False},
        )
        left_out = len(scores) - len(placed)
        note = f" · {left_out:,} with a zero vector left out" if left_out else ""
        st.caption(f"{len(placed):,} {vocabulary.plural} · cosine, in the original space{note}")
    with trust:
        _trust(vocabulary, axis, scores)
    order = placed[np.argsort(scores[placed], kind="stable")]
    ends = order[:_AT_ENDS], order[::-1][:_AT_ENDS]
    names = ("Low end", "High end")
    for column, rows, name in zip(st.columns(2), ends, names, strict=True):
        with column:
            st.markdown(f"**{name}**")
            made = frozenset((*axis.low, *axis.high))
            word_list(
                _rows(vocabulary, rows, scores, made),
                key=f"words.{name}.{which}.{axis.text}",
                label=name,
                on_click=going_to(vocabulary),
            )


def _rows(
    vocabulary: Vocabulary,
    rows: NDArray[np.int64],
    scores: NDArray[np.float32],
    made: frozenset[str],
) -> list[WordRow]:
    longest = float(np.abs(scores[rows]).max(initial=0.0)) or 1.0
    keys = vocabulary.vectors.keys
    return [
        WordRow(
            keys[i],
            shown_score(float(scores[i])),
            abs(float(scores[i])) / max(longest, 1e-9),
            "given" if keys[i] in made else "",
        )
        for i in rows
    ]


def _trust(vocabulary: Vocabulary, axis: Axis, scores: NDArray[np.float32]) -> None:
    """Say what the axis explains, and whether its own words bear it out."""
    st.markdown("**How far to trust it**")
    share = variance_share(vocabulary.index, scores)
    lines = [
        f"{share:.1%} of the variance of all {vocabulary.size} lies along it; a direction at "
        f"random holds {1 / vocabulary.vectors.dim:.1%} on average."
    ]
    held = hold_out(vocabulary.vectors, axis)
    if axis.low:
        cosine = ends_cosine(vocabulary.vectors, axis)
        lines.insert(0, f"Cosine of the two ends {cosine:.2f}: {_apart(cosine)}.")
    if held:
        right = sum(word.on_its_side for word in held)
        lines.append(
            f"Left out one at a time, {right} of {len(held)} {vocabulary.plural} land on their own "
            "side of an axis made without them (chance one half)."
        )
    elif axis.low:
        lines.append(
            f"With one {vocabulary.kind} at an end nothing can be left out to test it. Add more."
        )
    for line in lines:
        st.markdown(f"- {escaped(line)}")
    if held:
        frame = pd.DataFrame(
            {
                vocabulary.kind: [word.word for word in held],
                "given": [word.end for word in held],
                "lands at": [round(word.score, 2) for word in held],
                "right": [word.on_its_side for word in held],
            }
        )
        with st.expander("One by one"):
            st.dataframe(frame, hide_index=True)


def _apart(cosine: float) -> str:
    if cosine > 0.7:
        return "they are much alike, so little sets them apart"
    return "they are unlike" if cosine < 0.3 else "they have something in common"


def _scatter(vocabulary: Vocabulary, axes: Sequence[Axis], scores: NDArray[np.float32]) -> None:
    """Draw the chosen words and the head of the vocabulary on two axes."""
    text, most, plain = _choice(vocabulary)
    ends = [word for axis in axes for word in (*axis.low, *axis.high)]
    pointed_out = (known_words(vocabulary, "points", text).known if text else ()) or ends
    rows = _drawn_rows(vocabulary, pointed_out, most, plain=plain)
    keys = [vocabulary.vectors.keys[i] for i in rows]
    if not keys:
        st.info(f"There is nothing to draw. Type some {vocabulary.plural} or draw more of them.")
        return
    x, y = scores[0, rows], scores[1, rows]
    chosen = np.isin(rows, [vocabulary.vectors.position(word) for word in pointed_out])
    titles = shorten(axes[0].text, _TITLE), shorten(axes[1].text, _TITLE)
    st.plotly_chart(
        axes_scatter(keys, x, y, chosen=chosen, titles=titles, dark=session.is_dark()),
        key="words.scatter",
        config={"displaylogo": False, "scrollZoom": True},
    )
    labelled = int(placed_labels(keys, x, y, chosen).sum())
    st.caption(
        f"{len(keys):,} drawn / {vocabulary.size} · {labelled:,} labelled, so that none covers "
        f"another; hover for the rest · cosine with each axis, in the original space · cosine "
        f"between the two axes {angle_cosine(axes[0], axes[1]):.2f}"
    )


def _choice(vocabulary: Vocabulary) -> tuple[str, int, bool]:
    """Draw which words to draw: own ones, how many of the first, function words or not."""
    own, number, plain = st.columns([2, 1.2, 1], vertical_alignment="bottom")
    with own:
        text = typed(
            vocabulary,
            "points",
            f"{vocabulary.plural.capitalize()} to point out",
            "",
            placeholder="those of the axes, unless you name others",
        )
    n = len(vocabulary.vectors)
    with number:
        most = st.slider(
            f"And the first … {vocabulary.plural}",
            0,
            min(MOST_DRAWN, n),
            min(200, n),
            key=f"words.drawn.{vocabulary.key('n')}",
            persist_state="session",
            help="In the order of the vocabulary: trained methods and published files begin with "
            "the most frequent.",
        )
    with plain:
        leaves_out = vocabulary.kind == "word" and st.toggle(
            "No function words",
            value=True,
            key="words.no_function_words",
            persist_state="session",
            help="Leaves out English words such as “the” and “of”, and single letters.",
        )
    return text, int(most), leaves_out


def _drawn_rows(
    vocabulary: Vocabulary, pointed_out: Sequence[str], most: int, *, plain: bool
) -> NDArray[np.int64]:
    """Return the rows to draw: the chosen words, then the first of the vocabulary."""
    keys = vocabulary.vectors.keys
    rows = dict.fromkeys(vocabulary.vectors.position(word) for word in pointed_out)
    taken = 0
    for row in np.flatnonzero(vocabulary.index.has_direction).tolist():
        if taken >= most:
            break
        if plain and (len(keys[row]) < 2 or is_stop_word(keys[row])):
            continue
        rows[row] = None
        taken += 1
    return np.array(list(rows)[:MOST_DRAWN], dtype=np.int64)
