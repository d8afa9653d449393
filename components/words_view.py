"""The words page: neighbours, analogies, the odd one out and axes of a run's vocabulary."""

from __future__ import annotations

import streamlit as st

from components import session
from components.boundary import explained
from components.markdown import escaped
from components.run_table import run_name
from components.words_analogy import analogy_tab
from components.words_axes import axes_tab
from components.words_fields import TABS, Vocabulary, tab_key
from components.words_neighbours import neighbours_tab
from components.words_odd import odd_tab
from core.modality import Modality
from embedders import Embedder, list_embedders
from workspace.workspace import RunInfo

_NO_NAMES = frozenset({"document", "image", "row"})
"""Kinds whose keys are numbers of rows or files: nobody types them into an analogy."""
_OFFERED = 4  # other runs as buttons


@st.fragment
def words_view(run: RunInfo) -> None:
    """Draw the questions that can be asked of a run's words, or the way to a run that has some."""
    with explained():
        kinds = named_kinds(run)
        if not kinds:
            _no_words(run)
            return
        vocabulary = Vocabulary.of(run, _kind(run, kinds))
        tab = st.segmented_control(
            "Question",
            TABS,
            default=TABS[0],
            required=True,
            key=tab_key(run.dataset),
            persist_state="session",
            label_visibility="collapsed",
        )
        draw = dict(zip(TABS, (neighbours_tab, analogy_tab, odd_tab, axes_tab), strict=True))
        with explained():
            draw[tab or TABS[0]](vocabulary)


def named_kinds(run: RunInfo) -> list[str]:
    """Return the kinds of a run whose keys are names, words first."""
    kinds = [kind for kind in run.kinds if kind not in _NO_NAMES]
    return sorted(kinds, key=lambda kind: kind != "word")


def methods_with_words(modality: Modality) -> list[type[Embedder]]:
    """Return the methods for a kind of data that can give a vector per word."""
    return [method for method in list_embedders(modality) if method.words_with is not None]


def _kind(run: RunInfo, kinds: list[str]) -> str:
    if len(kinds) == 1:
        return kinds[0]
    chosen = st.segmented_control(
        "Among",
        kinds,
        default=kinds[0],
        required=True,
        format_func=lambda kind: f"{kind}s · {run.kinds[kind]:,}",
        key=f"words.kind.{run.id[:12]}",
        persist_state="session",
    )
    return chosen or kinds[0]


def _no_words(run: RunInfo) -> None:
    """Say which methods give words, and offer the runs that have them and the way to a new one."""
    info = session.workspace().dataset_info(run.dataset)
    others = [r for r in session.workspace().runs(run.dataset) if named_kinds(r)]
    methods = methods_with_words(info.modality) if info.modality is Modality.TEXT else []
    kind = next(iter(run.kinds)).replace("document", "text")
    none = f"{run.title} gives one vector per {kind} here and none per word."
    if not methods and not others:
        st.info(
            escaped(
                f"{none} Words come from texts or from a file of word vectors: open one of those."
            )
        )
        if st.button("Go to the start page", key="words.start"):
            st.switch_page("pages/begin/start.py")
        return
    titles = ", ".join(method.title for method in methods)
    st.info(escaped(f"{none} These methods give words: {titles}."))
    with st.container(horizontal=True):
        for other in others[-_OFFERED:]:
            if st.button(
                f"Show the words of {escaped(run_name(other))}",
                key=f"words.run.{other.id}",
                type="primary",
            ):
                session.choose_run(other.id)
                st.rerun()
        for method in methods:
            if st.button(f"Embed with {escaped(method.title)}", key=f"words.embed.{method.id}"):
                session.preset(f"embed.method.{info.modality}", method.id)
                for name, value in method.words_with or ():
                    session.preset(f"embed.{method.id}.{name}", value)
                st.switch_page("pages/build/embed.py")
