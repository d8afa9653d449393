"""From files or pasted text to a dataset: what was recognised, what can be overridden."""

from __future__ import annotations

import hashlib
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from components import session
from components.dataset_view import column_guesses
from components.markdown import escaped
from components.picture_strip import picture_strip
from components.start_button import start_button
from core.modality import Modality
from ingest import Preview, Role, inspect_source, read_dataset
from ingest.source import Source
from ingest.wording import count
from workspace.records import HowRead
from workspace.settings import settings
from workspace.workspace import DatasetInfo

_KIND_WORDS = {
    Modality.TEXT: "texts",
    Modality.IMAGE: "images",
    Modality.TABLE: "a table",
    Modality.GRAPH: "a graph",
    Modality.VECTORS: "finished vectors",
    Modality.PAIRS: "pairs",
    Modality.INTERACTIONS: "interactions",
}
_READ_HERE_BYTES = 4_000_000
"""Sources up to this size are read within a second or two, in the server process."""
_KIND_HELP = {
    Modality.PAIRS: "Two columns that belong together, such as question and answer, or caption and "
    "image. Give one the role left, the other right; a weight says how well they fit.",
    Modality.INTERACTIONS: "Who liked, bought or rated what. A table about the items or the users "
    "can be dropped beside it; it is joined by id.",
}
_ROLES: dict[Modality, tuple[Role, ...]] = {
    Modality.TEXT: ("text", "label", "id", "categorical", "numeric", "time", "ignored"),
    Modality.IMAGE: ("label", "categorical", "numeric", "time", "text", "ignored"),
    Modality.TABLE: ("numeric", "categorical", "label", "id", "time", "text", "ignored"),
    Modality.PAIRS: (
        "left",
        "right",
        "weight",
        "label",
        "categorical",
        "numeric",
        "text",
        "ignored",
    ),
    Modality.INTERACTIONS: (
        "user",
        "item",
        "weight",
        "time",
        "label",
        "categorical",
        "numeric",
        "text",
        "ignored",
    ),
}


def chosen_sources() -> list[Source]:
    """Draw the uploader and the paste box; return what was given, or an empty list."""
    files = st.file_uploader(
        "Files",
        accept_multiple_files=True,
        max_upload_size=settings().max_upload_mb,
        key="data.files",
        help="One file, many images, a zip, or files that belong together: images with a table of "
        "captions, ratings with a table of items, a graph's edges with its nodes, vectors with "
        "their metadata.",
    )
    with st.expander("Paste text instead", icon=":material/content_paste:"):
        pasted = st.text_area(
            "One item per line, or a table with a header", key="data.pasted", height=160
        )
    if files:
        return _kept_sources(files)
    return [Source("pasted.txt", data=pasted.encode())] if pasted.strip() else []


def _kept_sources(files: list[UploadedFile]) -> list[Source]:
    """Return the uploads as sources; their bytes are copied once, not on every rerun."""
    ids = tuple(file.file_id for file in files)
    kept = session.recall("data.sources")
    if kept is None or kept[0] != ids:
        kept = (ids, [Source(file.name, data=file.getvalue()) for file in files])
        session.remember("data.sources", kept)
        session.remember("data.stamp", _stamp(kept[1]))
    sources: list[Source] = kept[1]
    return sources


def read_with_preview(sources: list[Source]) -> DatasetInfo | None:
    """Draw what the sources are with their column roles; return the dataset once it is added.

    Small sources are read at once, large ones by a worker, whose job the page then shows.
    """
    pasted = sources[0].name == "pasted.txt"
    stamp = _stamp(sources) if pasted else session.recall("data.stamp")
    asked = session.recall(f"data.kind.{stamp}")
    preview = _inspect(stamp, sources, asked, session.recall(f"data.options.{stamp}") or {})
    st.subheader(escaped(preview.format))
    _kind_choice(preview, stamp)
    if preview.kind in _KIND_HELP:
        st.caption(_KIND_HELP[preview.kind])
    if preview.n_items == 1 and not preview.warnings:
        st.warning("Only one item: it has no neighbours, so no map can be drawn.")
    if preview.warnings:
        st.warning("\n\n".join(map(escaped, preview.warnings)), icon=":material/info:")
    for sentence in preview.notes:
        st.caption(escaped(sentence))
    if preview.thumbnails:
        picture_strip(preview.thumbnails)
    roles = _role_editor(preview, stamp)
    if len(preview.rows.columns):
        st.dataframe(_displayable(preview.rows), hide_index=True, height=240)
    _reading_options(preview, stamp)
    name = st.text_input("Name", value=_name(sources), key=f"data.name.{stamp}", max_chars=80)
    if not start_button("Add to workspace", type="primary", key="data.add", about=stamp):
        return None
    options = {**(session.recall(f"data.options.{stamp}") or {}), **roles}
    name = name.strip() or _name(sources)
    if sum(source.size for source in sources) > _READ_HERE_BYTES:
        job = session.workspace().read_upload(sources, kind=preview.kind, name=name, **options)
        session.follow(job)
        st.rerun()
    with st.spinner("Reading…"):
        dataset = read_dataset(sources, kind=preview.kind, **options)
        how = HowRead(tuple(source.name for source in sources), options)
        return session.workspace().add_dataset(dataset, name=name, how=how)


