"""From a dataset to trained towers: make them, pretrain them, train them, measure them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from core.arrays import FloatMatrix
from core.errors import DatasetError
from core.modality import Modality
from core.progress import Progress, tell_stages
from embedders import minilm, tiny_clip
from embedders.contrastive_training import (
    History,
    K,
    Schedule,
    Towers,
    own_chance,
    standing_so_far,
    train,
)
from embedders.image_tower import NetworkTower
from embedders.pair_data import PairData, read_pairs
from embedders.pair_evaluation import Retrieval, knn_accuracy
from embedders.pair_sampling import Positions
from embedders.pretraining import tsdae
from embedders.text_tower import TextTower, token_ids
from embedders.tower import Tower
from embedders.tower_making import Start, TowerPlan, make_tower
from ingest.dataset import Dataset

if TYPE_CHECKING:
    from embedders.two_towers import TwoTowersParams

NEW_STEPS, FEWEST, MOST = 600, 10, 100
"""New layers want some 600 steps, within so many epochs; found on captions and queries."""
TUNING_EPOCHS = 3
"""Of a pretrained model's own layers."""
FEW_IMAGES = 2_000
"""Below this many images, descriptors beat a network from scratch."""
IMAGE_DIM = 128
BACK, HEAD_WORK, STEP_WORK = 3.0, 0.02, 2_000.0
"""Work of training in tokens read: on a token in all of a tower, in a layer on top; per step."""
STAGES = {"simcse": "pretraining (SimCSE)", "tsdae": "pretraining (TSDAE)"}


@dataclass(frozen=True)
class Fitted:
    """Trained towers (one object twice where they share), and what is to be told of them."""

    towers: tuple[Tower, Tower]
    about: dict[str, Any]


def fit_towers(
    dataset: Dataset, params: TwoTowersParams, seed: int, test: Dataset | None, progress: Progress
) -> Fitted:
    """Return towers trained on the pairs, labels or bare items of ``dataset``.

    Raises
    ------
    DatasetError
        If there is nothing to tell apart or to learn from, or training diverges.
    """
    data = read_pairs(dataset, params.held_out, seed, progress)
    if Modality.TEXT in data.modalities:
        minilm.load()  # now: making the network throws torch's dice, once per process
    with own_chance(seed):
        return _Fitting(dataset, data, params, seed, test, progress).result()


