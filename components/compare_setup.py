"""Putting a comparison together: ready-made ones, runs that are there, any method."""

from __future__ import annotations

import dataclasses

import streamlit as st

from components import session
from components.boundary import explained
from components.compare_draft import (
    add,
    draft,
    draft_seed,
    keep,
    list_before,
    put_back,
    put_in_place,
    take_told,
)
from components.compare_join import Joining
from components.compare_recipe import recipe_file
from components.compare_runs import joined, runs_there
from components.markdown import escaped
from components.method_choice import reason_against
from components.param_form import param_form
from components.rating_choice import own_fields
from components.start_button import start_button
from core.errors import EmbedscopeError
from embedders import get_embedder, list_embedders
from ingest.wording import count
from workspace.presets import presets
from workspace.recipes import MOST_MEMBERS, Member, Recipe, checked, member_name
from workspace.workspace import DatasetInfo, RunInfo

_NOISE = (
    "Methods that start from random numbers are run a second time with another seed. Two methods "
    "that agree as far as two runs of one method cannot be told apart."
)


def compare_setup(info: DatasetInfo) -> None:
    """Draw what can be compared, what was chosen so far, and the button that builds it."""
    offered, chosen = st.columns([1, 1], gap="large")
    with offered:
        _ready_made(info)
        runs_there(info)
        _any_method(info)
        recipe = recipe_file(info)
        if recipe is not None:
            _take(recipe)
    with chosen:
        st.subheader("Compared are")
        members = draft(info.id)
        if not members:
            st.info("Nothing yet. Take a ready-made comparison at the left, or add your own.")
        _around(info)
        for place, member in enumerate(members):
            _row(info, place, member)
        if members:
            _build(info, members)


def _around(info: DatasetInfo) -> None:
    """Say what was not added, and offer the list that another one has taken the place of."""
    told = take_told(info.id)
    if told:
        st.caption(f":material/info: {escaped(told)}")
    before = list_before(info.id)
    if before:
        st.button(
            "Back to the list before",
            key="compare.back",
            icon=":material/undo:",
            on_click=put_back,
            args=(info.id,),
            help=escaped(", ".join(member.name or member_name(member) for member in before)),
            type="tertiary",
        )


def _take(recipe: Recipe) -> None:
    """Put a whole recipe in place of what was chosen."""
    session.choose_dataset(recipe.dataset)
    put_in_place(recipe.dataset, recipe.members, recipe.seed)
    session.preset(
        "compare.k", min(recipe.k, _most_k(session.workspace().dataset_info(recipe.dataset)))
    )
    session.preset("compare.noise", recipe.noise)
    st.rerun()


def _ready_made(info: DatasetInfo) -> None:
    """Draw a button per preset; it takes the place of what was chosen."""
    on_offer = presets(info.modality)
    if not on_offer:
        return
    st.subheader("Ready-made")
    for preset in on_offer:
        members = tuple(_complete(member, info) for member in preset.members)
        left, right = st.columns([3, 1], vertical_alignment="center")
        left.markdown(f"**{preset.title}**  \n{escaped(preset.question)}")
        left.caption(escaped(", ".join(member.name for member in preset.members)))
        reasons = [_lacks(member) for member in members]
        for member, reason in zip(members, reasons, strict=True):
            if reason:
                left.caption(f":material/info: {escaped(f'Without {member.name}: {reason}')}")
        ready = tuple(m for m, reason in zip(members, reasons, strict=True) if not reason)
        right.button(
            "Take",
            key=f"compare.preset.{preset.id}",
            on_click=put_in_place,
            args=(info.id, ready),
            disabled=not ready,
            width="stretch",
        )


def _complete(member: Member, info: DatasetInfo) -> Member:
    """Return a member with every setting written out."""
    params = get_embedder(member.embedder, seed=member.seed, **member.params).params.to_dict()
    return dataclasses.replace(member, params=params, dataset=info.id)


def _lacks(member: Member) -> str:
    """Return why a method cannot be run now; "" where it can."""
    method = get_embedder(member.embedder, seed=member.seed, **member.params)
    return reason_against(method, member.dataset)


