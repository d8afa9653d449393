"""The well-known word vectors, to be downloaded when the user agrees."""

from __future__ import annotations

import streamlit as st

from components import session
from components.boundary import explained
from core.modality import Modality
from core.params import Params
from embedders.known_vector_sets import KNOWN_SETS, MOST_WORDS, KnownSet
from workspace.settings import settings


def known_sets(params_class: type[Params], dataset: str) -> None:
    """Draw the known sets with size and licence, where the method looks words up in a file.

    Parameters
    ----------
    params_class : type of Params
        Nothing is drawn for settings that name no vectors.
    dataset : str
        Id of the dataset on screen; it stays there while the vectors arrive.
    """
    if not any(spec.of is Modality.VECTORS for spec in params_class.specs().values()):
        return
    with st.expander("Download well-known word vectors", icon=":material/download:"):
        if not settings().downloads:
            st.caption(
                "Downloads are switched off on this server. BERT word vectors need none, and your "
                "own files can be loaded."
            )
            return
        sets = {one.id: one for one in KNOWN_SETS}
        chosen = st.selectbox(
            "Published set",
            list(sets),
            format_func=lambda id: f"{sets[id].title} · {sets[id].remote.mb:,} MB",
            key="embed.known_set",
        )
        one = sets[chosen or KNOWN_SETS[0].id]
        st.caption(_about(one))
        agreed = st.checkbox(
            f"Download {one.remote.mb:,} MB from {one.remote.host}", key=f"embed.agreed.{one.id}"
        )
        if st.button("Download", disabled=not agreed, key="embed.download"):
            with explained():
                session.follow(session.workspace().fetch_vectors(one.id, dataset))
                st.rerun()


def _about(one: KnownSet) -> str:
    words = f"{one.n_words:,} words, {one.dim} dimensions"
    if one.n_words > MOST_WORDS:
        words += f" (the {MOST_WORDS:,} most frequent are taken)"
    case = "upper and lower case differ" if one.is_cased else "all in lower case"
    checked = "checked by its published digest" if one.remote.digest else "checked by its size only"
    return (
        f"{words}; {case}. Trained on {one.trained_on}. Licence: {one.licence}. "
        f"The download is {checked}."
    )
