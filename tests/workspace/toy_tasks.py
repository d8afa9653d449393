"""Tasks and a method for the tests of the job runner; importable by name in a child process."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import embedders.registry
from core.errors import DatasetError
from core.modality import Modality
from core.params import Params, integer
from embedders.base import ItemEmbedder
from workspace.tasks import Task


@dataclass(frozen=True, kw_only=True)
class ToyParams(Params):
    dim: int = integer(3, low=2, high=10, help="Numbers per vector.")
    delay_ms: int = integer(0, low=0, high=10_000, help="Wait per batch.")


class ToyEmbedder(ItemEmbedder):
    """Vector = lengths of the first words; every batch is noted in a file."""

    id = "toy"
    title = "Toy lengths"
    summary = "Counts letters."
    source = "none"
    accepts = frozenset({Modality.TEXT, Modality.PAIRS})
    queries = frozenset({Modality.TEXT})
    params_class = ToyParams
    pretrained: ClassVar[bool] = True

    def fit(self, dataset, progress=None):
        return self

    @property
    def is_fitted(self):
        return True

    def restore(self, state):
        return self

    def _dedup_key(self, item: str) -> str:
        return item

    def _embed_batch(self, items: Sequence[str]) -> np.ndarray:
        time.sleep(self.params.delay_ms / 1000)
        tally = os.environ.get("TOY_TALLY")
        if tally:
            with open(tally, "a") as stream:
                stream.write(f"{len(items)}\n")
        if items == ["die"]:
            os.kill(os.getpid(), signal.SIGKILL)
        if items == ["sleep"]:
            time.sleep(60)
        rows = [[len(word) for word in text.split()] for text in items]
        dim = self.params.dim
        return np.array([(row + [0] * dim)[:dim] for row in rows], np.float32)


def register() -> None:
    """Add the toy method to the registry of this process."""
    if ToyEmbedder not in embedders.registry.EMBEDDERS:
        embedders.registry.EMBEDDERS = (*embedders.registry.EMBEDDERS, ToyEmbedder)


@dataclass(frozen=True)
class ToyTask(Task):
    """Does one of a few things."""

    runs: ClassVar[str] = "toy_tasks:run"

    what: str
    seconds: float = 0.0
    text: str = ""


def run(task: ToyTask, context: Any) -> dict[str, Any]:
    return globals()["_" + task.what](task, context)


def _count(task: ToyTask, context: Any) -> dict[str, Any]:
    """Report often, hear a cancel at once."""
    steps = max(1, round(task.seconds * 20))
    context.progress.plan({"count": task.seconds})
    context.progress.begin("count", "counting")
    for i in range(steps):
        time.sleep(task.seconds / steps)
        context.progress(i + 1, steps, "counting", f"at {i + 1}")
    return {"counted": steps}


def _deaf(task: ToyTask, context: Any) -> dict[str, Any]:
    """Sit in one C call that holds the GIL and reports nothing."""
    context.publish(half=True)
    context.progress(0, 1, "deaf")
    sum(range(10**12))
    return {}


def _die(task: ToyTask, context: Any) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def _refuse(task: ToyTask, context: Any) -> dict[str, Any]:
    raise DatasetError("The toy is broken. Choose another toy.")


def _crash(task: ToyTask, context: Any) -> dict[str, Any]:
    raise ZeroDivisionError("secret inner detail")


def _memory(task: ToyTask, context: Any) -> dict[str, Any]:
    raise MemoryError


def _print(task: ToyTask, context: Any) -> dict[str, Any]:
    sys.stdout.write("{not a message}\n")
    sys.stdout.flush()
    os.write(1, b"neither is this\n")
    return {"pid": os.getpid(), "threads": os.environ["OMP_NUM_THREADS"], "nice": os.nice(0)}


def publish_known_set() -> None:
    """Put the set that a test serves (``EMBEDSCOPE_TEST_KNOWN_SET``) in the place of the first."""
    told = os.environ.get("EMBEDSCOPE_TEST_KNOWN_SET")
    if told:
        from embedders import known_vector_sets
        from ingest.download import Remote

        first = known_vector_sets.KNOWN_SETS[0]
        one = dataclasses.replace(first, n_words=6, dim=3, remote=Remote(**json.loads(told)))
        known_vector_sets.KNOWN_SETS = (one,)