def _stamp(sources: list[Source]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for source in sources:
        digest.update(source.name.encode())
        digest.update(source.size.to_bytes(8, "little"))
        digest.update(source.read())
    return digest.hexdigest()


def _inspect(
    stamp: str, sources: list[Source], kind: Modality | None, options: dict[str, Any]
) -> Preview:
    """Inspect once per file and options: reruns of the page must not read a large file again."""
    asked = (stamp, kind, tuple(sorted(options.items())))
    kept = session.recall("data.preview")
    if kept and kept[0] == asked:
        preview: Preview = kept[1]
        return preview
    preview = inspect_source(sources, kind=kind, **options)
    session.remember("data.preview", (asked, preview))
    return preview


def _count(preview: Preview) -> str:
    if preview.kind in _KIND_HELP and preview.n_items is not None:
        return ""  # the sizes of the two sides stand below: an "item" may be one of them
    if preview.n_items is None:
        n = preview.n_inspected
        if preview.kind is Modality.IMAGE:  # of all folders in turn, not the first
            return f"{count(n, 'image')} could be read so far · " if n else ""
        return f"the first {n:,} rows were looked at · " if n else ""
    return f"{preview.n_items:,} {'item' if preview.n_items == 1 else 'items'} · "


def _kind_choice(preview: Preview, stamp: str) -> None:
    kinds = list(dict.fromkeys([preview.kind, *preview.other_kinds]))
    count = _count(preview)
    if len(kinds) == 1:
        st.caption(f"{count}recognised as {_KIND_WORDS[preview.kind]}")
        return
    chosen = st.segmented_control(
        f"{count}read as",
        kinds,
        default=preview.kind,
        required=True,
        format_func=lambda kind: _KIND_WORDS[kind],
        key=f"data.kindpick.{stamp}",
    )
    if chosen and chosen != preview.kind:
        session.remember(f"data.kind.{stamp}", chosen)
        st.rerun()


def _role_editor(preview: Preview, stamp: str) -> dict[str, Any]:
    """Draw the column roles as an editable table; return the roles that were chosen."""
    allowed = _ROLES.get(preview.kind)
    if not preview.columns:
        return {}
    frame = column_guesses(preview.columns, preview.n_inspected)
    if allowed is None:
        st.dataframe(frame, hide_index=True)
        return {}
    edited = st.data_editor(
        frame,
        hide_index=True,
        disabled=[name for name in frame.columns if name != "role"],
        column_config={
            "role": st.column_config.SelectboxColumn(
                "role", options=list(allowed), required=True, help="What the column is used for."
            )
        },
        key=f"data.roles.{stamp}.{preview.kind}",
    )
    return {"columns": dict(zip(edited["column"], edited["role"], strict=True))}


def _reading_options(preview: Preview, stamp: str) -> None:
    """Let the user correct how the file is read; an empty box means what was recognised."""
    editable = {
        name: preview.options.get(name)
        for name in ("delimiter", "encoding", "header", "sheet", "directed")
        if name in preview.options
    }
    if not editable:
        return
    with (
        st.expander("How the file is read", icon=":material/settings:"),
        st.form(f"data.reading.{stamp}", border=False),
    ):
        chosen = {name: _option(name, value, stamp) for name, value in editable.items()}
        if st.form_submit_button("Read again"):
            changed = {n: v for n, v in chosen.items() if v != editable[n]}
            kept = session.recall(f"data.options.{stamp}") or {}
            session.remember(f"data.options.{stamp}", {**kept, **changed})
            st.rerun()


def _option(name: str, value: object, stamp: str) -> object:
    key = f"data.option.{name}.{stamp}"
    if name == "directed":
        return st.checkbox("Directed edges", value=bool(value), key=key)
    if name == "header":
        named = value != "none"
        on = st.checkbox("A row holds the column names", value=named, key=key)
        return (value if named else 0) if on else "none"
    if name == "delimiter":
        options = dict.fromkeys([str(value), ",", ";", "\t", "|", " "])
        words = {"\t": "tab", " ": "space", ",": "comma", ";": "semicolon", "|": "bar"}
        return st.selectbox(
            "Delimiter", list(options), format_func=lambda d: words.get(d, d), key=key
        )
    return st.text_input(name.capitalize(), value="" if value is None else str(value), key=key)


def _name(sources: list[Source]) -> str:
    first = sources[0]
    return first.stem[:80] if len(sources) <= 2 else f"{first.stem} and {len(sources) - 1} more"


def _displayable(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows that Arrow can carry: mixed objects become text, cells are kept short."""
    frame = rows.copy()
    for name in frame.columns:
        if frame[name].dtype == object or pd.api.types.is_string_dtype(frame[name]):
            frame[name] = frame[name].map(lambda v: v if pd.isna(v) else str(v)[:300])
    return frame