class _Fitting:
    def __init__(
        self,
        dataset: Dataset,
        data: PairData,
        params: TwoTowersParams,
        seed: int,
        test: Dataset | None,
        progress: Progress,
    ) -> None:
        self._dataset, self._data, self._p = dataset, data, params
        self._seed, self._progress = seed, progress
        self._notes = list(data.notes)
        self._pretraining = self._chosen_pretraining()
        self._plans = self._plan()
        self._towers = self._make()
        self._test = _Test(dataset, test, self._towers) if test is not None else None

    def _chosen_pretraining(self) -> str:
        """Return what is learnt from items alone: "none", "simcse" or "tsdae"."""
        is_alone = self._data.sampler is None
        if self._p.pretraining == "none" and is_alone:
            raise DatasetError(
                f"{self._dataset.name} has neither pairs nor a label column, and pretraining is "
                "none: there is nothing to learn from. Choose SimCSE, or a label column."
            )
        if self._p.pretraining == "auto":
            return "simcse" if is_alone else "none"
        if Modality.TEXT not in self._data.modalities:
            return "simcse" if is_alone else "none"
        return str(self._p.pretraining)

    # making
    def _plan(self) -> list[TowerPlan]:
        """Return the plan of each distinct tower."""
        left, right = self._data.modalities
        share = left == right and (self._p.shared or not self._data.has_two_sides)
        return [self._plan_for(m) for m in ((left,) if share else (left, right))]

    def _plan_for(self, modality: Modality) -> TowerPlan:
        p = self._p
        has_images = Modality.IMAGE in self._data.modalities
        dim = p.dim or (IMAGE_DIM if has_images else 0)
        if modality is Modality.IMAGE:
            start = self._image_start()
            weights = tiny_clip.WEIGHTS_SHA256 if start == "clip" else ""
            return TowerPlan(start, dim, weights=weights)
        if p.start == "minilm":
            return TowerPlan("minilm", dim, p.max_length, last_layers=self._last_layers())
        texts = [t for t in self._data.things if isinstance(t, str)]
        ids = token_ids(minilm.load().tokenizer, texts)
        vocabulary = tuple(sorted({piece for text in ids for piece in text}))
        return TowerPlan(
            "scratch",
            dim,
            p.max_length,
            layers=p.new_layers,
            width=p.new_width,
            vocabulary=vocabulary,
        )

    def _image_start(self) -> Start:
        if self._p.images != "auto":
            return cast("Start", self._p.images)
        n = sum(not isinstance(thing, str) for thing in self._data.things)
        # Without pairs and labels the difference comes from turning and tinting the image.
        few = n < FEW_IMAGES and self._data.sampler is not None
        return "descriptors" if few else "network"

    def _last_layers(self) -> int:
        """Return how many layers of MiniLM training will change."""
        p = self._p
        if p.train == "all":
            return minilm.N_LAYERS
        if p.train == "last" or self._pretraining != "none":
            return int(p.last_layers)
        return 0

    def _make(self) -> Towers:
        made = [make_tower(plan) for plan in self._plans]
        left, right = made[0], made[-1]
        things: list[Any] = []
        n_left = self._data.n_left
        for tower, part in (
            (left, self._data.things[:n_left]),
            (right, self._data.things[n_left:]),
        ):
            things += tower.prepare(part)
        return Towers(left, right, things, n_left)

    # training
    def result(self) -> Fitted:
        """Train, and return the towers."""
        about: dict[str, Any] = {}
        for number, (plan, tower) in enumerate(zip(self._plans, self._towers.each, strict=True)):
            side = ("Left", "Right")[number] + " tower" if len(self._plans) > 1 else "Both sides"
            self._notes.append(f"{side}: {plan.words()}.")
            tower.learning(training=False)
        tell_stages(self._progress, self._work())
        if self._pretraining == "none":
            self._towers.make_ready(self._progress)
        accuracy = self._test.accuracy(self._progress, "before") if self._test else None
        if self._pretraining != "none":
            about["pretraining_losses"] = self._pretrain()
        if self._data.sampler is not None:
            about |= self._train()
        else:
            about["losses"] = about.pop("pretraining_losses")
            self._notes.append("No pairs and no labels: each item learnt from itself alone.")
        if self._test is not None and accuracy is not None:
            about |= self._test.told(accuracy, self._progress, self._notes)
        for tower in self._towers.each:
            if isinstance(tower, NetworkTower):
                tower.forget()
        about["plans"] = [asdict(plan) for plan in self._plans]
        about["trained_on"] = {
            "name": self._dataset.name,
            "fingerprint": self._dataset.fingerprint,
        }
        about["notes"] = self._notes
        return Fitted((self._towers.left, self._towers.right), about)

    def _work(self) -> dict[str, float]:
        """Return the stages that take long with their rough work, in tokens read."""
        reading, pretraining = dict[str, float](), dict[str, float]()
        n_pairs = 0 if self._data.sampler is None else self._data.sampler.n_pairs
        epochs = self._training_schedule(n_pairs).epochs if n_pairs else 0
        training = STEP_WORK * epochs * math.ceil(n_pairs / self._p.batch_size)
        n_towers = len(self._towers.each)
        for number, tower in enumerate(self._towers.each):
            rows = self._towers.rows_of(tower)
            tokens = float(sum(tower.cost(self._towers.things[int(row)]) for row in rows))
            is_read_once = not tower.is_body_trained or self._has_only_head(tower)
            if is_read_once:
                stage = f"reading each {tower.modality} once"
                reading[stage] = reading.get(stage, 0.0) + tokens
            if self._pretraining != "none" and self._learns_alone(tower):
                rounds = 2 * self._p.pretraining_epochs
                pretraining[self._pretraining_stage(number)] = BACK * rounds * tokens
            in_epoch = 2 / n_towers * n_pairs * tokens / max(1, len(rows))
            training += epochs * (HEAD_WORK if is_read_once else BACK) * in_epoch
        before, after = reading, pretraining
        if self._pretraining != "none":  # which changes what is read
            before, after = pretraining, reading
        return {**before, **after, **({"training": training} if n_pairs else {})}

    def _learns_alone(self, tower: Tower) -> bool:
        """Tell whether a tower learns from its own items before it learns from pairs."""
        if isinstance(tower, TextTower):
            return tower.is_body_trained
        return self._data.sampler is None

    def _pretraining_stage(self, number: int) -> str:
        is_image = self._towers.each[number].modality is Modality.IMAGE
        stage = "pretraining (SimCLR)" if is_image else STAGES[self._pretraining]
        return stage + (", right side" if number else "")

    def _has_only_head(self, tower: Tower) -> bool:
        """Tell whether what was learnt from pairs is a layer on top of MiniLM alone."""
        only_head = self._p.start == "minilm" and self._p.train in {"auto", "projection"}
        return only_head and isinstance(tower, TextTower)

    def _training_schedule(self, n_pairs: int) -> Schedule:
        is_tuning = any(
            isinstance(tower, TextTower)
            and tower.is_body_trained
            and self._p.start == "minilm"
            and not self._has_only_head(tower)
            for tower in self._towers.each
        )
        return self._schedule(n_pairs, is_tuning=is_tuning)

    def _schedule(self, n_pairs: int, *, is_tuning: bool) -> Schedule:
        p = self._p
        n_batches = math.ceil(n_pairs / p.batch_size)
        fitting = TUNING_EPOCHS if is_tuning else min(MOST, max(FEWEST, NEW_STEPS // n_batches))
        return Schedule(
            epochs=p.epochs or fitting,
            batch_size=p.batch_size,
            rate=p.learning_rate,
            temperature=p.temperature,
            is_symmetric=p.loss == "both",
            patience=p.patience,
        )

    def _pretrain(self) -> list[float]:
        """Teach each tower its own items; return the losses of the first."""
        p = self._p
        losses: list[list[float]] = []
        for number, tower in enumerate(self._towers.each):
            if not self._learns_alone(tower):
                continue
            rows = self._towers.rows_of(tower)
            distinct = rows[np.unique(self._data.content[rows], return_index=True)[1]]
            things = [self._towers.things[int(row)] for row in np.sort(distinct)]
            epochs = p.pretraining_epochs
            if self._data.sampler is None and not isinstance(tower, TextTower):
                epochs = self._schedule(len(things), is_tuning=False).epochs
            schedule = replace(
                self._schedule(len(things), is_tuning=True),
                epochs=epochs,
                patience=0,
                stage=self._pretraining_stage(number),
            )
            losses.append(self._pretrain_one(tower, things, schedule))
        return losses[0] if losses else []

    def _pretrain_one(self, tower: Tower, things: list[Any], schedule: Schedule) -> list[float]:
        n = len(things)
        name = "SimCLR" if tower.modality is Modality.IMAGE else "SimCSE"
        if self._pretraining == "tsdae" and isinstance(tower, TextTower):
            losses = tsdae(tower, things, schedule, seed=self._seed, progress=self._progress)
            self._notes.append(
                f"Pretrained with TSDAE on {n:,} {tower.modality}s: 60 % of tokens deleted, "
                f"loss per token {losses[0]:.2f} in the first epoch, {losses[-1]:.2f} in the last."
            )
            return losses
        if n < 2:
            raise DatasetError(
                f"{self._dataset.name} holds one distinct {tower.modality}: there is nothing to "
                "tell apart. Give at least two."
            )
        pairs = PairData(things, (tower.modality,) * 2, n, np.arange(n), None, None, []).alone()
        towers = Towers(tower, tower, things, n)
        towers.make_ready(self._progress)
        history = train(towers, pairs, schedule, seed=self._seed, progress=self._progress)
        self._notes.append(
            f"Learnt from {n:,} distinct {tower.modality}s alone ({name}, {len(history.losses)} "
            f"epochs): loss {history.losses[0]:.3f} in the first epoch, "
            f"{history.losses[-1]:.3f} in the last."
        )
        return history.losses

    def _train(self) -> dict[str, Any]:
        data, sampler = self._data, self._data.sampler
        assert sampler is not None  # noqa: S101 -- told to the type checker
        for tower in self._towers.each:
            if isinstance(tower, TextTower) and self._has_only_head(tower):
                tower.freeze()
        if self._pretraining != "none":
            self._towers.make_ready(self._progress)
        schedule = self._training_schedule(sampler.n_pairs)
        before, evaluate, chance = None, None, None
        if data.held_out is not None:
            chance = data.held_out.chance()[K]
            evaluate = partial(self._measure, data)
            before = evaluate(lambda: self._progress(0, 1, "measuring before training"))
            self._progress(1, 1, "measuring before training")
        history = train(
            self._towers,
            sampler,
            schedule,
            seed=self._seed,
            progress=self._progress,
            evaluate=evaluate,
            before=before,
            chance=chance,
        )
        return self._told(history, schedule, before)

    def _measure(self, data: PairData, tick: Callable[[], None]) -> Retrieval:
        assert data.held_out is not None  # noqa: S101 -- told to the type checker

        def embed(rows: Positions, side: int) -> FloatMatrix:
            vectors: FloatMatrix = self._towers.vectors(rows, side, tick)
            return vectors

        return data.held_out.measure(embed)

    def _told(
        self, history: History, schedule: Schedule, before: Retrieval | None
    ) -> dict[str, Any]:
        """Return losses and held-out figures, and write their notes."""
        sampler = self._data.sampler
        n = sampler.n_pairs if sampler is not None else 0
        n_run = len(history.losses)
        early = f", stopped early of {schedule.epochs}" if n_run < schedule.epochs else ""
        self._notes.append(
            f"{n_run} epochs{early}, batches of {math.ceil(n / history.n_batches):,} pairs, "
            f"temperature {schedule.temperature:g}; loss {history.losses[0]:.3f} in the first "
            f"epoch, {history.losses[-1]:.3f} in the last."
        )
        about: dict[str, Any] = {"losses": history.losses}
        held = self._data.held_out
        if before is None or held is None:
            return about
        by_chance = held.chance()
        kept = history.held_out[history.kept - 1] if history.kept else before
        about["held_out"] = {
            **standing_so_far(history, before, by_chance[K]),
            "before": before.recall[K],
            "after": kept.recall[K],
            "n": kept.n_queries,
            "n_candidates": kept.n_candidates,
            "figures_before": before.figures(),
            "figures_after": kept.figures(),
        }
        self._notes += _held_out_notes(before, kept, by_chance, history)
        if any(plan.start == "clip" for plan in self._plans):
            about["held_out"]["doubt"] = "the bundled CLIP may have seen these images"
            self._notes.append(tiny_clip.SEEN)
        return about


def _held_out_notes(
    before: Retrieval, after: Retrieval, by_chance: dict[int, float], history: History
) -> list[str]:
    parts = [
        f"recall@{k} {before.recall[k]:.3f} before, {after.recall[k]:.3f} after "
        f"(chance {by_chance[k]:.3f})"
        for k in before.recall
        if k == 1 or k < after.n_candidates  # all of them would be found by anybody
    ]
    gained = round(after.n_queries * (after.recall[1] - before.recall[1]))
    change = (
        f"{abs(gained):,} {'more' if gained > 0 else 'fewer'}" if gained else "no more and no fewer"
    )
    which = (
        f"Epoch {history.kept} was kept, the best of {len(history.losses)} by that very figure, "
        "which flatters it a little."
        if history.kept
        else "No epoch was better than before training; the model was kept as it started."
    )
    return [
        f"Held out, {after.n_queries:,} queries among {after.n_candidates:,}: "
        f"{'; '.join(parts)}; MRR {before.mrr:.3f} before, {after.mrr:.3f} after.",
        f"After training {change} of these {after.n_queries:,} queries find their own first.",
        which,
        "What was trained on lies nearer to its like than new items will: judge by the held-out "
        "figures, not by classes and neighbours on the map.",
    ]


class _Test:
    """Accuracy of the nearest neighbours of labelled texts that training never sees."""

    def __init__(self, dataset: Dataset, test: Dataset, towers: Towers) -> None:
        self._towers, self._tower, self._name = towers, towers.right, test.name
        if not isinstance(self._tower, TextTower) or dataset.label is None or test.label is None:
            raise DatasetError(
                f"The test on {test.name} needs texts with a label column on both sides; "
                f"{dataset.name} has none. Leave test empty."
            )
        labels, truth = _labels(dataset), _labels(test)
        self._rows = np.array([i for i, label in enumerate(labels) if label is not None])
        labelled = [i for i, label in enumerate(truth) if label is not None]
        if not labelled:
            raise DatasetError(f"No text of {test.name} has a label. Leave test empty.")
        known = set(dataset.items)
        asked = [i for i in labelled if test.items[i] not in known]
        if not asked:
            raise DatasetError(
                f"Every text of {test.name} is among those that are trained on, so they cannot "
                "test anything. Choose texts that were kept apart, or leave test empty."
            )
        self._n_known = len(labelled) - len(asked)
        self._labels = [str(labels[i]) for i in self._rows]
        self._truth = [str(truth[i]) for i in asked]
        self._queries = self._tower.prepare([test.items[i] for i in asked])
        self._kept: Any = None

    def accuracy(self, progress: Progress, when: str) -> float:
        """Return how often the nearest neighbours vote for the true label."""
        import torch

        tower, stage = self._tower, f"measuring accuracy {when} training"
        tower.learning(training=False)
        gallery = self._towers.numbers(self._rows, tower)
        if gallery is None:
            things = [self._towers.things[int(row)] for row in self._rows]
            gallery = tower.run_all(things, progress, f"{stage}, known texts")
        queries = self._kept
        if queries is None:
            queries = tower.run_all(self._queries, progress, stage)
        self._kept = None if tower.is_body_trained else queries
        with torch.no_grad():
            known, asked = tower.project(gallery).numpy(), tower.project(queries).numpy()
        return knn_accuracy(known, self._labels, asked, self._truth, K)

    def told(self, before: float, progress: Progress, notes: list[str]) -> dict[str, Any]:
        """Measure again; return both figures and write the note."""
        after = self.accuracy(progress, "after")
        n = len(self._queries)
        notes.append(
            f"On {self._name}, {n:,} texts, the {K} nearest of {len(self._rows):,} vote for the "
            f"true label of {before:.3f} before and {after:.3f} after training."
        )
        if self._n_known:
            notes.append(
                f"{self._n_known:,} further texts of {self._name} are among those trained on and "
                "were not asked."
            )
        figures = {"name": self._name, "before": before, "after": after, "n": n, "k": K}
        return {"test": figures, "datasets": {"test": self._name}}


def _labels(dataset: Dataset) -> list[str | None]:
    column = dataset.columns[str(dataset.label)]
    return [None if missing else str(v) for v, missing in zip(column, pd.isna(column), strict=True)]
