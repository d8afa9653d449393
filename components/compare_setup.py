"""Putting a comparison together: ready-made ones, runs that are there, any method."""

from __future__ import annotations

import dataclasses

import streamlit as st

from components import session
from components.boundary import explained
from components.compare_recipe import recipe_file
from components.markdown import escaped
from components.param_form import param_form
from components.run_table import run_name
from components.start_button import start_button
from core.errors import EmbedscopeError
from core.modality import Modality
from embedders import get_embedder, list_embedders
from ingest.wording import count
from workspace.presets import Preset, presets
from workspace.recipes import MOST_MEMBERS, Member, Recipe, checked, member_name
from workspace.workspace import DatasetInfo, RunInfo

_GIVEN = "vectors"
_NOISE = (
    "Methods that start from random numbers are run a second time with another seed. Two methods "
    "that agree as far as two runs of one method cannot be told apart."
)


def compare_setup(info: DatasetInfo) -> None:
    """Draw what can be compared, what was chosen so far, and the button that builds it."""
    offered, chosen = st.columns([1, 1], gap="large")
    with offered:
        _ready_made(info)
        _runs(info)
        _any_method(info)
        recipe = recipe_file(info)
        if recipe is not None:
            _take(recipe)
    with chosen:
        st.subheader("Compared are")
        members = _draft(info)
        if not members:
            st.info("Nothing yet. Take a ready-made comparison at the left, or add your own.")
        for place, member in enumerate(members):
            _row(info, place, member)
        if members:
            _build(info, members)


def _draft(info: DatasetInfo) -> tuple[Member, ...]:
    return tuple(session.recall(_key(info), ()))


def _key(info: DatasetInfo) -> str:
    return f"compare.draft.{info.id}"


def _keep(info: DatasetInfo, members: tuple[Member, ...]) -> None:
    session.remember(_key(info), members)


def _take(recipe: Recipe) -> None:
    """Put a whole recipe in place of what was chosen."""
    session.choose_dataset(recipe.dataset)
    session.remember(f"compare.draft.{recipe.dataset}", recipe.members)
    session.preset(
        "compare.k", min(recipe.k, _most_k(session.workspace().dataset_info(recipe.dataset)))
    )
    session.preset("compare.noise", recipe.noise)
    st.rerun()


def _add(info: DatasetInfo, new: tuple[Member, ...]) -> None:
    """Add members that are not there yet."""
    there = [dataclasses.replace(m, name="") for m in _draft(info)]
    fresh = [m for m in new if dataclasses.replace(m, name="") not in there]
    _keep(info, (*_draft(info), *fresh))


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
        right.button(
            "Take",
            key=f"compare.preset.{preset.id}",
            on_click=_keep,
            args=(info, _possible(members)),
            help=_missing(preset, members),
            width="stretch",
        )


def _complete(member: Member, info: DatasetInfo) -> Member:
    """Return a member with every setting written out."""
    params = get_embedder(member.embedder, seed=member.seed, **member.params).params.to_dict()
    return dataclasses.replace(member, params=params, dataset=info.id)


def _is_ready(member: Member) -> bool:
    method = get_embedder(member.embedder, **member.params)
    return method.availability(method.params).state == "ready"


def _possible(members: tuple[Member, ...]) -> tuple[Member, ...]:
    return tuple(member for member in members if _is_ready(member))


def _missing(preset: Preset, members: tuple[Member, ...]) -> str | None:
    lacking = [m.name for m in members if not _is_ready(m)]
    if not lacking:
        return None
    return escaped(f"Without {', '.join(lacking)}: not ready on this machine. {preset.question}")


def _runs(info: DatasetInfo) -> None:
    """Draw the runs and finished vectors of this workspace; those of other data may share ids."""
    there = _there(info)
    if not there:
        return
    st.subheader("Runs and vectors that are there")
    picked = st.multiselect(
        "Runs",
        list(there),
        format_func=lambda id: there[id][0],
        key=f"compare.runs.{info.id[:12]}",
        placeholder="choose what to add",
        label_visibility="collapsed",
        help="What comes from other data is joined by the ids of the items.",
    )
    st.button(
        "Add",
        key="compare.add_runs",
        disabled=not picked,
        on_click=_add,
        args=(info, tuple(there[id][1] for id in picked)),
    )


def _there(info: DatasetInfo) -> dict[str, tuple[str, Member]]:
    """Return what can be added without choosing a method: its words and the member, by id.

    Those of the data that are shown come first. Files of finished vectors need no run.
    """
    workspace = session.workspace()
    datasets = {one.id: one for one in workspace.datasets()}
    own, others = {}, {}
    for run in workspace.runs():
        where = datasets.get(run.dataset)
        words = run_name(run)
        if run.dataset == info.id:
            own[run.id] = (words, _of_run(run))
        else:
            name = where.name if where else "other data"
            others[run.id] = (f"{words} · of {name}", _of_run(run))
    given = {
        one.id: (f"{one.name} · finished vectors", _as_given(one))
        for one in datasets.values()
        if one.modality is Modality.VECTORS
    }
    return own | others | given


def _as_given(info: DatasetInfo) -> Member:
    """Return the vectors of a file as a member."""
    params = get_embedder(_GIVEN).params.to_dict()
    return Member(_GIVEN, params, 0, info.id, info.name)


def _of_run(run: RunInfo) -> Member:
    name = run_name(run).rsplit(" · ", 1)[0] if run.seed == 0 else run_name(run)
    return Member(run.embedder, run.params, run.seed, run.dataset, name.replace(" · ", ", "))


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
        values = param_form(method.params_class, key=f"compare.{chosen}", modality=info.modality)
        seed = 0
        if method.stochastic:
            seed = int(
                st.number_input("Seed", min_value=0, max_value=2**31 - 2, key="compare.seed")
            )
    with explained():
        embedder = get_embedder(chosen, seed=seed, **values)
        ready = embedder.availability(embedder.params)
        if ready.state != "ready":
            st.caption(
                f":material/info: {escaped(ready.hint)} It can be fetched on the Embed page."
            )
        st.button(
            f"Add {method.title}",
            key="compare.add_method",
            disabled=ready.state != "ready",
            on_click=_add,
            args=(info, (Member(chosen, embedder.params.to_dict(), seed, info.id),)),
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
        key=f"compare.out.{place}.{len(_draft(info))}",
        icon=":material/close:",
        help=f"Leave out {escaped(shown)}",
        on_click=_keep,
        args=(info, tuple(m for i, m in enumerate(_draft(info)) if i != place)),
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
    recipe = Recipe(info.id, members, k=int(k), noise=noise)
    reason = _reason_against(recipe)
    missing = sum(_run_of(member) is None for member in members)
    told = [f"{count(len(members), 'embedding')}", f"{missing} to be computed" if missing else ""]
    st.caption(" · ".join(part for part in told if part) + f" · {info.n:,} items")
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