def _any_method(info: DatasetInfo) -> None:
    """Draw a form for one more method."""
    sides = info.sides.modalities if info.sides else None
    methods = {m.id: m for m in list_embedders(info.modality) if m.takes(info.modality, sides)}
    if not methods:
        return
    st.subheader("Any method")
    chosen = st.selectbox(
        "Method",
        list(methods),
        format_func=lambda i: methods[i].title,
        key=f"compare.method.{info.modality}",
        label_visibility="collapsed",
    )
    method = methods[chosen]
    st.caption(escaped(method.summary))
    with st.expander("Settings", icon=":material/tune:"):
        values = param_form(
            method.params_class,
            key=f"compare.{chosen}",
            modality=info.modality,
            sides=sides,
            own=own_fields(method.params_class, info),
        )
        seed = 0
        if method.stochastic:
            seed = int(
                st.number_input("Seed", min_value=0, max_value=2**31 - 2, key="compare.seed")
            )
    with explained():
        embedder = get_embedder(chosen, seed=seed, **values)
        reason = reason_against(embedder, info.id)
        if reason:
            st.caption(f":material/info: {escaped(reason)}")
        st.button(
            f"Add {method.title}",
            key="compare.add_method",
            disabled=bool(reason),
            on_click=add,
            args=(info.id, (Member(chosen, embedder.params.to_dict(), seed, info.id),)),
        )


def _row(info: DatasetInfo, place: int, member: Member) -> None:
    """Draw one chosen member: its name, what it is, whether it is there, and a way out."""
    name, state, out = st.columns([4, 2, 0.6], vertical_alignment="center")
    told = member_name(member)
    shown = member.name or told
    more = f"  \n:gray[{escaped(told)}]" if told != shown else ""
    name.markdown(f"**{escaped(shown)}**{more}")
    run = _run_of(member)
    if run is not None:
        state.caption(f":material/check: embedded, {run.dim:,}-d")
    else:
        state.caption(":material/hourglass_empty: will be embedded")
    out.button(
        "",
        key=f"compare.out.{place}.{len(draft(info.id))}",
        icon=":material/close:",
        help=f"Leave out {escaped(shown)}",
        on_click=keep,
        args=(info.id, tuple(m for i, m in enumerate(draft(info.id)) if i != place)),
        type="tertiary",
    )


def _run_of(member: Member) -> RunInfo | None:
    """Return the finished run of a member, if there is one."""
    for run in session.workspace().runs(member.dataset):
        same = run.embedder == member.embedder and run.seed == member.seed
        if same and dict(run.params) == dict(member.params):
            return run
    return None


def _build(info: DatasetInfo, members: tuple[Member, ...]) -> None:
    k_column, noise_column = st.columns(2, vertical_alignment="bottom")
    most = _most_k(info)
    k = k_column.slider(
        "Neighbours per item",
        1,
        most,
        min(10, most),
        key="compare.k",
        help="How many of the nearest count; it can be moved later without computing again.",
    )
    noise = noise_column.toggle("Noise floor", value=True, key="compare.noise", help=_NOISE)
    recipe = Recipe(info.id, members, k=int(k), seed=draft_seed(info.id), noise=noise)
    join = _join(info, members)
    reason = _reason_against(recipe) or join.refusal
    missing = sum(_run_of(member) is None for member in members)
    told = [f"{count(len(members), 'embedding')}", f"{missing} to be computed" if missing else ""]
    seed = f" · seed {recipe.seed} of samples" if recipe.seed else ""
    st.caption(" · ".join(part for part in told if part) + f" · {info.n:,} items{seed}")
    if join.told:
        st.caption(f":material/join_inner: {escaped(join.told)}")
    if join.warning and not reason:
        st.warning(escaped(join.warning), icon=":material/warning:")
    if reason:
        st.warning(escaped(reason), icon=":material/info:")
    if start_button(
        "Build and compare",
        type="primary",
        key="compare.go",
        about=info.id,
        disabled=bool(reason),
    ):
        with explained():
            session.follow(session.workspace().compare(recipe))
            st.rerun()


def _join(info: DatasetInfo, members: tuple[Member, ...]) -> Joining:
    """Return what is to be known where members come from other data than those that are shown."""
    datasets = {one.id: one for one in session.workspace().datasets()}
    others = dict.fromkeys(member.dataset for member in members if member.dataset)
    lacking = [id for id in others if id not in datasets]
    if lacking:
        return Joining(refusal="Data of one of these embeddings were removed. Leave it out.")
    sources = [datasets[id] for id in others]
    return joined(sources, shown=None if info.id in others else info)


def _most_k(info: DatasetInfo) -> int:
    """Return the most neighbours that the items of a dataset can be asked for."""
    return max(1, min(50, info.n - 1))


def _reason_against(recipe: Recipe) -> str:
    if len(recipe.members) < 2:
        return "Add at least one more: two embeddings can be compared, one cannot."
    if len(recipe.members) > MOST_MEMBERS:
        return f"Leave out {len(recipe.members) - MOST_MEMBERS}: at most {MOST_MEMBERS} at a time."
    try:
        checked(recipe)
    except EmbedscopeError as error:
        return str(error)
    return ""
