"""The training loop around gensim's compiled inner functions, for all methods that gensim trains.

gensim's own loop cannot be stopped from inside (raising in the thread that reads sentences leaves
the others waiting for ever), starts threads for every call, and adds its loss up in one float32,
which stops growing at 2^24. So this one calls the compiled functions itself, job by job.
"""

from __future__ import annotations

import copy
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

import numpy as np

from core.progress import Progress, tell_epoch

WORDS_PER_BATCH = 100_000
"""Words that callers make ready at a time."""
WORDS_PER_JOB = 10_000
"""Words between two progress calls. gensim's compiled functions ignore silently what exceeds this
in one call, so callers cut longer texts at this length."""

Item = TypeVar("Item")
Memory = tuple[Any, Any]
Step = Callable[[Any, Sequence[Item], float, Memory], int]
"""``(model, items, learning rate, scratch memory)``: trains on items, returns words trained on."""


@dataclass(frozen=True)
class Schedule:
    """How long, how fast and with how many threads to train.

    Attributes
    ----------
    epochs : int
    alpha : float
        The learning rate at the start; it falls linearly to 1e-4.
    n_words : int
        Words in one epoch, as ``size`` counts them.
    seed : int
    threads : int
        Above 1, vectors are learnt by several threads at once and differ from run to run.
    """

    epochs: int
    alpha: float
    n_words: int
    seed: int
    threads: int = 1

    def rate(self, done: int) -> float:
        """Return the learning rate after ``done`` words."""
        last = 1e-4
        return max(last, self.alpha - (self.alpha - last) * done / (self.n_words * self.epochs))


class _Done(NamedTuple):
    words: int
    trained: int
    loss: float


def new_model(kind: Callable[..., Any], counts: Mapping[str, int], **settings: Any) -> Any:
    """Return a gensim model of ``kind`` with untrained weights for the words, in their order."""
    # Its warnings are about its own loop and about layer sizes.
    logging.getLogger("gensim").setLevel(logging.ERROR)
    model = kind(min_count=1, sorted_vocab=0, **settings)
    model.build_vocab_from_freq(dict(counts))
    return model


def train_in_jobs(
    model: Any,
    step: Step[Item],
    batches: Callable[[], Iterable[Sequence[Item]]],
    schedule: Schedule,
    progress: Progress,
    *,
    size: Callable[[Item], int] = len,  # type: ignore[assignment]
    measure: Callable[[], float] | None = None,
) -> tuple[float, ...]:
    """Train ``model`` in place and return one loss per epoch.

    Parameters
    ----------
    model : gensim model with prepared weights
    step : callable
        Trains on at most ``WORDS_PER_JOB`` words.
    batches : callable
        Returns, for each epoch anew, the items in batches of any size.
    schedule : Schedule
    progress : Progress
        Called after every job from the calling thread; it may raise ``Cancelled``.
    size : callable
        Words in an item; at most ``WORDS_PER_JOB``.
    measure : callable, optional
        Returns the loss after an epoch. Without it, the loss is what gensim added up, per word
        trained on.

    Notes
    -----
    Several threads train on the same weights without locks (Recht et al. 2011, "Hogwild!"), each
    with its own random numbers.
    """
    losses: list[float] = []
    total, done = schedule.n_words * schedule.epochs, 0
    progress(0, total, "training")
    crew = _Crew(model, step, schedule)
    for epoch in range(schedule.epochs):
        heading = f"epoch {epoch + 1} of {schedule.epochs}"
        loss, trained = 0.0, 0
        for job in crew.work(_jobs(batches(), size)):
            done = min(total, done + job.words)
            loss, trained = loss + job.loss, trained + job.trained
            if measure is None:
                progress(done, total, "training", f"{heading}, loss {loss / max(trained, 1):.3f}")
            else:
                last = f", loss {losses[-1]:.3f} after epoch {epoch}" if losses else ""
                progress(done, total, "training", heading + last)
        losses.append(loss / max(trained, 1) if measure is None else measure())
        tell_epoch(progress, "training", schedule.epochs, losses)
    return tuple(losses)


class _Crew:
    """One or several threads, each with its own view of the model: same weights, own dice."""

    def __init__(self, model: Any, step: Step[Any], schedule: Schedule) -> None:
        self._step, self._schedule = step, schedule
        self._words_given = 0
        self._idle: SimpleQueue[tuple[Any, Memory]] = SimpleQueue()
        for seed in np.random.SeedSequence(schedule.seed).spawn(schedule.threads):
            view = copy.copy(model)
            view.random = np.random.RandomState(seed.generate_state(8))
            work, sums = np.zeros((2, model.layer1_size), np.float32)
            self._idle.put((view, (work, sums)))

    def work(self, jobs: Iterable[tuple[Sequence[Any], int]]) -> Iterator[_Done]:
        """Yield the outcome of each job, in order."""
        ready = ((items, words, self._next_rate(words)) for items, words in jobs)
        if self._schedule.threads == 1:
            for job in ready:
                yield self._run(*job)
            return
        with ThreadPoolExecutor(self._schedule.threads) as pool:
            waiting: deque[Future[_Done]] = deque()
            try:
                for job in ready:
                    waiting.append(pool.submit(self._run, *job))
                    if len(waiting) > 2 * self._schedule.threads:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:  # cancelled: let those that run end, drop the rest
                for future in waiting:
                    future.cancel()

    def _next_rate(self, words: int) -> float:
        rate = self._schedule.rate(self._words_given)
        self._words_given += words
        return rate

    def _run(self, items: Sequence[Any], words: int, rate: float) -> _Done:
        view, memory = self._idle.get()
        view.running_training_loss = 0.0
        try:
            trained = self._step(view, items, rate, memory)
            return _Done(words, trained, float(view.running_training_loss))
        finally:
            self._idle.put((view, memory))


def _jobs(
    batches: Iterable[Sequence[Item]], size: Callable[[Item], int]
) -> Iterator[tuple[list[Item], int]]:
    """Yield runs of items of at most ``WORDS_PER_JOB`` words, and their words."""
    for batch in batches:
        job: list[Item] = []
        words = 0
        for item in batch:
            n = size(item)
            if job and words + n > WORDS_PER_JOB:
                yield job, words
                job, words = [], 0
            job.append(item)
            words += n
        if job:
            yield job, words
