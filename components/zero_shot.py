"""Labels by words: class names are typed, and each picture gets the one that fits best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from components import session
from components.boundary import explained
from components.bundled_model import limits_of
from components.items import RunItems
from components.markdown import escaped
from components.picture_grid import cards
from components.query import asked_with
from core.errors import ParameterError
from core.modality import Modality
from vectors.zero_shot import CLIP_SCALE, MOST_CLASSES, Agreement, ZeroShot, agreement, zero_shot
from workspace.table_files import to_csv
from workspace.workspace import RunInfo

COLOUR = "labels by words"
_HOLE = "{}"
_SHOWN = 12
_WHOLE = 10  # classes that are listed without scrolling
_OFFERED = 40  # values of the data's own label that are offered as class names, at most


@dataclass(frozen=True)
class Asked:
    """What was typed: class names, and what each is put into before it is read."""

    names: tuple[str, ...]
    template: str

    @property
    def texts(self) -> list[str]:
        """Return what the model reads for each class."""
        return [self.template.replace(_HOLE, name) for name in self.names]


def has_zero_shot(run: RunInfo) -> bool:
    """Tell whether a run has pictures that words can be compared with."""
    return picture_kind(run) is not None and Modality.TEXT in asked_with(run)


def picture_kind(run: RunInfo) -> str | None:
    """Return the kind of a run's vectors that are of pictures, or None."""
    data = session.dataset(run.dataset)
    if data.modality is Modality.IMAGE:
        return next(iter(run.kinds))
    if data.modality is not Modality.PAIRS or data.sides is None:
        return None
    sides = zip(data.sides.names, data.sides.modalities, strict=True)
    return next((name for name, of in sides if of is Modality.IMAGE and name in run.kinds), None)


def zero_shot_view(run: RunInfo) -> None:
    """Draw the class names, how often each fits best, examples, and what can be done with them."""
    kind = picture_kind(run)
    if kind is None:
        return
    items = session.items(run, kind)
    beside, room = st.columns([1, 2.4], gap="large")
    with beside:
        asked = _typed(run, items)
    with room, explained():
        limits_of(run)
        if asked is None:
            st.info("Type at least two class names, one per line.")
            return
        if len(asked.names) == 1:
            st.info(
                f"Every picture would be “{escaped(asked.names[0])}” with certainty 1: one name "
                "cannot lose against another. Type at least one more name, on a line of its own. "
                "To see the pictures that fit one name best, search for it."
            )
            return
        found = zero_shot_of(run, kind, asked)
        session.remember(f"zero_shot.{run.id}", asked)
        _compared(run, items, asked, found)
        chosen = _counts(asked, found)
        _examples(items, asked, found, chosen)
    with beside:
        _uses(run, items, asked, found)


def asked_before(run: RunInfo) -> Asked | None:
    """Return the class names that were typed last for a run, or None."""
    known = session.recall(f"zero_shot.{run.id}")
    return known if isinstance(known, Asked) else None


def labels_of(run: RunInfo, kind: str, asked: Asked) -> list[str]:
    """Return the class of each vector of ``kind``, as its name."""
    found = zero_shot_of(run, kind, asked)
    return [asked.names[best] for best in found.best.tolist()]


def zero_shot_of(run: RunInfo, kind: str, asked: Asked) -> ZeroShot:
    """Return the best class of each picture; computed once per run and class names."""

    def compute() -> ZeroShot:
        classes = session.workspace().embed_queries(run.id, asked.texts)
        vectors = session.all_vectors(run.id).of_kind(kind).matrix
        return zero_shot(vectors, classes, scale=_scale(run))

    return session.worked_out(("zero-shot", run.id, kind, *asked.texts), compute)


def _scale(run: RunInfo) -> float:
    return float(run.provenance.get("logit_scale") or CLIP_SCALE)


def _typed(run: RunInfo, items: RunItems) -> Asked | None:
    text = st.text_area(
        "Class names",
        value="\n".join(_own_classes(items)),
        height=220,
        key=f"zero_shot.names.{run.id[:12]}",
        persist_state="session",
        placeholder="red circle\nblue square",
        help="One per line. Words the model was trained on work best.",
    )
    template = st.text_input(
        "Put into",
        value=_HOLE,
        key=f"zero_shot.template.{run.id[:12]}",
        persist_state="session",
        help="What each name is put into before it is read, such as “a photo of a {}”.",
    )
    names = tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if len(names) > MOST_CLASSES:
        st.caption(f"The first {MOST_CLASSES} of {len(names):,} names are taken.")
    own = str(run.params.get("template", _HOLE))
    if own != _HOLE:
        st.caption(escaped(f"This run puts every text into “{own}” as well."))
    if template.count(_HOLE) != 1:
        with explained():
            raise ParameterError("“Put into” needs {} once, where the class name goes.")
        return None
    return Asked(names[:MOST_CLASSES], template) if names else None


