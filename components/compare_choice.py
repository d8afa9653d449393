"""Which comparison is shown, or that a new one is being put together."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from components import session
from components.markdown import escaped
from ingest.wording import many
from workspace.stored_comparison import ComparisonInfo
from workspace.workspace import DatasetInfo

_ID_DIGITS = 14
_NEW = "new"
_NAMED = 3


def comparison_choice(info: DatasetInfo) -> ComparisonInfo | None:
    """Draw the title with the menu of comparisons; return the chosen one, None for a new one."""
    found = {one.id: one for one in session.workspace().comparisons(info.id)}
    chosen = session.chosen_comparison(info.id)
    if chosen not in found and chosen != _NEW:
        chosen = next(reversed(found), _NEW)
    title, menu, new, out = st.columns([3, 2.2, 0.8, 0.5], vertical_alignment="bottom")
    title.title("Compare")
    if found:
        ids = [*reversed(found), _NEW] if chosen == _NEW else [*reversed(found)]
        words = comparison_words(list(found.values()))
        picked = menu.selectbox(
            "Comparison",
            ids,
            index=ids.index(chosen),
            format_func=lambda id: words.get(id, "a new one"),
            key=f"compare.choice.{info.id[:12]}.{chosen[:12]}.{len(ids)}",
        )
        if picked != chosen:
            session.choose_comparison(info.id, picked)
            st.rerun()
        if chosen != _NEW and new.button(
            "New", key="compare.new", icon=":material/add:", width="stretch"
        ):
            session.choose_comparison(info.id, _NEW)
            st.rerun()
    one = found.get(chosen)
    if one is None:
        session.unshare("comparison", "view")
        st.caption(
            escaped(f"{info.name}: which embeddings of these items agree, and where do they part?")
        )
        return None
    with out:
        _way_out(one, words[one.id])
    session.share(comparison=one.id[:_ID_DIGITS])
    return one


def _way_out(one: ComparisonInfo, words: str) -> None:
    """Draw a bin, and what it would take away before it does."""
    with st.popover("", icon=":material/delete:", help="Delete this comparison", width="stretch"):
        st.markdown(f"Delete **{escaped(words)}**?")
        st.caption(
            "All that was measured for it goes; the embeddings stay, so that it can be built again."
        )
        busy = any(job.active and one.id in job.task for job in session.workspace().open_jobs())
        if busy:
            st.caption(":material/info: Something of it is being measured. Wait, or cancel that.")
        st.button(
            "Delete it",
            key="compare.delete",
            type="primary",
            disabled=busy,
            on_click=session.remove_comparison,
            args=(one.recipe.dataset, one.id),
        )


def comparison_words(several: Sequence[ComparisonInfo], now: float | None = None) -> dict[str, str]:
    """Return, by id, how comparisons are called: their members, items, when they were made.

    Members are called as briefly as tells them apart, in one comparison and from one to the next.

    Parameters
    ----------
    several : sequence of ComparisonInfo
    now : float, optional
        Seconds since 1970; what is not of this day bears its date.
    """
    today = time.localtime(time.time() if now is None else now)
    brief = [_brief(one.names) for one in several]
    words = {}
    for one, names in zip(several, brief, strict=True):
        others = {other.names for other, same in zip(several, brief, strict=True) if same == names}
        made = time.localtime(one.created)
        when = time.strftime("%H:%M", made)
        if made[:3] != today[:3]:
            day = f"{made.tm_mday} {time.strftime('%b', made)}"
            when = f"{day}{'' if made.tm_year == today.tm_year else f' {made.tm_year}'} {when}"
        told = names if len(others) == 1 else "; ".join(one.names)
        words[one.id] = f"{told} · {many(one.n, 'item')} · {when}"
    return words


def _brief(names: Sequence[str]) -> str:
    """Return the methods; where several are one method, what differs between them."""
    heads = [name.split(",")[0] for name in names]
    if len(set(heads)) == 1:
        told = [name.removeprefix(heads[0]).lstrip(", ") or "plain" for name in names]
        return f"{heads[0]}: {'; '.join(told)}"
    told = [
        head if heads.count(head) == 1 else name.replace(",", "", 1)
        for head, name in zip(heads, names, strict=True)
    ]
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return ", ".join(told[:_NAMED]) + more
