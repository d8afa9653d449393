"""The one consent to a download of a pretrained model: what, from where, how large, which terms."""

from __future__ import annotations

import streamlit as st

from components import session
from components.boundary import explained
from components.markdown import escaped
from core.errors import EmbedscopeError
from embedders import Embedder
from embedders.hub_download import Offer, check_downloads, look_up
from embedders.hub_model import ModelSource
from workspace.jobs import Job

_LARGE_MB = 2_000
_POLL_S = 0.6


def download_consent(embedder: Embedder, source: ModelSource, dataset: str) -> None:
    """Draw what a method would have to download, and the button that agrees to it.

    Parameters
    ----------
    embedder : Embedder
        The method with its settings.
    source : ModelSource
        What it needs with them, not (wholly) on this machine.
    dataset : str
        Id of the dataset on screen; it stays there while the model arrives.
    """
    with st.container(border=True, key="model_download"):
        st.markdown(f":material/download: **{escaped(source.name)}** is not on this machine yet.")
        try:
            check_downloads(source)
        except EmbedscopeError as error:  # switched off: a state of the server, not a fault
            st.caption(escaped(str(error)))
            return
        if (job := _coming(source)) is not None:
            _progress(job)
            return
        offers = _offers(source)
        if offers is None:
            return
        for offer in offers:
            named = f"{escaped(offer.source.name)} · " if len(offers) > 1 else ""
            st.markdown(f"{named}{_about(offer)}")
            st.caption(_details(offer))
        _agree(embedder, dataset, offers)


def _offers(source: ModelSource) -> tuple[Offer, ...] | None:
    """Return what the servers told of the model, or draw the button that asks them."""
    asked, told = session.recall("looked_up") or (None, None)
    if asked == source and isinstance(told, tuple):
        return told
    if asked == source:
        st.warning(escaped(str(told)), icon=":material/info:")
    else:
        about = f"About {source.mb:,} MB. " if source.mb else ""
        st.caption(
            f"{about}{escaped(source.host)} is asked for its size and licence first; nothing but "
            "the model's name is sent."
        )
    label = "Ask again" if asked == source else f"Look it up on {source.host}"
    if st.button(label, key="embed.look_up", icon=":material/search:"):
        with explained(), st.spinner(f"Asking {escaped(source.host)} …"):
            try:
                session.remember("looked_up", (source, look_up(source)))
            except EmbedscopeError as error:
                session.remember("looked_up", (source, str(error)))
            st.rerun()
    return None


def _agree(embedder: Embedder, dataset: str, offers: tuple[Offer, ...]) -> None:
    mb = sum(offer.mb for offer in offers)
    hosts = " and ".join(dict.fromkeys(offer.source.host for offer in offers))
    if mb > _LARGE_MB:
        st.caption(
            f"To run, it needs at least {mb / 1_000:.0f} GB of memory, and time: on a processor "
            "alone it reads slowly."
        )
    if st.button(
        f"Download {mb:,} MB from {hosts}",
        type="primary",
        key="embed.fetch_model",
        icon=":material/download:",
    ):
        with explained():
            values = embedder.params.to_dict()
            session.follow(session.workspace().fetch_model(embedder.id, values, dataset, mb))
            session.remember("looked_up", None)
            st.rerun()


def _about(offer: Offer) -> str:
    licence = f"licence {offer.licence}" if offer.licence else "no licence stated"
    return f"**{offer.mb:,} MB** · {escaped(licence)}"


def _details(offer: Offer) -> str:
    n = len(offer.files)
    files = f"{n} files" if n != 1 else "1 file"
    commit = f", as of commit {offer.commit[:8]}" if offer.commit else ""
    checked = "each checked by its digest" if n != 1 else "checked by its digest"
    pickled = (
        " The weights come as a pickle: only numbers are read from it, no code is run."
        if offer.is_pickled
        else ""
    )
    return f"{files}{commit}, {checked}. Code that comes with a model is never run.{pickled}"


def _coming(source: ModelSource) -> Job | None:
    """Return the job that downloads the model, if there is one."""
    jobs = session.workspace().open_jobs()
    return next((j for j in jobs if j.active and j.result.get("model") == source.name), None)


def _progress(job: Job) -> None:
    """Show how far the download is, where it was asked for; the job's panel is out of sight.

    That panel, with the button to cancel, runs the page again when the job has ended.
    """

    @st.fragment(run_every=_POLL_S)
    def bar() -> None:
        now = session.workspace().job(job.id)
        st.progress(min(max(now.fraction, 0.0), 1.0), text=escaped(now.text))

    bar()
