"""Which two embeddings are looked at, and what is measured of them: at once or by a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import streamlit as st

from comparison.cluster_match import ClusterMatch
from comparison.movers import Movers
from comparison.torn_groups import TornGroups
from components import session
from workspace.pair_findings import Finding, PairTask, is_light, measure
from workspace.stored_comparison import StoredComparison

CHOSEN_ITEM = "compare.item"
"""Under this name the id of the item that is looked at is remembered."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two members of a comparison at one k.

    Attributes
    ----------
    stored : StoredComparison
    a, b : str
        Names of the members.
    k : int
    """

    stored: StoredComparison
    a: str
    b: str
    k: int

    @property
    def i(self) -> int:
        """Return the place of A among the members."""
        return self.stored.info.names.index(self.a)

    @property
    def j(self) -> int:
        """Return the place of B among the members."""
        return self.stored.info.names.index(self.b)

    @property
    def key(self) -> str:
        """Return what keys of widgets about this pair contain."""
        return f"{self.stored.info.id[:12]}.{self.i}.{self.j}"

    @property
    def n(self) -> int:
        """Return the number of shared items."""
        return self.stored.info.n


def pair_movers(pair: Pair) -> Movers | None:
    """Return how far each item moved; None while it is measured."""
    return cast("Movers | None", _finding(pair, PairTask(*_who(pair), "movers"), "Measuring"))


def pair_torn_groups(pair: Pair, column: str | None) -> TornGroups | None:
    """Return the groups that one keeps together; None while they are looked for."""
    task = PairTask(*_who(pair), "groups", column)
    return cast("TornGroups | None", _finding(pair, task, "Looking for groups"))


def pair_cluster_match(pair: Pair, n_clusters: int) -> ClusterMatch | None:
    """Return clusters of A against clusters of B; None while they are made."""
    task = PairTask(*_who(pair), "clusters", n_clusters=n_clusters)
    return cast("ClusterMatch | None", _finding(pair, task, "Clustering"))


def _who(pair: Pair) -> tuple[str, str, str]:
    return pair.stored.info.id, pair.a, pair.b


def _finding(pair: Pair, task: PairTask, doing: str) -> Finding | None:
    """Return an answer: a small one now, a large one by a job that is started once."""
    workspace, key = session.workspace(), ("pair", task.finding)
    if is_light(pair.stored, task):
        dataset = pair.stored.info.recipe.dataset
        with st.spinner(f"{doing} …"):
            return session.worked_out(
                key, lambda: measure(pair.stored, task, lambda: session.dataset(dataset))
            )
    ready = f"pair.ready.{task.finding}"
    if not session.recall(ready):
        if workspace.pair_finding(task) is None:
            _offer_job(pair, task, doing)
            return None
        session.remember(ready, True)
    return session.worked_out(key, lambda: cast("Finding", workspace.pair_finding(task)))


def _offer_job(pair: Pair, task: PairTask, doing: str) -> None:
    """Start the job that finds it, once by itself; after it was stopped when asked to."""
    asked = f"pair.asked.{task.finding}"
    job_id = session.recall(asked)
    if any(job.active and job.id == job_id for job in session.workspace().open_jobs()):
        st.info(f"{doing} {pair.n:,} items. The panel above tells how far; you may go on.")
        return
    if job_id is None or st.button("Measure it", key=f"compare.pair.start.{task.finding}"):
        job = session.workspace().measure_pair(task)
        session.remember(asked, job.id)
        session.follow(job)
        st.rerun()
