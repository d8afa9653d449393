"""Training two towers so that what belongs together is near: InfoNCE over the pairs of a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import DatasetError
from core.progress import Progress, tell_epoch
from embedders.pair_evaluation import Retrieval
from embedders.pair_sampling import Pairs, PairSampler, Positions
from embedders.tower import Tower

WARM_UP = 0.1
"""Share of the steps in which the learning rate rises; then it falls linearly to zero."""
WEIGHT_DECAY = 0.01
MAX_NORM = 1.0
KEPT_COST = 6_000
"""Tokens of a batch whose activations are kept (about 2 GB where all of MiniLM is trained);
beyond, they are computed a second time while going back."""
EXCLUDED = -1e9
K = 5
"""Held-out recall is told among so many."""


@dataclass(frozen=True)
class Schedule:
    """How long, how fast and on how many pairs at a time to train.

    Attributes
    ----------
    epochs : int
    batch_size : int
        Pairs in a batch; every other right thing in it is a negative example.
    rate : float
        Learning rate of everything; 0 for rates that suit each part.
    temperature : float
    is_symmetric : bool
        Whether right things look for their left ones too.
    patience : int
        Stop after so many epochs without a better standing; 0 never stops.
    stage : str
        What progress is reported under.
    """

    epochs: int
    batch_size: int = 128
    rate: float = 0.0
    temperature: float = 0.05
    is_symmetric: bool = True
    patience: int = 0
    stage: str = "training"


@dataclass
class History:
    """What happened in training.

    Attributes
    ----------
    losses : list of float
        Mean loss of each epoch.
    held_out : list of Retrieval
        After each epoch; empty where nothing is held out.
    kept : int
        The epoch whose weights were kept; 0 where none was better than before training.
    n_batches : int
        Per epoch.
    """

    losses: list[float] = field(default_factory=list)
    held_out: list[Retrieval] = field(default_factory=list)
    kept: int = 0
    n_batches: int = 0


class Towers:
    """One or two towers over the prepared things of a dataset.

    Parameters
    ----------
    left, right : Tower
        The same object where both sides share one.
    things : sequence
        Prepared items, by position.
    n_left : int
        Positions below this go through the left tower.
    """

    def __init__(self, left: Tower, right: Tower, things: Sequence[Any], n_left: int) -> None:
        self.left, self.right = left, right
        self.things, self._n_left = things, n_left
        self._ready: dict[int, tuple[NDArray[np.int64], Any]] = {}

    @property
    def each(self) -> tuple[Tower, ...]:
        """Return the distinct towers."""
        return (self.left,) if self.left is self.right else (self.left, self.right)

    def make_ready(self, progress: Progress) -> None:
        """Compute once what towers with an untrained body make of their things."""
        self._ready.clear()
        for tower in self.each:
            if tower.is_body_trained:
                continue
            rows = self.rows_of(tower)
            place = np.full(len(self.things), -1, np.int64)
            place[rows] = np.arange(len(rows))
            stage = f"reading each {tower.modality} once"
            numbers = tower.run_all([self.things[int(r)] for r in rows], progress, stage)
            self._ready[id(tower)] = place, numbers

    def rows_of(self, tower: Tower) -> Positions:
        """Return the positions of the things that go through ``tower``."""
        n, n_left = len(self.things), self._n_left
        rows: list[Positions] = []
        if tower is self.left:
            rows.append(np.arange(0, n_left))
        if tower is self.right:
            rows.append(np.arange(n_left, n))
        return np.concatenate(rows)

    def numbers(self, rows: Positions, tower: Tower) -> Any:
        """Return what the body of ``tower`` made of things, if that is ready; else None."""
        import torch

        if id(tower) not in self._ready:
            return None
        place, numbers = self._ready[id(tower)]
        return numbers[torch.from_numpy(place[rows])]

    def calls(self, rows: Positions, tower: Tower) -> list[tuple[Positions, Callable[[], Any]]]:
        """Return places in ``rows`` and how to compute their vectors, chunk by chunk."""
        ready = self.numbers(rows, tower)
        if ready is not None:
            return [(np.arange(len(rows)), partial(tower.project, ready))]
        items = [self.things[int(row)] for row in rows]
        chunks = [(places, [items[int(p)] for p in places]) for places in tower.chunks(items)]
        return [(places, partial(tower.encode, chunk)) for places, chunk in chunks]

    def cost(self, rows: Positions, tower: Tower) -> int:
        """Return how much the activations of ``rows`` would take, in tokens."""
        if id(tower) in self._ready:
            return 0
        return sum(tower.cost(self.things[int(row)]) for row in rows)

    def vectors(self, rows: Positions, side: int, tick: Callable[[], None]) -> Any:
        """Return the ``(m, d) float32`` vectors of things, with nothing learnt."""
        import torch

        tower = (self.left, self.right)[side]
        tower.learning(training=False)
        found = np.empty((len(rows), tower.dim), np.float32)
        with torch.no_grad():
            for places, compute in self.calls(rows, tower):
                found[places] = compute().numpy()
                tick()
        return found

    def snapshot(self) -> list[dict[str, Any]]:
        """Return a copy of what is learnt."""
        return [tower.snapshot() for tower in self.each]

    def take_up(self, kept: Sequence[dict[str, Any]]) -> None:
        """Return to a snapshot."""
        for tower, tensors in zip(self.each, kept, strict=True):
            tower.take_up(tensors)


@contextmanager
def own_chance(seed: int) -> Iterator[None]:
    """Let torch draw from ``seed`` inside, and go on as before afterwards."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def info_nce(
    left: Any, right: Any, *, temperature: float, same: Any = None, is_symmetric: bool = True
) -> Any:
    """Return the InfoNCE loss of a batch: each left thing must find its right one among all.

    With ``s_ij`` the cosine of left i and right j over the temperature, the loss is the mean over
    i of ``-log(exp s_ii / Σ_j exp s_ij)``; symmetric, the mean of that and of the same with sides
    exchanged.

    Parameters
    ----------
    left, right : (m, d) tensors
        Of length 1.
    temperature : float
    same : (m, m) bool tensor, optional
        Pairs that belong together besides the diagonal; they are left out of the sums.
    is_symmetric : bool

    References
    ----------
    van den Oord et al. 2018, equation 4; Henderson et al. 2017, section 4 (negatives from the
    batch, "multiple negatives ranking"); Radford et al. 2021, figure 3 (symmetric).
    """
    import torch

    scores = left @ right.T / temperature
    if same is not None:
        others = same & ~torch.eye(len(scores), dtype=torch.bool)
        scores = scores.masked_fill(others, EXCLUDED)
    target = torch.arange(len(scores))
    loss = torch.nn.functional.cross_entropy(scores, target)
    if is_symmetric:
        loss = (loss + torch.nn.functional.cross_entropy(scores.T, target)) / 2
    return loss


