"""Which layout is shown, how far to trust it, and a way to make another."""

from __future__ import annotations

import streamlit as st

from components import session
from components.markdown import escaped
from components.method_choice import projection_choice
from components.start_button import start_button
from core.setting_words import unusual_settings
from ingest.wording import plural
from projection import list_projections
from projection.layout import Layout
from projection.quality import NEIGHBOURS
from vectors.keyed import KINDS_TOGETHER
from workspace.workspace import LayoutInfo, RunInfo

_JUDGED_FROM = 5
_KIND_WORDS = {
    "document": "texts",
    "word": "words",
    "topic": "topics",
    "image": "images",
    "node": "nodes",
}


def kind_control(run: RunInfo) -> str:
    """Draw a switch between the kinds of vectors of a run, if it has several."""
    kinds = list(run.kinds)
    if len(kinds) == 1:
        return kinds[0]
    chosen = st.segmented_control(
        "Show",
        kinds,
        default=session.recall("kind") if session.recall("kind") in kinds else kinds[0],
        required=True,
        format_func=lambda kind: _kind_words(kind, run),
        key=f"map.kind.{run.id[:12]}",
        persist_state="session",
        label_visibility="collapsed",
        wrap=True,
    )
    session.remember("kind", chosen)
    return chosen or kinds[0]


def _kind_words(kind: str, run: RunInfo) -> str:
    n = run.kinds[kind]
    together = next((k for k in run.kinds if KINDS_TOGETHER in k), "")
    if kind == together:
        return f"both sides · {n:,}"
    if kind in together.split(KINDS_TOGETHER):
        return f"{plural(kind)} · {n:,}"
    return f"{_KIND_WORDS.get(kind, kind)} · {n:,}"


def layouts_of(run: RunInfo, kind: str) -> list[LayoutInfo]:
    """Return the layouts of one kind of a run, oldest first."""
    return [info for info in session.workspace().layouts(run.id) if info.kind == kind]


def current_layout(run: RunInfo, kind: str) -> LayoutInfo | None:
    """Return the chosen layout; else the newest that is not the quick PCA picture; else that."""
    infos = layouts_of(run, kind)
    chosen = session.recall("layout")
    for info in infos:
        if info.id == chosen:
            return info
    better = [info for info in infos if info.method != "pca"]
    return (better or infos or [None])[-1]


def layout_name(info: LayoutInfo) -> str:
    """Return method, preset, unusual settings, dimensions and seed of a layout."""
    known = next((p for p in list_projections() if p.id == info.method), None)
    words = [projection_title(info.method)]
    if known is not None:
        specs = known.params_class.specs()
        if "preset" in specs:
            words[0] += f" {info.params.get('preset', specs['preset'].default)}"
        words += unusual_settings(known.params_class, info.params, {"preset"})
    words.append(f"{info.n_components}-D")
    if info.method != "pca":
        words.append(f"seed {info.seed}")
    return " · ".join(words)


def projection_title(method: str) -> str:
    """Return how a projection is called on screen."""
    return next((p.title for p in list_projections() if p.id == method), method)


def projection_panel(run: RunInfo, kind: str) -> None:
    """Draw a popover: switch between finished layouts, or make another."""
    infos = layouts_of(run, kind)
    shown = current_layout(run, kind)
    with st.popover("Projection", icon=":material/3d_rotation:", width="content"):
        if shown is not None and len(infos) > 1:
            names = {info.id: layout_name(info) for info in infos}
            ids = list(names)
            picked = st.radio(
                "Finished",
                ids,
                index=ids.index(shown.id),
                format_func=names.__getitem__,
                key=f"map.layout.{shown.id[:12]}.{len(ids)}",
            )
            if picked and picked != shown.id:
                session.remember("layout", picked)
                st.rerun()
        st.markdown("**Draw another**")
        spec = projection_choice(key=f"map.new.{run.id[:12]}", kind=kind)
        if start_button("Draw", type="primary", key="map.draw", about=f"{run.id}/{kind}"):
            job = session.workspace().project(run.id, spec)
            session.follow(job)
            st.rerun()


def trust_line(info: LayoutInfo) -> None:
    """Draw how the picture was made and how far it may be trusted."""
    layout = session.layout(info.id)
    notes = "\n\n".join(escaped(note) for note in layout.notes)
    st.caption(
        " · ".join(
            [
                layout_name(info),
                *quality_words(layout, pending=session.is_being_worked_on(info.run)),
            ]
        ),
        help=f"{_HELP}\n\n{notes}".strip(),
    )


def quality_words(layout: Layout, *, pending: bool = False) -> list[str]:
    """Return the quality figures with the number of items they rest on.

    ``pending`` tells a quality that is still being measured from one that never was (its job was
    stopped).
    """
    quality = layout.quality
    if quality is None:
        if len(layout) < _JUDGED_FROM:
            return ["too few points to judge the picture"]
        return ["quality is being measured…" if pending else "quality was not measured"]
    chance = quality.chance_overlap
    by_chance = "<.01" if chance < 0.005 else two_digits(chance)
    words = [
        f"trustworthiness@{quality.k} {two_digits(quality.trustworthiness)}",
        f"continuity@{quality.k} {two_digits(quality.continuity)}",
        f"overlap@{quality.overlap_k} {two_digits(quality.overlap_at_10)} (chance {by_chance})",
    ]
    if quality.n_used != quality.n_total:
        words[-1] += f", judged at {quality.n_used:,} of {quality.n_total:,} items"
    if quality.rank_correlation is not None:
        correlation = two_digits(quality.rank_correlation)
        words.append(f"distance rank correlation {correlation} ({quality.n_pairs:,} pairs)")
    if quality.k < NEIGHBOURS:
        words.append(
            f"@{quality.k} and not @{NEIGHBOURS}, as trustworthiness needs fewer neighbours than "
            f"half of the {quality.n_total:,} points"
        )
    return words


def two_digits(value: float) -> str:
    """Return a share such as .94; 1 and negative values in full."""
    text = f"{value:.2f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


_HELP = (
    "Trustworthiness: are the points that lie close together on the map really close? "
    "Continuity: are points that are really close also close on the map? Both run from about .5 "
    "(a random picture) to 1. Overlap: the share of the ten true neighbours (fewer in small data) "
    "that are also among the ten nearest on the map; chance is what random positions would reach. "
    "Distance rank correlation: do large distances stay large?"
)
