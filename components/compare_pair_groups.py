"""Groups of items that one embedding keeps together and the other tears apart."""

from __future__ import annotations

import html

import streamlit as st

from comparison.group_captions import Caption
from comparison.guards import guard_of_torn_groups
from comparison.torn_groups import TornGroup, TornGroups, TornMode
from components.compare_items import compared_items, label_choice
from components.compare_pair_findings import Pair, pair_torn_groups
from components.figures.ink import short_number
from components.items import RunItems
from components.markdown import escaped
from components.neighbour_list import image_uri, shorten

_FIRST = 4  # cards on either side before one asks for more
_EXAMPLES, _PART_EXAMPLES, _PICTURES = 3, 1, 6
_TEXT = 110
_COMMON_LIFT = 1.2
_WEAK = 0.3
"""Of all random pairs: a group is weak where this few lie between its two embeddings."""


def pair_groups(pair: Pair) -> None:
    """Draw a card per group, those that A keeps together on the left, B's on the right."""
    with st.columns([1, 2])[0]:
        column = label_choice(pair.stored, key="compare.classes")
    if few := guard_of_torn_groups(pair.n):
        st.info(escaped(few), icon=":material/info:")
        return
    torn = pair_torn_groups(pair, column)
    if torn is None:
        return
    st.markdown(escaped(groups_words(torn)))
    doubtful = sum(len(mode.groups) for mode in torn.modes if not mode.beyond_chance)
    also = False
    if doubtful:
        also = st.toggle(
            f"Show {doubtful} more that chance could give",
            key=f"compare.pair.doubtful.{pair.key}",
        )
    items = compared_items(pair.stored)
    for place, space, keeps, tears in zip(
        st.columns(2, gap="large"), (0, 1), (pair.a, pair.b), (pair.b, pair.a), strict=True
    ):
        with place:
            st.markdown(f"**{escaped(keeps)}** keeps together, {escaped(tears)} tears apart")
            _side(torn.kept_by(space), items, keeps, tears, also=also)


def groups_words(torn: TornGroups) -> str:
    """Say what is looked for, how, and how it was tested."""
    found = [(g, mode) for mode in torn.modes if mode.beyond_chance for g in mode.groups]
    n, n_weak = len(found), sum(is_weak(group, mode) for group, mode in found)
    weak = f", {n_weak} of them weak" if n_weak else ""
    return (
        f"{n or 'No'} group{'s' if n != 1 else ''} beyond chance{weak}. They come from the "
        "directions in which the similarities of the two embeddings differ most (SPEC, Jalali et "
        f"al. 2025), from the original vectors, not from the maps. {torn.n:,} items; a direction "
        "counts when "
        f"{torn.n_permutations} random exchanges have none as large (p ≤ .05), made so that an "
        f"embedding that is merely noisier does not count; seed {torn.seed}. Of a label: its share "
        "in the group, and how many times as common that is as among all items."
    )


def is_weak(group: TornGroup, mode: TornMode) -> bool:
    """Tell whether a group is hardly more alike in one embedding than in the other."""
    inside = mode.together_in
    return group.percentile[inside] - group.percentile[1 - inside] < _WEAK


def strength_words(group: TornGroup, mode: TornMode) -> str:
    """Return the beginning of the sentence on how alike the items of a group are."""
    return "A weak difference: t" if is_weak(group, mode) else "T"


def _side(
    modes: tuple[TornMode, ...], items: RunItems, keeps: str, tears: str, *, also: bool
) -> None:
    some = [mode for mode in modes if mode.beyond_chance or also]
    groups = [(group, mode) for mode in some for group in mode.groups]
    for group, mode in groups[:_FIRST]:
        _card(group, mode, items, keeps, tears)
    if groups[_FIRST:]:
        with st.expander(f"{len(groups[_FIRST:])} smaller ones"):
            for group, mode in groups[_FIRST:]:
                _card(group, mode, items, keeps, tears)
    if not groups:
        st.caption("No such group.")
    without = sum(not mode.groups for mode in some)
    if without:
        st.caption(
            f"{without} more differences are no groups: there {escaped(keeps)} only sets two "
            f"kinds of items further apart than {escaped(tears)} does."
        )


def _card(group: TornGroup, mode: TornMode, items: RunItems, keeps: str, tears: str) -> None:
    inside, outside = (mode.together_in, 1 - mode.together_in)
    with st.container(border=True):
        head = f"**{len(group.rows):,} items**"
        words = caption_words(group.caption)
        st.markdown(head + (f" · {escaped(words)}" if words else ""))
        if not mode.beyond_chance:
            st.caption("Chance could give this one.")
        st.caption(
            f"{strength_words(group, mode)}wo of them are more alike than "
            f"{percent(group.percentile[inside])} of random pairs "
            f"in {escaped(keeps)}, than {percent(group.percentile[outside])} in {escaped(tears)} "
            f"(mean cosine {short_number(group.cosine[inside])} and "
            f"{short_number(group.cosine[outside])})."
        )
        _examples(items, group.rows[:_EXAMPLES].tolist(), group.rows[:_PICTURES].tolist())
        st.markdown(f"In {escaped(tears)} it falls into")
        for place, rows, caption in zip(
            st.columns(2), group.parts, group.part_captions, strict=True
        ):
            with place:
                words = caption_words(caption)
                st.markdown(
                    f"**{len(rows):,}**" + (f" · {escaped(words)}" if words else ""),
                )
                _examples(items, rows[:_PART_EXAMPLES].tolist(), rows[:3].tolist())


def percent(share: float) -> str:
    """Return a share of random pairs in per cent; 100 only where it is all of them."""
    if share >= 0.995 and share < 1:
        return "over 99 %"
    return f"{share:.0%}".replace("%", " %")


def caption_words(caption: Caption, *, labels: int = 3, terms: int = 4) -> str:
    """Return a caption in one line: labels that are commoner than elsewhere, then words."""
    parts = [
        f"{one.label} {short_number(one.share)} ({one.lift:.1f}×)"
        for one in caption.labels[:labels]
        if one.lift >= _COMMON_LIFT and one.n > 1
    ]
    words = ", ".join(term.term for term in caption.terms[:terms])
    return " · ".join([part for part in (", ".join(parts), words) if part])


def _examples(items: RunItems, rows: list[int], pictures: list[int]) -> None:
    if items.images is not None:
        shown = [(row, data) for row in pictures if (data := items.image(row)) is not None]
        if shown:
            st.html(
                '<div style="display:flex;gap:.4rem;flex-wrap:wrap">'
                + "".join(
                    f'<img src="{image_uri(data, 56)}" height="56" '
                    f'alt="{html.escape(items.texts[row], quote=True)}" '
                    f'title="{html.escape(items.texts[row], quote=True)}">'
                    for row, data in shown
                )
                + "</div>"
            )
            return
    lines = "".join(
        f'<li title="{html.escape(items.texts[row], quote=True)}">'
        f'<span style="unicode-bidi:isolate">{html.escape(shorten(items.texts[row], _TEXT))}</span>'
        "</li>"
        for row in rows
    )
    st.html(
        '<ul style="margin:0;padding-left:1.1rem;font-size:.9rem;line-height:1.4;'
        f'overflow-wrap:anywhere">{lines}</ul>'
    )
