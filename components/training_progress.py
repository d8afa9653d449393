"""A training while it runs: loss and held-out figure of the epochs so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from components.figures.loss_curve import held_out_curve, loss_curve, share_words
from components.markdown import escaped
from workspace.jobs import Job


def training_progress(job: Job) -> None:
    """Draw how the training of a running job stands, once an epoch of it is over."""
    training = job.training
    if not training.get("losses"):
        return
    st.caption(escaped(training_words(training)))
    chart: dict[str, Any] = {"config": {"displayModeBar": False}, "width": "stretch"}
    left, right = st.columns(2)
    n_epochs, held_out = int(training["epochs"]), training.get("held_out")
    # The key is that of the place: a figure with another epoch is drawn over the one before.
    with left:
        curve = loss_curve(training["losses"], n_epochs=n_epochs)
        st.plotly_chart(curve, key=f"job.losses.{job.id}", **chart)
    if held_out:
        with right:
            curve = held_out_curve({**held_out, "kept": None}, n_epochs=n_epochs)
            st.plotly_chart(curve, key=f"job.held_out.{job.id}", **chart)


def training_words(training: Mapping[str, Any]) -> str:
    """Return the figures of the last epoch, and of the best one: "loss 1.204 after epoch 3 …"."""
    losses, held_out = training["losses"], training.get("held_out")
    words = f"{training['stage']}: loss {losses[-1]:.3f} after epoch {len(losses)}"
    words = words[:1].upper() + words[1:] + f" of at most {training['epochs']}"
    if not held_out:
        return words
    values, start = held_out["values"], int(held_out.get("start", 1))
    words += f" · {held_out['name']} on held-out items {share_words(values[-1])}"
    beside = []
    if held_out.get("chance") is not None:
        beside.append(f"chance {share_words(held_out['chance'])}, dotted")
    if start == 0:
        beside.append(f"before training {share_words(values[0])}")
    best = int(held_out.get("kept", 0))
    if 0 < best < len(losses):
        beside.append(f"best {share_words(values[best - start])} after epoch {best}")
    return words + (f" ({', '.join(beside)})" if beside else "")
