"""The embeddings that are put together for a comparison, kept per dataset until it is built."""

from __future__ import annotations

import dataclasses

from components import session
from ingest.wording import count
from workspace.recipes import Member, member_name

Members = tuple[Member, ...]


def draft(dataset: str) -> Members:
    """Return what was chosen so far."""
    return tuple(session.recall(_key(dataset), ()))


def draft_seed(dataset: str) -> int:
    """Return the seed of samples and intervals: that of the recipe that was taken, else 0."""
    return int(session.recall(f"{_key(dataset)}.seed", 0))


def keep(dataset: str, members: Members) -> None:
    """Change the list; it can no longer be taken back to an earlier one."""
    session.remember(_key(dataset), members)
    session.remember(f"{_key(dataset)}.before", None)


def put_in_place(dataset: str, members: Members, seed: int = 0) -> None:
    """Take another list in place of the one that was chosen, which ``put_back`` brings back."""
    before = (draft(dataset), draft_seed(dataset))
    keep(dataset, members)
    session.remember(f"{_key(dataset)}.seed", seed)
    if before[0] and before != (members, seed):
        session.remember(f"{_key(dataset)}.before", before)


def list_before(dataset: str) -> Members:
    """Return the list that another one has taken the place of; empty where there was none."""
    before = session.recall(f"{_key(dataset)}.before")
    return before[0] if before else ()


def put_back(dataset: str) -> None:
    """Bring the list before back."""
    before = session.recall(f"{_key(dataset)}.before")
    if before:
        put_in_place(dataset, *before)


def add(dataset: str, new: Members) -> None:
    """Add members; those that are in the list already are told by ``take_told``."""
    there = [dataclasses.replace(member, name="") for member in draft(dataset)]
    fresh = [member for member in new if dataclasses.replace(member, name="") not in there]
    known = [member.name or member_name(member) for member in new if member not in fresh]
    if fresh:
        keep(dataset, (*draft(dataset), *fresh))
    if known:
        names = known[0] if len(known) == 1 else count(len(known), "embedding")
        same = "is" if len(known) == 1 else "are"
        session.remember(
            f"{_key(dataset)}.told",
            f"{names} {same} in the list already, with the same settings: not added again.",
        )


def take_told(dataset: str) -> str:
    """Return, once, what is to be said of the last addition; "" where it went as asked."""
    told = str(session.recall(f"{_key(dataset)}.told") or "")
    session.remember(f"{_key(dataset)}.told", None)
    return told


def _key(dataset: str) -> str:
    return f"compare.draft.{dataset}"
