"""What a task has to be told: the column, k, and the files that it needs."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from comparison.offered_tasks import LabelColumn, OfferedTask
from comparison.task_result import Setting
from components import session
from components.markdown import escaped
from core.modality import Modality
from ingest.source import Source
from ingest.wording import count
from workspace.measured_search import ITSELF
from workspace.settings import settings as server_settings
from workspace.stored_comparison import StoredComparison

_FILE, _NONE = "a file", ""
_MOST_MB = 200


@dataclass(frozen=True)
class FileField:
    """A file that a task takes: its role, what it is called and what it holds."""

    role: str
    label: str
    help: str
    is_needed: bool = True


@dataclass(frozen=True)
class Chosen:
    """What the user has chosen.

    Attributes
    ----------
    settings : mapping
    files : mapping of str to Source
        By role.
    missing : str
        What is still needed, in a sentence; "" where all is there.
    """

    settings: dict[str, Setting] = field(default_factory=dict)
    files: dict[str, Source] = field(default_factory=dict)
    missing: str = ""


_FILE_FIELDS: dict[str, tuple[FileField, ...]] = {
    "word-pairs": (
        FileField(
            "pairs",
            "Rated word pairs",
            "Two words and a rating per line, such as WordSim-353, SimLex-999 or MEN.",
        ),
    ),
    "analogies": (
        FileField(
            "questions",
            "Analogy questions",
            "Four words per line (man king woman queen); a line “: name” begins a section. "
            "Google's questions-words.txt, for example.",
        ),
    ),
    "entities": (
        FileField(
            "train",
            "Tagged sentences to learn from",
            "A word and its BIO tag per line (O, B-person, I-person), a blank line between "
            "sentences: the CoNLL format.",
        ),
        FileField(
            "test",
            "Tagged sentences to test (else a fifth of the first file)",
            "The same format; other sentences than those to learn from.",
            is_needed=False,
        ),
    ),
    "graph-links": (
        FileField(
            "held out",
            "Links kept back (optional)",
            "Edges that were not in the graph when it was embedded, in any format of graphs. "
            "Without them the graph's own edges are looked for, which is easier.",
            is_needed=False,
        ),
    ),
    "recommendation": (
        FileField(
            "later",
            "Later choices (optional)",
            "A table of users and items that were not in the data when they were embedded. "
            "Without it the choices in the data are looked for, which is easier.",
            is_needed=False,
        ),
    ),
}
_RATED = FileField(
    "pairs", "Rated pairs", "Two ids of items and a rating per line, separated by tabs or commas."
)
_JUDGED = FileField(
    "judgements",
    "Judgements",
    "Which document answers which query: TREC qrels (query 0 document gain), or a table with the "
    "columns query, document and gain. Queries may be named by their ids or by their number.",
)
_QUERIES = FileField(
    "queries", "Queries", "Texts to search with: one per line, or a table with ids and texts."
)


def task_fields(stored: StoredComparison, one: OfferedTask) -> Chosen:
    """Draw the fields of a task; return what was chosen."""
    if one.columns:
        return _label_fields(stored, one)
    modality = session.dataset(stored.info.recipe.dataset).modality
    if one.id == "retrieval":
        return _search_fields(stored, modality)
    if one.id == "pairs":
        fields = (_RATED,) if one.asks_for else ()
        return _with_files(stored, one.id, fields)
    chosen = _with_files(stored, one.id, _FILE_FIELDS.get(one.id, ()))
    if one.id == "recommendation":
        chosen.settings["k"] = _k(stored, one.id, 20, 200, "Items in a list")
    return chosen


def _label_fields(stored: StoredComparison, one: OfferedTask) -> Chosen:
    left, right = st.columns(2, vertical_alignment="bottom")
    columns = {column.name: column for column in one.columns}
    with left:
        name = st.selectbox(
            "Classes",
            list(columns),
            format_func=lambda name: _column_words(columns[name]),
            key=f"compare.task.column.{stored.info.recipe.dataset[:12]}.{len(columns)}",
            persist_state="session",
            help="The column whose values are the classes.",
        )
    settings: dict[str, Setting] = {"column": name}
    with right:
        if one.id == "label-knn":
            settings["k"] = _k(stored, one.id, 10, stored.comparison.depth, "k, neighbours asked")
        if one.id == "label-probe":
            settings["equal"] = st.toggle(
                "At equal dimensions",
                key="compare.task.equal",
                persist_state="session",
                help="More dimensions are an advantage. This brings every embedding to as many "
                "as the smallest has (by PCA) before the classifier learns.",
            )
    if columns[name].note:
        st.caption(f":material/info: {escaped(columns[name].note)}")
    return Chosen(settings)


def _column_words(column: LabelColumn) -> str:
    return f"{column.name} · {count(column.n_classes, 'class', 'classes')}"


def _k(stored: StoredComparison, name: str, usual: int, most: int, label: str) -> int:
    most = max(1, most)
    return int(
        st.number_input(
            label,
            1,
            most,
            min(usual, most),
            key=f"compare.task.k.{stored.info.id[:12]}.{name}",
            persist_state="session",
            help=f"From 1 to {most:,}.",
        )
    )


def _search_fields(stored: StoredComparison, modality: Modality) -> Chosen:
    """Draw what is searched with what."""
    if modality is Modality.PAIRS:
        sides = session.dataset(stored.info.recipe.dataset).sides
        assert sides is not None  # noqa: S101 -- pairs have two sides
        st.caption(
            escaped(
                f"Every {sides.names[0]} is a query, every {sides.names[1]} a document; the pairs "
                "of the data say which answers which."
            )
        )
        return Chosen({"k": _k(stored, "retrieval", 10, 1_000, "k, places looked at")})
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        source = _query_source(stored)
    with right:
        k = _k(stored, "retrieval", 10, 1_000, "k, places looked at")
    fields = (_QUERIES, _JUDGED) if source == _FILE else (_JUDGED,)
    chosen = _with_files(stored, "retrieval", fields)
    settings: dict[str, Setting] = {"k": k, "queries": _NONE if source == _FILE else source}
    return Chosen(settings, chosen.files, chosen.missing)


def _query_source(stored: StoredComparison) -> str:
    """Draw where the queries come from; return the id of a dataset, or that it is a file."""
    own = stored.info.recipe.dataset
    texts = {
        info.id: info.name
        for info in session.workspace().datasets()
        if info.modality is Modality.TEXT and info.id != own
    }
    words = {_FILE: "a file of queries", ITSELF: "the items themselves", **texts}
    return st.selectbox(
        "Queries",
        [*texts, _FILE, ITSELF],
        format_func=lambda id: words[id],
        key=f"compare.task.queries.{stored.info.id[:12]}.{len(texts)}",
        persist_state="session",
        help="Texts of this workspace, or a file. Load queries on the Data page to keep them. "
        "“The items themselves” is for judgements about which item is like which.",
    )


def _with_files(stored: StoredComparison, task: str, fields: tuple[FileField, ...]) -> Chosen:
    """Draw the uploaders of a task and tell what is still missing."""
    files: dict[str, Source] = {}
    places = st.columns(len(fields)) if len(fields) > 1 else [st.container()]
    for place, one in zip(places, fields, strict=False):
        source = _file(stored, task, one, place)
        if source is not None:
            files[one.role] = source
    lacking = [one.label.lower() for one in fields if one.is_needed and one.role not in files]
    missing = f"Give a file first: {' and '.join(lacking)}." if lacking else ""
    return Chosen({}, files, missing)


def _file(
    stored: StoredComparison, task: str, one: FileField, place: DeltaGenerator
) -> Source | None:
    """Draw one uploader; its bytes are copied once, and kept while other views are looked at."""
    key = f"compare.task.file.{stored.info.id[:12]}.{task}.{one.role}"
    given = place.file_uploader(
        one.label,
        key=key,
        help=one.help,
        max_upload_size=min(_MOST_MB, server_settings().max_upload_mb),
        on_change=session.remember,  # also when it was taken out; what is given comes below
        args=(f"{key}.kept", None),
    )
    kept = session.recall(f"{key}.kept")
    if given is not None and (kept is None or kept[0] != given.file_id):
        kept = (given.file_id, Source(given.name, data=given.getvalue()))
        session.remember(f"{key}.kept", kept)
    if kept is None:
        return None
    if given is None:
        line, out = place.columns([5, 1], vertical_alignment="center")
        line.caption(f":material/description: {escaped(kept[1].name)}")
        out.button(
            "",
            key=f"{key}.out",
            icon=":material/close:",
            type="tertiary",
            help="Leave this file out",
            on_click=session.remember,
            args=(f"{key}.kept", None),
        )
    source: Source = kept[1]
    return source