def train(
    towers: Towers,
    sampler: PairSampler,
    schedule: Schedule,
    *,
    seed: int,
    progress: Progress,
    evaluate: Callable[[Callable[[], None]], Retrieval] | None = None,
    before: Retrieval | None = None,
    chance: float | None = None,
) -> History:
    """Train the towers in place; keep the epoch that does best on what is held out.

    Parameters
    ----------
    towers : Towers
    sampler : PairSampler
    schedule : Schedule
    seed : int
    progress : Progress
        Called after every chunk of a batch; it may raise ``Cancelled``.
    evaluate : callable, optional
        Returns how well held-out things are found; takes what to call now and then.
    before : Retrieval, optional
        How well before training: no epoch is kept that is worse.
    chance : float, optional
        Recall@5 of guessing, which is told beside that of each epoch.

    Raises
    ------
    DatasetError
        If the loss is no longer a number.
    """
    import torch

    rng = np.random.default_rng(seed)
    n_batches = math.ceil(sampler.n_pairs / schedule.batch_size)
    groups = [group for tower in towers.each for group in tower.groups(schedule.rate)]
    optimizer = torch.optim.AdamW(groups, weight_decay=WEIGHT_DECAY)
    step = _Step(towers, optimizer, schedule, n_batches)
    history = History(n_batches=n_batches)
    best = before.standing if before is not None else (-1.0, -1.0)
    kept = towers.snapshot() if before is not None else None
    total, rose = schedule.epochs * n_batches, 0
    note = ""

    def tick() -> None:
        progress(step.done, total, schedule.stage, note)

    for epoch in range(1, schedule.epochs + 1):
        losses = []
        for batch in np.array_split(sampler.epoch(rng), n_batches):
            losses.append(step(batch, sampler.same(batch), tick))
            note = f"epoch {epoch} of {schedule.epochs}, loss {np.mean(losses):.3f}"
            tick()
        history.losses.append(float(np.mean(losses)))
        check_finite(towers)
        if evaluate is None:
            history.kept = epoch
            tell_epoch(progress, schedule.stage, schedule.epochs, history.losses)
            continue
        history.held_out.append(evaluate(tick))
        standing = history.held_out[-1].standing
        rose = epoch if standing > best else rose
        if standing >= best:  # as good as before, and longer trained
            best, kept, history.kept = standing, towers.snapshot(), epoch
        tell_epoch(
            progress,
            schedule.stage,
            schedule.epochs,
            history.losses,
            standing_so_far(history, before, chance),
        )
        if schedule.patience and epoch - rose >= schedule.patience:
            break
    if kept is not None:
        towers.take_up(kept)
    for tower in towers.each:
        tower.learning(training=False)
    progress(total, total, schedule.stage, note)
    return history


