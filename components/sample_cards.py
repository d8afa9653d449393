"""The bundled samples as cards; one click leads to a drawn map."""

from __future__ import annotations

import streamlit as st

from components import session
from components.start_button import start_button
from core.modality import Modality
from embedders import get_embedder
from ingest.samples import Sample, list_samples, load_sample
from ingest.wording import count, many
from workspace.tasks import LayoutSpec
from workspace.workspace import DatasetInfo

ICONS = {
    Modality.TEXT: ":material/article:",
    Modality.IMAGE: ":material/image:",
    Modality.TABLE: ":material/table:",
    Modality.GRAPH: ":material/hub:",
    Modality.VECTORS: ":material/scatter_plot:",
    Modality.PAIRS: ":material/compare_arrows:",
    Modality.INTERACTIONS: ":material/recommend:",
}


def sample_cards(*, columns: int = 3) -> bool:
    """Draw a card per sample; return True when one was opened (its map is being made)."""
    samples = list_samples()
    opened = False
    for start in range(0, len(samples), columns):
        row = st.columns(columns)
        for column, sample in zip(row, samples[start : start + columns], strict=False):
            with column.container(border=True, height="stretch", key=f"card_{sample.id}"):
                opened = _card(sample) or opened
    return opened


def _card(sample: Sample) -> bool:
    method = get_embedder(sample.embedder).title
    st.markdown(f"##### {ICONS[sample.modality]} {sample.title}")
    st.markdown(sample.summary)
    st.caption(f"{sample.n_items:,} {noun(sample.modality, sample.n_items)} · {method}")
    key = f"start.open.{sample.id}"
    if start_button("Open the map", key=key, about=sample.id, type="primary"):
        open_sample(sample)
        return True
    return False


def open_sample(sample: Sample) -> None:
    """Put the sample into the workspace and start its suggested method and map."""
    workspace = session.workspace()
    info = workspace.add_dataset(load_sample(sample.id))
    session.choose_dataset(info.id)
    job = workspace.embed(info.id, sample.embedder, dict(sample.params), 0, LayoutSpec())
    session.follow(job)


def size_words(info: DatasetInfo) -> str:
    """Return how much a dataset holds: "186 images", "81 questions × 1,038 answers, 222 pairs"."""
    sides = info.sides
    if sides is None:
        return f"{info.n:,} {noun(info.modality, info.n)}"
    left, right = many(sides.n_left, sides.names[0]), many(sides.n_right, sides.names[1])
    if sides.names == ("left", "right"):
        left, right = f"{sides.n_left:,} left", f"{sides.n_right:,} right"
    return f"{left} × {right}, {short_size(info)}"


def short_size(info: DatasetInfo) -> str:
    """Return the one number that says most: "186 images", "222 pairs"."""
    if info.sides is None:
        return f"{info.n:,} {noun(info.modality, info.n)}"
    links = "interaction" if info.modality is Modality.INTERACTIONS else "pair"
    return count(info.sides.n_pairs, links)


def noun(modality: Modality, n: int = 2) -> str:
    """Return what the items of a modality are called."""
    word = {
        Modality.TEXT: "text",
        Modality.IMAGE: "image",
        Modality.TABLE: "row",
        Modality.GRAPH: "node",
        Modality.VECTORS: "vector",
    }.get(modality, "item")
    return word if n == 1 else word + "s"
