"""Clusters of one embedding against clusters of the other: what stays together, what regroups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from comparison.cluster_match import ClusterMatch, Flow
from comparison.group_captions import Caption, GroupCaptions
from components import session
from components.compare_items import label_choice
from components.compare_pair_findings import Pair, pair_cluster_match
from components.figures.cluster_flows import cluster_flows
from components.figures.ink import short_number
from components.markdown import escaped
from workspace.pair_findings import captions_of

_BAR = {"displayModeBar": False}
_FLOWS = 50
_MOST = 20
_PLAIN = 0.5  # share of a cluster above which one label names it


def pair_clusters(pair: Pair) -> None:
    """Draw clusters of A against clusters of B, and the largest regroupings."""
    slider, labels = st.columns([2, 2], gap="large", vertical_alignment="bottom")
    n_clusters = slider.slider(
        "Clusters in each",
        2,
        min(_MOST, pair.n),
        min(default_clusters(pair.n), pair.n),
        key=f"compare.pair.clusters.{pair.stored.info.id[:12]}",
        persist_state="session",
        help="k-means in the original space of each, with the same number and seed.",
    )
    with labels:
        column = label_choice(pair.stored, key="compare.classes")
    match = pair_cluster_match(pair, int(n_clusters))
    if match is None:
        return
    st.markdown(escaped(match_words(match, pair, int(n_clusters))))
    captions = _captions(pair, column)
    first = cluster_names(match.first, captions)
    second = cluster_names(match.second, captions)
    left, right = st.columns([3, 3], gap="large")
    with left:
        rows, columns = sorted(first), sorted(second)
        st.plotly_chart(
            cluster_flows(
                [first[c] for c in rows],
                [second[c] for c in columns],
                match.table[np.ix_(rows, columns)],
                titles=(pair.a, pair.b),
                partners=[
                    rows.index(c) if c in first and match.table[c, c] else None for c in columns
                ],
                note="partners have the same number and colour",
                dark=session.is_dark(),
            ),
            key=f"compare.pair.flows.{pair.key}.{n_clusters}",
            config=_BAR,
        )
    with right:
        st.markdown("**What regroups**")
        flows = beyond_chance(match.regroupings)
        st.caption(regroups_words(len(flows), len(match.regroupings)))
        if not flows:
            return
        frame = flows_frame(flows[:_FLOWS], first, second, match, captions)
        percent = st.column_config.NumberColumn(format="%.0f %%")
        st.dataframe(
            frame,
            hide_index=True,
            column_config={
                "of A's": percent,
                "of B's": percent,
                "× chance": st.column_config.NumberColumn(
                    format="%.1f",
                    help="Items over what independent clusterings of these sizes would share.",
                ),
            },
        )


def beyond_chance(flows: tuple[Flow, ...]) -> tuple[Flow, ...]:
    """Return the groups larger than independent clusters of these sizes would give.

    By two standard deviations of a Poisson count, whose mean is what they would share.
    """
    return tuple(flow for flow in flows if flow.n > (by := flow.n / flow.lift) + 2 * by**0.5)


def regroups_words(n_told: int, n_all: int) -> str:
    """Say how many of the groups that leave their cluster's partner are shown."""
    if not n_all:
        return "Nothing: every cluster has its partner."
    if not n_told:
        return (
            f"No group that stands out: the {n_all} that leave their cluster's partner are as "
            "small as independent clusters would give."
        )
    return (
        f"Items that leave their cluster's partner; {min(n_told, _FLOWS)} of {n_all} such groups, "
        "the largest first. Left out are those that independent clusters would give."
    )


def default_clusters(n: int) -> int:
    """Return how many clusters are shown at first: few enough to read, 2 to 10."""
    return int(min(10, max(2, round((n / 8) ** 0.5))))


def match_words(match: ClusterMatch, pair: Pair, n_clusters: int) -> str:
    """Say how far both clusterings agree, beside chance."""
    words = (
        f"{match.staying:.0%} of {match.n:,} items stay with their cluster's partner (independent "
        f"clusterings of these sizes: {match.staying_by_chance:.0%}). Adjusted Rand index "
        f"{short_number(match.adjusted_rand)}, adjusted mutual information "
        f"{short_number(match.adjusted_mutual_information)} (1 = the same clusters, about 0 = "
        f"chance). k-means with {n_clusters} clusters in each original space, "
        f"seed {pair.stored.comparison.seed}."
    )
    if match.n_left_out:
        words += f" {match.n_left_out:,} items are in no cluster."
    return words


def _captions(pair: Pair, column: str | None) -> GroupCaptions:
    info = pair.stored.info

    def make() -> GroupCaptions:
        data = session.dataset(info.recipe.dataset)
        return captions_of(data, pair.stored.comparison.items.ids, column)

    return session.worked_out(("group captions", info.id, column or ""), make)


def cluster_names(clusters: np.ndarray, captions: GroupCaptions) -> dict[int, str]:
    """Return the name of each cluster: its number with its main label or first words."""
    present = np.unique(clusters[clusters >= 0])
    return {
        int(c): " ".join([str(c + 1), short_caption(captions.of(np.flatnonzero(clusters == c)))])
        for c in present
    }


def short_caption(caption: Caption) -> str:
    """Return what a group is called in a narrow place; empty where nothing is known of it."""
    if caption.labels and caption.labels[0].share >= _PLAIN:
        return caption.labels[0].label
    if caption.terms:
        return ", ".join(term.term for term in caption.terms[:2])
    return ", ".join(one.label for one in caption.labels[:2])


def flows_frame(
    flows: tuple[Flow, ...],
    first: dict[int, str],
    second: dict[int, str],
    match: ClusterMatch,
    captions: GroupCaptions,
) -> pd.DataFrame:
    """Return groups of items that go from a cluster of A to one of B."""
    return pd.DataFrame(
        {
            "from A": [first[flow.first] for flow in flows],
            "to B": [second[flow.second] for flow in flows],
            "items": [flow.n for flow in flows],
            "they are": [short_caption(captions.of(match.rows(flow))) for flow in flows],
            "of A's": [100 * flow.share_of_first for flow in flows],
            "of B's": [100 * flow.share_of_second for flow in flows],
            "× chance": [flow.lift for flow in flows],
        }
    )