def standing_so_far(
    history: History, before: Retrieval | None, chance: float | None
) -> dict[str, Any]:
    """Return recall@5 of the epochs so far, as the provenance of a trained method holds it."""
    measured = [*([before] if before is not None else []), *history.held_out]
    return {
        "name": f"recall@{K}",
        "values": [one.recall[K] for one in measured],
        "start": 1 if before is None else 0,
        "kept": history.kept,
        "chance": chance,
    }


def check_finite(towers: Towers) -> None:
    """Refuse weights that are no longer numbers: their vectors would find everything.

    Raises
    ------
    DatasetError
    """
    for tower in towers.each:
        for tensor in tower.tensors().values():
            if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
                raise astray("weights became infinite")


def astray(what: str) -> DatasetError:
    """Return the error for a training that diverged."""
    return DatasetError(
        f"Training went astray: {what}. Lower the learning rate or raise the temperature."
    )


class _Step:
    """One step of the optimizer at a time, in chunks, so that progress never waits long."""

    def __init__(self, towers: Towers, optimizer: Any, schedule: Schedule, n_batches: int) -> None:
        self._towers, self._optimizer, self._schedule = towers, optimizer, schedule
        self._rates = [group["lr"] for group in optimizer.param_groups]
        self._total = schedule.epochs * n_batches
        self.done = 0

    def _share_of_rate(self) -> float:
        warm = max(1, round(WARM_UP * self._total))
        if self.done < warm:
            return (self.done + 1) / warm
        return max(0.0, (self._total - self.done) / max(1, self._total - warm))

    def __call__(self, batch: Pairs, same: NDArray[np.bool_], tick: Callable[[], None]) -> float:
        """Learn from one batch and return its loss."""
        import torch

        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * self._share_of_rate()
        for tower in self._towers.each:
            tower.learning(training=True)
        sides = [self._forward(batch[:, side], side, tick) for side in (0, 1)]
        leaves = [vectors.detach().requires_grad_() for vectors, _ in sides]
        loss = info_nce(
            *leaves,
            temperature=self._schedule.temperature,
            same=torch.from_numpy(same),
            is_symmetric=self._schedule.is_symmetric,
        )
        value = float(loss.detach())
        if not math.isfinite(value):
            raise astray(f"the loss became {value} in step {self.done + 1} of {self._total}")
        self._optimizer.zero_grad()
        loss.backward()
        for (_, chunks), leaf in zip(sides, leaves, strict=True):
            for chunk in chunks:
                chunk.back(leaf.grad)
                tick()
        learnt = [p for group in self._optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(learnt, MAX_NORM)
        self._optimizer.step()
        self.done += 1
        return value

    def _forward(
        self, rows: Positions, side: int, tick: Callable[[], None]
    ) -> tuple[Any, list[_Chunk]]:
        import torch

        tower = (self._towers.left, self._towers.right)[side]
        is_kept = self._towers.cost(rows, tower) <= KEPT_COST // 2
        chunks = []
        vectors = torch.empty(len(rows), tower.dim)
        for places, compute in self._towers.calls(rows, tower):
            chunk = _Chunk(places, compute, is_kept=is_kept)
            vectors[chunk.places] = chunk.vectors
            chunks.append(chunk)
            tick()
        return vectors, chunks


class _Chunk:
    """A part of a batch that goes forward and back on its own.

    Where its activations are not kept they are computed again on the way back, with the same dice
    (Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup").
    """

    def __init__(self, places: Positions, compute: Callable[[], Any], *, is_kept: bool) -> None:
        import torch

        self.places = torch.from_numpy(places)
        self._compute, self._dice = compute, None if is_kept else torch.get_rng_state()
        with torch.set_grad_enabled(is_kept):
            self._graph = compute()
        self.vectors = self._graph.detach()

    def back(self, gradient: Any) -> None:
        """Add to the gradients of the weights; ``gradient`` is that of the batch's vectors."""
        import torch

        if self._dice is not None:
            after = torch.get_rng_state()
            torch.set_rng_state(self._dice)
            self._graph = self._compute()
            torch.set_rng_state(after)
        self._graph.backward(gradient[self.places])
        del self._graph
