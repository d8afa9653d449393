"""The line above a result: which data, which method; and what to say when there is none yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from components import session
from components.earlier_run import model_download
from components.figures.loss_curve import (
    held_out_caption,
    held_out_curve,
    held_out_words,
    loss_curve,
)
from components.markdown import escaped
from components.preview_picture import preview_picture
from components.run_table import run_races, settings_text
from components.sample_cards import size_words
from workspace.workspace import RunInfo

_HELD_OUT_ARE = {"own_image_network": "images", "two_towers": "queries"}
"""What the held-out figure of a method counts; a recommender is judged on a page of its own."""


def run_header(run: RunInfo) -> None:
    """Draw dataset, method, size and metric, with the settings on demand."""
    info = next(d for d in session.workspace().datasets() if d.id == run.dataset)
    size = size_words(info)
    topics = run.provenance.get("topics")
    what, how, *more = st.columns(
        [3.6, 1.2, 0.8] if topics else [3.9, 1.2], vertical_alignment="center"
    )
    title = f"{info.name} · {size} · {run.title} · {run.dim:,}-d · {run.metric}"
    what.markdown(f"##### {escaped(title)}")
    held_out = run.provenance.get("held_out")
    if held_out and run.embedder in _HELD_OUT_ARE:
        words = held_out_words(held_out, _HELD_OUT_ARE[run.embedder])
        doubt = f" · {held_out['doubt']}" if held_out.get("doubt") else ""
        what.caption(escaped(words + doubt))
    with how.popover("How it was made", width="stretch"):
        loose = " (not reproducible bit by bit)" if run_races(run) else ""
        parts = [part for part in (settings_text(run), f"seed {run.seed}{loose}") if part]
        st.markdown(f"**{escaped(run.title)}** · {escaped(' · '.join(parts))}")
        for sentence in run.provenance.get("notes", ()):
            st.markdown(f"- {escaped(sentence)}")
        _model(run.provenance)
        _training(run)
        model_download(run)
        versions = ", ".join(f"{name} {v}" for name, v in run.versions.items())
        st.caption(f"{run.seconds:.1f} s to embed · {run.bytes / 1e6:,.1f} MB · {versions}")
    if topics:
        with more[0].popover("Topics", width="stretch"):
            _topics(topics, run.provenance.get("model_of"))


def _model(about: Mapping[str, Any]) -> None:
    """Say which version of a model of the hub made the vectors, and of those it needed beside."""
    if not about.get("model_from"):
        return
    commit = f", commit {about['model_commit'][:12]}" if about["model_commit"] else ""
    digest = about["weights_sha256"]
    weights = f"; weights with SHA-256 {digest[:12]}…" if digest else ""
    st.caption(escaped(f"{about['model']} from {about['model_from']}{commit}{weights}"))
    for one in about.get("model_beside", ()):
        _model(one)


def _training(run: RunInfo) -> None:
    """Draw how the loss fell, and what held-out items said, where the method was trained."""
    chart = {"displayModeBar": False}
    losses = run.provenance.get("losses", ())
    if len(losses) > 1:
        st.caption("Loss after each epoch of training")
        st.plotly_chart(loss_curve(losses), key=f"losses.{run.id[:12]}", config=chart)
    held_out = run.provenance.get("held_out")
    if held_out and len(held_out["values"]) > 1:
        st.caption(escaped(held_out_caption(held_out)))
        st.plotly_chart(held_out_curve(held_out), key=f"held_out.{run.id[:12]}", config=chart)


def _topics(topics: list[dict[str, Any]], model_of: Mapping[str, Any] | None) -> None:
    """Draw the topics by their words, the largest first."""
    frame = pd.DataFrame(
        {
            "topic": [topic["number"] for topic in topics],
            "words": [", ".join(word for word, _ in topic["words"][:8]) for topic in topics],
            "share": [100 * topic["share"] for topic in topics],
            "coherence": [topic["coherence"] for topic in topics],
        }
    ).sort_values("share", ascending=False)
    st.dataframe(
        frame,
        hide_index=True,
        column_config={
            "topic": st.column_config.NumberColumn(width=60),
            "words": st.column_config.TextColumn("likeliest words", width=330),
            "share": st.column_config.ProgressColumn(
                "share",
                width=110,
                format="%.1f %%",
                min_value=0.0,
                max_value=float(frame["share"].max()),
            ),
            "coherence": st.column_config.NumberColumn(
                width=80,
                format="%.2f",
                help="How often the words meet in one text: 1 always, 0 by chance, -1 never.",
            ),
        },
    )
    if model_of:
        source = model_of.get("trained_on") or "the data of the earlier run"
        st.caption(
            f"Share and coherence were measured on {escaped(source)}, where the topics were "
            "learnt, not on these data."
        )
    st.caption("Colour the map by “strongest topic” to see where each one lies.")


def no_run_yet(title: str) -> None:
    """Say what is missing before there are vectors, and offer the next step."""
    job = session.awaited_job()
    if job is not None and job.active:
        preview_picture(job)
        return
    st.title(title)
    info = session.current_dataset()
    if info is None:
        st.info("Open a sample or load a file first.")
        if st.button("Go to the start page", key="none.start"):
            st.switch_page("pages/begin/start.py")
        return
    if session.workspace().runs(info.id):
        st.info(f"Choose a run of {escaped(info.name)} at the left, or embed it once more.")
    else:
        st.info(f"{escaped(info.name)} has not been embedded yet.")
    if st.button("Choose a method", key="none.embed", type="primary"):
        st.switch_page("pages/build/embed.py")