def _own_classes(items: RunItems) -> Sequence[str]:
    """Return the values of the data's own label, as a start, where they are few."""
    if items.label is None:
        return ()
    values = items.columns[items.label].dropna().astype(str)
    known = sorted(set(values))
    return known if 1 < len(known) <= _OFFERED else ()


def _compared(run: RunInfo, items: RunItems, asked: Asked, found: ZeroShot) -> None:
    """Say how the labels agree with those that the data has, beside what chance would give."""
    given = [asked.names[best] for best in found.best.tolist()]
    best: tuple[str, Agreement] | None = None
    for column in items.colour_columns:
        if items.roles.get(column) not in {"label", "categorical"}:
            continue
        values = items.columns[column]
        own = [None if pd.isna(value) else str(value) for value in values]
        if len(set(own)) > 10 * MOST_CLASSES:
            continue
        against = agreement(given, own, asked.names)
        if against is not None and (best is None or against.n > best[1].n):
            best = (column, against)
    what = (
        f"{len(items):,} pictures, {len(asked.names)} classes; softmax of the cosines times "
        f"{_scale(run):.0f}"
    )
    if best is None:
        st.caption(f"{what}. No column of the data holds these names, so nothing says how right.")
        return
    column, against = best
    st.markdown(
        f"**{_share(against.accuracy)} of {against.n:,} agree with {escaped(column)}** "
        f"(by chance {_share(against.chance)}, always the most frequent "
        f"{_share(against.most_frequent)})"
    )
    st.caption(what + ".")


def _share(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")


def _counts(asked: Asked, found: ZeroShot) -> int | None:
    """Draw how many pictures each class got; return the class whose examples are to be shown."""
    counts = np.bincount(found.best, minlength=len(asked.names))
    sums = np.bincount(found.best, found.probability, minlength=len(asked.names))
    frame = pd.DataFrame(
        {
            "class": asked.names,
            "pictures": counts,
            "share": 100 * counts / max(1, len(found.best)),
            "score": np.where(counts, sums / np.maximum(counts, 1), np.nan),
        }
    )
    event = st.dataframe(
        frame,
        hide_index=True,
        key="zero_shot.counts",
        height="content" if len(frame) <= _WHOLE else 318,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "class": st.column_config.TextColumn("class", width="medium"),
            "pictures": st.column_config.NumberColumn("pictures", format="localized"),
            "share": st.column_config.ProgressColumn(
                "share", format="%.0f %%", min_value=0, max_value=max(1.0, frame["share"].max())
            ),
            "score": st.column_config.NumberColumn(
                "mean score",
                format="%.2f",
                help="Softmax score of the class, mean over the pictures that got it.",
            ),
        },
    )
    rows = event.selection.rows
    return rows[0] if rows and rows[0] < len(asked.names) else None


def _examples(items: RunItems, asked: Asked, found: ZeroShot, chosen: int | None) -> None:
    """Draw the surest pictures of a class, or the surest of each class when none is chosen."""
    if chosen is None:
        st.caption("The surest picture of each class. Choose a row for more of one.")
        rows = [_surest(found, c, 1) for c in range(len(asked.names))]
        positions = [int(row[0]) for row in rows if len(row)][: 2 * _SHOWN]
    else:
        positions = _surest(found, chosen, _SHOWN).tolist()
        st.caption(f"The {len(positions)} surest pictures of “{escaped(asked.names[chosen])}”.")
    if not positions:
        st.info("No picture got this class.")
        return
    scores = [
        f"{asked.names[found.best[p]][:22]} {found.probability[p]:.2f}"
        if chosen is None
        else f"{found.probability[p]:.2f}"
        for p in positions
    ]
    cards(items, positions, scores, [float(found.probability[p]) for p in positions])


def _surest(found: ZeroShot, of: int, n: int) -> np.ndarray:
    rows = np.flatnonzero(found.best == of)
    return rows[np.argsort(-found.probability[rows], kind="stable")[:n]]


def _uses(run: RunInfo, items: RunItems, asked: Asked, found: ZeroShot) -> None:
    if st.button(
        "Colour the map by these", key="zero_shot.to_map", icon=":material/palette:",
        width="stretch",
    ):  # fmt: skip
        session.preset(f"map.colour.{run.dataset[:12]}.{picture_kind(run)}", COLOUR)
        session.remember("kind", picture_kind(run))
        st.switch_page("pages/explore/map.py")
    st.download_button(
        "Labels as CSV",
        lambda: to_csv(label_table(items, asked, found)),
        "labels.csv",
        "text/csv",
        key="zero_shot.csv",
        width="stretch",
        on_click="ignore",
        icon=":material/download:",
    )


def label_table(items: RunItems, asked: Asked, found: ZeroShot) -> pd.DataFrame:
    """Return id, class, softmax score and margin of each picture."""
    return pd.DataFrame(
        {
            "id": items.keys,
            "label": [asked.names[best] for best in found.best.tolist()],
            "score": found.probability.round(4),
            "margin": found.margin.round(4),
        }
    )
