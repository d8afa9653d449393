"""The inspector: how a text becomes tokens, numbers and a vector under the run's method."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from components import session
from components.boundary import explained
from components.figures.token_strips import token_strips
from components.markdown import escaped
from core.modality import Modality
from embedders import get_embedder
from embedders.trace import MAX_TOKENS, Trace
from ingest.dataset import Dataset
from workspace.workspace import RunInfo

_STRIPS = 40
_MOST_CHARS = 5_000  # mostly more than the tokens that are traced
_CHIP = (
    "display:inline-block;margin:2px 3px;padding:1px 8px;border-radius:6px;white-space:pre;"
    "border:1px solid color-mix(in srgb, currentColor 30%, transparent);font-size:0.95rem;"
)
_UNKNOWN = "border-style:dashed;opacity:0.55;text-decoration:line-through;"


def token_view(run: RunInfo) -> None:
    """Draw the box for a text and the three steps of its way."""
    dataset = session.dataset(run.dataset)
    if dataset.modality is not Modality.TEXT and not _reads_texts(run, dataset):
        st.info(f"{run.title} reads no texts, so there are no tokens to show. Choose a text run.")
        return
    texts = _texts(dataset)
    text, number = _text_box(run, texts)
    if not text.strip():
        st.caption("Type a text to see how it is cut, numbered and embedded.")
        return
    with explained():
        workspace = session.workspace()
        is_item = number is not None and text == texts[number][:_MOST_CHARS]
        # An item is read as such: a method may read queries otherwise.
        trace = (
            workspace.trace_item(run.id, text, _side(dataset, number))
            if is_item
            else workspace.trace(run.id, text)
        )
        _tokens(trace)
        _numbers(trace)
        _vectors(trace)


def _reads_texts(run: RunInfo, dataset: Dataset) -> bool:
    """Tell whether the model of a run on data of another kind reads texts."""
    reads = run.provenance.get("reads")  # of a method that learns from one kind or two
    if reads is not None:
        return Modality.TEXT in reads
    if run.embedder == "two_towers":  # of an earlier version
        return dataset.sides is not None and Modality.TEXT in dataset.sides.modalities
    method = run.provenance.get("model_of", {}).get("method", run.embedder)
    return Modality.TEXT in get_embedder(method).queries


def _texts(dataset: Dataset) -> Sequence[str]:
    """Return the texts of a dataset: all items, those of the sides that hold texts, or none."""
    if dataset.modality is Modality.TEXT:
        items: Sequence[str] = dataset.items
        return items
    if dataset.sides is None or dataset.modality is not Modality.PAIRS:
        return []
    n_left = dataset.sides.n_left
    bounds = ((0, n_left), (n_left, len(dataset)))
    return [
        text
        for kind, (start, end) in zip(dataset.sides.modalities, bounds, strict=True)
        if kind is Modality.TEXT
        for text in dataset.items[start:end]
    ]


def _side(dataset: Dataset, number: int | None) -> int | None:
    """Return the side of the text that stands at ``number`` among ``_texts``."""
    if dataset.sides is None or number is None:
        return None
    has_left = dataset.sides.modalities[0] is Modality.TEXT
    return 0 if has_left and number < dataset.sides.n_left else 1


def _text_box(run: RunInfo, items: Sequence[str]) -> tuple[str, int | None]:
    """Draw the box; return what is in it, and the place of the text that was put there."""
    if not items:
        key = f"tokens.text.{run.dataset[:12]}"
        typed = st.text_area(
            "Text",
            key=key,
            height=100,
            max_chars=_MOST_CHARS,
            persist_state="session",
            placeholder="a red circle above a blue square",
        )
        return str(typed), None
    box, pick = st.columns([4, 1], vertical_alignment="bottom")
    number = pick.number_input(
        "Take text number",
        min_value=1,
        max_value=len(items),
        value=1,
        key=f"tokens.row.{run.dataset[:12]}",
        persist_state="session",
        help="Puts this text of the dataset into the box.",
    )
    whole = items[int(number) - 1]
    text = str(
        box.text_area(
            "Text",
            value=whole[:_MOST_CHARS],
            key=f"tokens.text.{run.dataset[:12]}.{number}",
            height=100,
            max_chars=_MOST_CHARS,
            persist_state="session",
        )
    )
    if len(whole) > _MOST_CHARS and text == whole[:_MOST_CHARS]:
        st.caption(
            f"Text {number:,} has {len(whole):,} characters; the box holds the first "
            f"{_MOST_CHARS:,}. All below is about those; the vector of the whole text may differ."
        )
    return text, int(number) - 1


def _tokens(trace: Trace) -> None:
    st.subheader("1 · Tokens")
    known = sum(token.id is not None for token in trace.tokens)
    beyond = "are not listed" if trace.is_read_whole else "are cut off and take no part"
    cut = f" {trace.n_cut:,} further tokens {beyond}." if trace.n_cut else ""
    st.caption(
        f"{len(trace.tokens):,} tokens, {known:,} of them with a number in the vocabulary.{cut} "
        "Dashed ones have none."
    )
    chips = "".join(
        f'<span style="{_CHIP}{"" if token.id is not None else _UNKNOWN}" '
        f'title="{escape(token.note)}">{escape(token.text)}</span>'
        for token in trace.tokens[:MAX_TOKENS]
    )
    st.html(f'<div data-testid="token-chips">{chips}</div>')


def _numbers(trace: Trace) -> None:
    st.subheader("2 · Numbers")
    lengths = np.linalg.norm(trace.matrix.astype(np.float64), axis=1)
    frame = pd.DataFrame(
        {
            "token": [token.text for token in trace.tokens],
            "number": ["" if token.id is None else f"{token.id:,}" for token in trace.tokens],
            "weight": [f"{token.weight:.4f}" if token.weight else "" for token in trace.tokens],
            "length of vector": [
                "" if token.row is None else f"{lengths[token.row]:.3f}" for token in trace.tokens
            ],
            "note": [token.note for token in trace.tokens],
        }
    )
    if not len(trace.matrix):
        frame = frame.drop(columns="length of vector")
    st.dataframe(
        frame,
        hide_index=True,
        height=min(420, 38 + 35 * len(frame)),
        column_config={
            "number": st.column_config.TextColumn(
                help="Position in the vocabulary; for TF-IDF the dimension."
            ),
            "weight": st.column_config.TextColumn(
                help="How much the token counts in the vector of the text."
            ),
        },
    )


def _vectors(trace: Trace) -> None:
    st.subheader("3 · Vectors")
    st.caption(escaped(trace.rule))
    if not trace.vector.any():
        st.info("No token of this text has a vector, so the text is similar to nothing.")
        return
    if not len(trace.matrix):
        filled = int(np.count_nonzero(trace.vector))
        st.caption(f"{filled:,} of {len(trace.vector):,} dimensions are filled.")
        if 2 * filled > len(trace.vector):
            st.plotly_chart(
                token_strips([], trace.matrix, trace.vector),
                key="tokens.strip",
                config={"displayModeBar": False},
            )
        return
    shown = [token for token in trace.tokens if token.row is not None][:_STRIPS]
    rows = [token.row for token in shown]
    figure = token_strips([token.text for token in shown], trace.matrix[rows], trace.vector)
    st.plotly_chart(figure, key="tokens.strips", config={"displayModeBar": False})
    total = sum(token.row is not None for token in trace.tokens)
    st.caption(
        f"{len(shown)} of {total} tokens drawn, {len(trace.vector):,} dimensions; each row is "
        "scaled by its own largest number. Blue is above zero, orange below."
    )
