"""Choosing a method, and a projection for its first map."""

from __future__ import annotations

import streamlit as st

from components import session
from components.markdown import escaped
from components.model_download import download_consent
from components.param_form import param_form
from core.errors import ModalityMismatch
from core.modality import Modality
from embedders import Embedder, list_embedders
from projection import list_projections
from workspace.tasks import LayoutSpec
from workspace.workspace import DatasetInfo


def method_choice(info: DatasetInfo) -> type[Embedder]:
    """Draw the methods that take the data and return the chosen one.

    Of pairs, a method has to take both sides.

    Raises
    ------
    ModalityMismatch
        If there is none.
    """
    modality = info.modality
    sides = info.sides.modalities if info.sides else None
    methods = {m.id: m for m in list_embedders(modality) if m.takes(modality, sides)}
    if not methods:
        what = f"{modality} data"
        if modality is Modality.PAIRS and sides:
            what = f"pairs of {sides[0]} and {sides[1]}"
        raise ModalityMismatch(f"No method takes {what} yet. Read the file as another kind.")
    st.subheader("Method")
    chosen = st.radio(
        "Method",
        list(methods),
        format_func=lambda i: methods[i].title,
        captions=[method.summary for method in methods.values()],
        key=f"embed.method.{modality}",
        label_visibility="collapsed",
        persist_state="session",
    )
    method = methods[chosen]
    st.caption(f"Source: {method.source}")
    return method


def before_it_runs(embedder: Embedder, dataset: str) -> bool:
    """Say what is missing for the chosen settings, or what the run will cost.

    Returns whether nothing is missing.

    ``dataset`` is the id of the data it would run on.
    """
    ready = embedder.availability(embedder.params)
    source = embedder.needs(embedder.params) if ready.state == "needs_download" else None
    if source is not None:
        download_consent(embedder, source, dataset)
        return False
    if ready.state != "ready":
        st.warning(escaped(ready.hint), icon=":material/info:")
        return False
    refused = _refusal(embedder, dataset)
    if refused:
        st.warning(escaped(refused), icon=":material/info:")
        return False
    cost = session.worked_out(
        ("cost", dataset, embedder.id, _settings(embedder)),
        lambda: embedder.estimate(session.dataset(dataset)),  # reads every text
    )
    if cost:
        st.caption(escaped(cost))
    return True


def reason_against(embedder: Embedder, dataset: str) -> str:
    """Return why a method cannot be run on the data now, in a sentence; "" where it can."""
    ready = embedder.availability(embedder.params)
    if ready.state == "ready":
        return _refusal(embedder, dataset)
    hint = ready.hint or "It is not ready on this machine."
    fetched = " It can be fetched on the Embed page." if ready.state == "needs_download" else ""
    return hint + fetched


def _refusal(embedder: Embedder, dataset: str) -> str:
    return session.worked_out(
        ("refusal", dataset, embedder.id, _settings(embedder)),
        lambda: embedder.refusal(session.dataset(dataset)),
    )


def _settings(embedder: Embedder) -> str:
    return repr(sorted(embedder.params.to_dict().items()))


def projection_choice(*, key: str, kind: str | None = None) -> LayoutSpec:
    """Draw the choice of a projection with its settings and return it."""
    methods = {method.id: method for method in list_projections()}
    left, middle, right = st.columns(3)
    with left:
        chosen = st.segmented_control(
            "Projection",
            list(methods),
            default="umap",
            required=True,
            format_func=lambda i: methods[i].title,
            key=f"{key}.method",
            help="How many dimensions become two or three.",
        )
    with middle:
        dimensions = st.segmented_control(
            "Dimensions",
            [2, 3],
            default=2,
            required=True,
            format_func=lambda d: f"{d}-D",
            key=f"{key}.dimensions",
        )
    with right:
        seed = st.number_input(
            "Map seed",
            min_value=0,
            max_value=2**31 - 1,
            value=0,
            key=f"{key}.seed",
            help="The same seed draws the same map again.",
        )
    method = methods[chosen or "umap"]
    params = param_form(method.params_class, key=f"{key}.{method.id}")
    return LayoutSpec(
        method=method.id,
        n_components=dimensions or 2,
        seed=int(seed),
        params=params,
        kind=kind,
    )
