"""Runs and finished vectors that are there, to be added to a comparison."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import streamlit as st

from components import session
from components.compare_draft import add
from components.compare_join import Joining, joining
from components.run_table import run_name
from core.modality import Modality
from embedders import get_embedder
from ingest.wording import count
from workspace.recipes import Member
from workspace.workspace import DatasetInfo, RunInfo

_GIVEN = "vectors"
Offers = Mapping[str, tuple[str, Member]]


def runs_there(info: DatasetInfo) -> None:
    """Draw the runs and vectors of the same items; on request those of other data."""
    own, others = offered(info)
    if not own and not others:
        return
    st.subheader("Runs and vectors that are there")
    also = bool(others) and st.toggle(
        "Also of other data",
        key="compare.other_data",
        persist_state="session",
        help="Runs of data that are not known to hold the same items. Items are joined by their "
        "ids; without ids by the numbers of their rows.",
    )
    there = {**own, **others} if also else own
    if not there:
        return
    key = f"compare.runs.{info.id[:12]}.{also}"
    picked = st.multiselect(
        "Runs",
        list(there),
        format_func=lambda id: there[id][0],
        key=key,
        placeholder="choose what to add",
        label_visibility="collapsed",
    )
    every = session.workspace().runs(None if also else info.id)
    n_before = len(every) - len(newest(every))
    if n_before:
        st.caption(
            f"Not offered: {count(n_before, 'run')} with the same settings as a later one, made "
            "when the model was another. A comparison takes the later."
        )
    st.button(
        "Add",
        key="compare.add_runs",
        disabled=not picked,
        on_click=_add_picked,
        args=(info.id, key, tuple(there[id][1] for id in picked)),
    )


def _add_picked(dataset: str, key: str, members: tuple[Member, ...]) -> None:
    add(dataset, members)
    session.preset(key, [])


def offered(info: DatasetInfo) -> tuple[Offers, Offers]:
    """Return what can be added without choosing a method: its words and the member, by id.

    First what is of these items: runs of these data, runs of data with the same items under ids
    that both files give, and files of vectors that fit; then the rest of other data, which shares
    items only by the user's word.
    """
    workspace = session.workspace()
    datasets = {one.id: one for one in workspace.datasets()}
    own = {run.id: (run_name(run), of_run(run)) for run in newest(workspace.runs(info.id))}
    others = {}
    for one in datasets.values():
        if one.modality is Modality.VECTORS:
            fits = one.id == info.id or not joined((info, one)).refusal
            into = own if fits else others
            into[one.id] = (f"{one.name} · finished vectors", _as_given(one))
    known = [dataclasses.replace(member, name="") for _, member in (own | others).values()]
    for run in newest(workspace.runs()):
        if run.dataset == info.id or _bare(run) in known:
            continue
        where = datasets.get(run.dataset)
        name = where.name if where else "other data"
        join = joined((info, where)) if where else None
        same = join is not None and not join.warning and not join.refusal
        taken = {member.name for _, member in own.values()}
        bare = same and of_run(run).name not in taken
        into = own if same else others
        into[run.id] = (f"{run_name(run)} · of {name}", of_run(run, of="" if bare else name))
    return own, others


def newest(runs: Sequence[RunInfo]) -> list[RunInfo]:
    """Return the runs without those that were made anew: a comparison takes the newest."""
    # By their settings as text: comparing every two took as many steps as runs squared.
    last = {
        (run.embedder, repr(sorted(run.params.items())), run.seed, run.dataset): place
        for place, run in enumerate(runs)
    }
    return [runs[place] for place in sorted(last.values())]


def _bare(run: RunInfo) -> Member:
    """Return a run as a member without a name: what a comparison knows it by."""
    return Member(run.embedder, run.params, run.seed, run.dataset)


def joined(sources: Sequence[DatasetInfo], shown: DatasetInfo | None = None) -> Joining:
    """Return what is to be known before the items of these datasets are joined."""
    every = [*sources, *([] if shown is None else [shown])]
    key = tuple(part for one in every for part in (one.id, one.name))

    def make() -> Joining:
        data = [session.dataset(one.id) for one in sources]
        return joining(data, None if shown is None else session.dataset(shown.id))

    return session.worked_out(("joining", str(shown is None), *key), make)


def _as_given(info: DatasetInfo) -> Member:
    """Return the vectors of a file as a member."""
    params = get_embedder(_GIVEN).params.to_dict()
    return Member(_GIVEN, params, 0, info.id, info.name)


def of_run(run: RunInfo, of: str = "") -> Member:
    """Return a run as a member; of other data their name is part of its own."""
    name = run_name(run).rsplit(" · ", 1)[0] if run.seed == 0 else run_name(run)
    name = name.replace(" · ", ", ") + (f", of {of}" if of else "")
    return Member(run.embedder, run.params, run.seed, run.dataset, name)
