"""The fields of the words page: typed words, found in the vocabulary or answered with near ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import streamlit as st

from components import session
from components.markdown import escaped
from core.errors import QueryError, UnknownKey
from ingest.tokenize import is_stop_word
from vectors import KeyedVectors, VectorIndex
from vectors.formula import in_quotes, is_formula, quoted
from vectors.word_examples import WordExamples, word_examples
from vectors.word_lists import WordList, find_key, look_up, split_words
from workspace.workspace import RunInfo

TABS = ("Neighbours", "Analogy", "Odd one out", "Axes")
_PLURALS = {"word": "words", "node": "nodes", "user": "users", "item": "items", "topic": "topics"}
_MOST_WORDS = 500  # in one typed list


@dataclass(frozen=True)
class Vocabulary:
    """The named vectors of a run that the page asks about.

    Attributes
    ----------
    run : RunInfo
    kind : str
    index : VectorIndex
        Over that kind, under cosine.
    """

    run: RunInfo
    kind: str
    index: VectorIndex

    @classmethod
    def of(cls, run: RunInfo, kind: str) -> Vocabulary:
        """Return one kind of a run, from the memory of the server."""
        return cls(run, kind, session.index(run.id, kind, "cosine"))

    @property
    def vectors(self) -> KeyedVectors:
        """Return keys and matrix."""
        return self.index.vectors

    @property
    def plural(self) -> str:
        """Return what several of the keys are called."""
        return _PLURALS.get(self.kind, f"{self.kind}s")

    @property
    def size(self) -> str:
        """Return "1,025 words"."""
        n = len(self.vectors)
        return f"{n:,} {self.kind if n == 1 else self.plural}"

    @property
    def examples(self) -> WordExamples:
        """Return questions to begin with."""
        key = ("word examples", self.run.id, self.kind)
        with st.spinner(f"Looking for {self.plural} to begin with …"):
            return session.worked_out(key, lambda: word_examples(self.index, is_stop_word))

    def key(self, name: str) -> str:
        """Return the widget key of a field: what was typed stays over the runs of a dataset."""
        return f"words.{name}.{self.run.dataset[:12]}.{self.kind}"


def typed(vocabulary: Vocabulary, name: str, label: str, example: str, **look: str) -> str:
    """Draw a text field that begins with an example; return what is in it."""
    key = vocabulary.key(name)
    session.offer(key, example)
    return (st.text_input(label, key=key, persist_state="session", **look) or "").strip()  # type: ignore[arg-type]


def joined(words: tuple[str, ...]) -> str:
    """Return words as a list is typed."""
    return ", ".join(in_quotes(word) if set(word) & set(",;") else word for word in words)


def known_word(vocabulary: Vocabulary, name: str, text: str) -> str | None:
    """Return the key that was typed into a field, or None after saying what is like it."""
    try:
        return find_key(vocabulary.vectors, text)
    except UnknownKey as error:
        _not_known(vocabulary, name, text, {text: error.suggestions})
    except QueryError:
        st.caption(f"Type a {vocabulary.kind} of the {vocabulary.size}.")
    return None


def known_words(vocabulary: Vocabulary, name: str, text: str) -> WordList:
    """Return the typed list sorted by what can be done with it, and say what was left out."""
    words = split_words(text, vocabulary.vectors)
    if len(words) > _MOST_WORDS:
        st.caption(f"The first {_MOST_WORDS:,} of {len(words):,} typed {vocabulary.plural} count.")
    found = look_up(vocabulary.vectors, words[:_MOST_WORDS])
    _not_known(vocabulary, name, text, found.unknown)
    remarks = []
    if found.repeated:
        remarks.append(f"Counted once though typed more often: {joined(found.repeated)}.")
    if found.zero:
        remarks.append(f"Left out, because their vectors are zero: {joined(found.zero)}.")
    if remarks:
        st.caption(escaped(" ".join(remarks)))
    return found


def reads_as_formula(vocabulary: Vocabulary, text: str) -> bool:
    """Tell whether a field holds arithmetic, or is to be read as a list of words."""
    return is_formula(text) and not vocabulary.vectors.has(text)


def _not_known(
    vocabulary: Vocabulary, name: str, text: str, unknown: Mapping[str, tuple[str, ...]]
) -> None:
    """List the words without a vector, with what is like them as buttons that put it right."""
    key = vocabulary.key(name)
    for number, (word, near) in enumerate(list(unknown.items())[:5]):
        hint = " Did you mean" if near else " Nothing is spelled like it."
        with st.container(horizontal=True, vertical_alignment="center", key=f"{key}.near{number}"):
            st.caption(f"“{escaped(word)}” has no vector.{hint}", width="content")
            for other in near:
                st.button(
                    escaped(other),
                    key=f"{key}.near.{number}.{other}",
                    on_click=session.preset,
                    args=(key, _replaced(text, word, other)),
                )
    if len(unknown) > 5:
        st.caption(escaped(f"Not known either: {joined(tuple(unknown)[5:25])}."))


def _replaced(text: str, word: str, other: str) -> str:
    """Return a typed text with one word put right."""
    whole = other if text.strip() == word else quoted(other) if '"' in text else other
    return re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", lambda _: whole, text, count=1)


def going_to(vocabulary: Vocabulary) -> Callable[[str], None]:
    """Return what shows the neighbours of a word, for a click on it."""
    return partial(_go_to, vocabulary.key("focus"), tab_key(vocabulary.run.dataset))


def tab_key(dataset: str) -> str:
    """Return the key of the choice among the questions: every dataset has its own."""
    return f"words.tab.{dataset[:12]}"


def _go_to(field: str, tab: str, word: str) -> None:
    session.preset(field, word)
    session.preset(tab, TABS[0])
