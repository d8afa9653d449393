"""Two towers: an embedding learnt from pairs of texts or of texts and images, or from labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from core.arrays import AnyArray, FloatMatrix
from core.errors import ModalityMismatch, NotFittedError, QueryError
from core.modality import Modality
from core.params import Params, choice, flag, integer, real
from core.params import dataset as dataset_setting
from core.progress import Progress, quiet
from embedders import minilm, tiny_clip
from embedders.base import Availability, ItemEmbedder
from embedders.contrastive_training import own_chance
from embedders.image_items import image_query, image_references
from embedders.packing import State, pack_json, unpack_json
from embedders.terms import text_query
from embedders.text_tower import TextTower
from embedders.tower import Tower
from embedders.tower_fitting import Fitted, fit_towers
from embedders.tower_making import TowerPlan, make_tower
from embedders.trace import Trace
from ingest import read_dataset
from ingest.dataset import Dataset

_SIDES = ("left", "right")
CUT_NAMED = 3
LISTED = 200
"""Texts that were cut, named in the notes and listed in the provenance; all are counted."""


@dataclass(frozen=True, kw_only=True)
class TwoTowersParams(Params):
    """Settings of two towers."""

    start: str = choice(
        "minilm",
        ("minilm", "scratch"),
        labels=("the packaged MiniLM", "from scratch"),
        help="What reads texts at first: a model that knows English, or one that knows nothing.",
        only_for=(Modality.TEXT, Modality.PAIRS),
    )
    train: str = choice(
        "auto",
        ("auto", "projection", "last", "all"),
        labels=("fitting", "a projection", "its last layers", "all its layers"),
        help="What of MiniLM is trained: a layer on top (seconds), its last layers, or all six.",
        only_for=(Modality.TEXT, Modality.PAIRS),
    )
    images: str = choice(
        "auto",
        ("auto", "descriptors", "network", "clip"),
        labels=("fitting", "edges and colours", "a network", "the bundled CLIP"),
        help="What reads images at first: HOG and a colour histogram, a small untrained CNN, or "
        "the bundled CLIP, which was trained on drawn shapes and digits: best on those, where "
        "held-out figures flatter it, worse on others.",
        only_for=(Modality.IMAGE, Modality.PAIRS),
    )
    shared: bool = flag(
        True,
        only_alike=True,
        help="Both sides of the same kind share one tower; else a query has a tower of its own.",
        only_for=(Modality.PAIRS,),
    )
    dim: int = integer(
        0,
        low=0,
        high=1024,
        automatic="the text model's, 128 beside images",
        help="Length of each vector; 0 for as many as the text model has, 128 beside images.",
    )
    epochs: int = integer(
        0,
        low=0,
        high=500,
        automatic="a fitting number",
        help="How often each pair is seen at most; 0 for a fitting number.",
    )
    pretraining: str = choice(
        "auto",
        ("auto", "none", "simcse", "tsdae"),
        labels=("fitting", "none", "SimCSE", "TSDAE"),
        help="What is learnt from the texts alone first; fitting: SimCSE where no label is there.",
        only_for=(Modality.TEXT, Modality.PAIRS),
    )
    test: str = dataset_setting(
        Modality.TEXT,
        optional=True,
        only_for=(Modality.TEXT,),
        help="Texts with the same labels: how many their 5 nearest name right, before and after.",
    )
    last_layers: int = integer(
        2,
        low=1,
        high=minilm.N_LAYERS - 1,
        help="How many last layers are trained.",
        advanced=True,
        only_for=(Modality.TEXT, Modality.PAIRS),
    )
    new_layers: int = integer(
        2,
        low=0,
        high=6,
        help="Layers of a text model from scratch; 0 takes the mean of its word pieces' vectors.",
        advanced=True,
        only_for=(Modality.TEXT, Modality.PAIRS),
    )
    new_width: int = integer(
        128,
        low=16,
        high=512,
        step=16,
        help="Length of the states in a text model from scratch.",
        advanced=True,
        only_for=(Modality.TEXT, Modality.PAIRS),
    )
    batch_size: int = integer(
        128,
        low=2,
        high=4096,
        help="Pairs at a time; every other right thing among them is a negative example.",
        advanced=True,
    )
    temperature: float = real(
        0.05,
        low=0.005,
        high=1.0,
        step=0.01,
        help="Lower values push hard at the nearest wrong things, higher ones at all alike.",
        advanced=True,
    )
    loss: str = choice(
        "both",
        ("both", "one"),
        labels=("both ways", "left to right"),
        help="InfoNCE: left things look for their right ones, and the other way round too.",
        advanced=True,
    )
    learning_rate: float = real(
        0.0,
        low=0.0,
        high=1.0,
        step=0.0001,
        automatic="0.001 for new layers, 0.0001 for MiniLM",
        help="Of everything trained; 0 for 0.001 in new layers and 0.0001 in those of MiniLM.",
        advanced=True,
    )
    patience: int = integer(
        10,
        low=0,
        high=500,
        help="Stop after so many epochs in which held-out recall@5 did not rise; 0 never stops.",
        advanced=True,
    )
    held_out: float = real(
        0.15,
        low=0.0,
        high=0.5,
        step=0.05,
        help="Share of the pairs that is kept from training, to measure recall on.",
        advanced=True,
    )
    max_length: int = integer(
        64,
        low=8,
        high=512,
        step=8,
        help="Longer texts are cut after this many tokens (about 0.75 words each).",
        advanced=True,
        only_for=(Modality.TEXT, Modality.PAIRS),
    )
    pretraining_epochs: int = integer(
        1,
        low=1,
        high=50,
        help="Epochs of SimCSE or TSDAE.",
        advanced=True,
        only_for=(Modality.TEXT, Modality.PAIRS),
    )


class Thing(NamedTuple):
    """One prepared item and the side whose tower reads it."""

    side: int
    item: Any


class TwoTowers(ItemEmbedder):
    """A dual encoder: what belongs together becomes near, what does not is pushed apart.

    Parameters
    ----------
    params : TwoTowersParams, optional
        ``test`` is the path of a file, or the id of a dataset that ``supply`` hands over.
    seed : int
        Draws first weights, what is held out, the order of pairs, dropout and augmentation.

    Notes
    -----
    Learns from pairs, from a label column (two items of one label are a pair), or, without
    either, from every item beside itself under dropout (SimCSE) or augmentation (SimCLR). The loss
    is InfoNCE over the pairs of a batch, in which known pairs and items of one label are no
    negative examples. Held-out pairs share no thing with those of training where that is possible;
    the epoch that finds most of them is kept. AdamW, linear warm-up over a tenth of the steps, then
    linear decay. Vectors have length 1.

    New items are read by the tower for their kind. Where two towers read texts, a query goes
    through the left one and texts of other data through the right one. Arithmetic is float32; how
    many threads are used is left to the environment (``OMP_NUM_THREADS``), and with the same
    number equal seeds give equal bytes.

    References
    ----------
    Reimers & Gurevych 2019, "Sentence-BERT", section 3; Henderson et al. 2017, "Efficient Natural
    Language Response Suggestion", section 4; Radford et al. 2021, "CLIP", section 2.3.
    """

    id = "two_towers"
    title = "Two towers"
    summary = "Learns from your own pairs or labels what belongs together; texts and images."
    source = "Henderson et al. 2017; Reimers & Gurevych 2019, Sentence-BERT; Radford et al. 2021"
    accepts = frozenset({Modality.PAIRS, Modality.TEXT, Modality.IMAGE})
    queries = frozenset({Modality.TEXT, Modality.IMAGE})
    pair_sides = queries
    params_class = TwoTowersParams
    stochastic = True
    fit_stages: ClassVar[Mapping[str, float]] = {"training": 1.0}
    batch_cost = 2_048
    batch_size = 128

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._towers: tuple[Tower, Tower] | None = None
        self._about: dict[str, Any] = {}
        self._test: Dataset | None = None
        self._cut: list[str] = []

    @classmethod
    def availability(cls, params: Params) -> Availability:  # noqa: ARG003
        """Tell whether the packages that carry MiniLM and its word pieces are installed."""
        if missing := minilm.missing_packages():
            return Availability("needs_extra", f"Needs {', '.join(missing)}.")
        return Availability("ready")

    def supply(self, name: str, dataset: Dataset) -> None:
        """Take the labelled texts on which accuracy is measured before and after."""
        if name != "test":
            super().supply(name, dataset)
        if dataset.modality is not Modality.TEXT or dataset.label is None:
            raise ModalityMismatch(
                f"{dataset.name} has no texts with a label column, and nothing can be tested on "
                "it. Choose texts with labels, or none."
            )
        self._test = dataset

    @property
    def is_fitted(self) -> bool:
        """Tell whether there are trained towers."""
        return self._towers is not None

    def fit(self, dataset: Dataset, progress: Progress = quiet) -> Self:
        """Train on the pairs or labels of ``dataset``.

        Raises
        ------
        DatasetError
            If there is nothing to tell apart or to learn from, or training diverges.
        """
        self._check_modality(dataset)
        fitted: Fitted = fit_towers(dataset, self.params, self.seed, self._tested_on(), progress)
        self._towers, self._about = fitted.towers, fitted.about
        return self

    def _identity(self) -> tuple[Any, ...]:
        """Return what the vectors depend on: the bundled CLIP may be another one tomorrow."""
        own = super()._identity()
        return (*own, tiny_clip.WEIGHTS_SHA256) if self.params.images == "clip" else own

    def _tested_on(self) -> Dataset | None:
        """Return the test texts: those handed over, or those of the file that the setting names."""
        if self._test is None and self.params.test:
            self.supply("test", read_dataset(str(self.params.test), kind=Modality.TEXT))
        return self._test

    def state(self) -> State:
        """Return what was learnt; weights that came with the program are not among it."""
        towers = self._both()
        found: State = {"about": pack_json(self._about)}
        for side, tower in zip(_SIDES, dict.fromkeys(towers), strict=False):
            found |= {f"{side}.{name}": array for name, array in tower.arrays().items()}
        return found

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up trained towers."""
        about = unpack_json(state["about"])
        made = []
        for side, plan in zip(_SIDES, about["plans"], strict=False):
            with own_chance(0):  # the weights drawn here are overwritten
                tower = make_tower(TowerPlan(**plan))
            start = f"{side}."
            tower.take_up({k[len(start) :]: a for k, a in state.items() if k.startswith(start)})
            tower.learning(training=False)
            made.append(tower)
        self._towers, self._about = (made[0], made[-1]), about
        return self

    def _both(self) -> tuple[Tower, Tower]:
        if self._towers is None:
            raise NotFittedError(f"{self.title} has not been fitted yet. Call fit(dataset) first.")
        return self._towers

    def _side_for(self, modality: Modality | None, *, prefer: int) -> int | None:
        """Return the side whose tower reads ``modality``, if any does."""
        towers = self._both()
        sides = [side for side in (prefer, 1 - prefer) if towers[side].modality == modality]
        return sides[0] if sides else None

    def _check_reads(self, dataset: Dataset) -> list[int]:
        """Return the side of each item of ``dataset``.

        Raises
        ------
        ModalityMismatch
            If no tower reads its kind.
        """
        n = len(dataset)
        if dataset.sides is None:
            wanted = [(dataset.modality, 1, n)]
        else:
            n_left = dataset.sides.n_left
            left, right = dataset.sides.modalities
            wanted = [(left or Modality.TEXT, 0, n_left), (right or Modality.TEXT, 1, n - n_left)]
        found: list[int] = []
        for modality, prefer, count in wanted:
            side = self._side_for(modality, prefer=prefer)
            if side is None:
                reads = " and ".join(sorted({str(tower.modality) for tower in self._both()}))
                raise ModalityMismatch(
                    f"This model was trained on {reads} data and reads nothing else; "
                    f"{dataset.name} holds {modality} data. Choose another model."
                )
            found += [side] * count
        return found

    def _prepare(self, dataset: Dataset, progress: Progress) -> Sequence[Thing]:
        sides, towers = self._check_reads(dataset), self._both()
        kinds = [towers[side].modality for side in sides]
        references = image_references(dataset, progress) if Modality.IMAGE in kinds else []
        things: list[Thing | None] = [None] * len(dataset)
        self._cut = []
        for side in sorted(set(sides)):
            rows = [i for i, s in enumerate(sides) if s == side]
            is_image = towers[side].modality is Modality.IMAGE
            raw = [references[i] if is_image else dataset.items[i] for i in rows]
            for i, item in zip(rows, towers[side].prepare(raw), strict=True):
                things[i] = Thing(side, item)
            tower = towers[side]
            if isinstance(tower, TextTower):
                self._cut += [dataset.ids[rows[place]] for place in tower.was_cut]
        return [thing for thing in things if thing is not None]

    def _prepare_query(self, query: object) -> Thing:
        modality = Modality.IMAGE if isinstance(query, bytes) else Modality.TEXT
        side = self._side_for(modality, prefer=0)
        if side is None and isinstance(query, str | bytes):
            reads = " and ".join(sorted({str(tower.modality) for tower in self._both()}))
            raise QueryError(
                f"{self.title} takes {reads} as query here: no tower was trained on {modality} "
                "data."
            )
        if side is None:
            raise QueryError(f"{self.title} takes no {type(query).__name__} as query.")
        tower = self._both()[side]
        raw = (
            image_query(query, self.title)
            if modality is Modality.IMAGE
            else text_query(query, self.title)
        )
        return Thing(side, tower.prepare([raw])[0])

    def trace(self, text: str) -> Trace:
        """Return how the tower for texts makes a vector of a query; of two the left one."""
        return self._traced(text, prefer=0)

    def trace_item(self, text: str, side: int | None) -> Trace:
        """Return how an item becomes its vector: of two towers that of its side, else the right."""
        return self._traced(text, prefer=1 if side is None else side)

    def _traced(self, text: str, *, prefer: int) -> Trace:
        towers = self._both()
        side = self._side_for(Modality.TEXT, prefer=prefer)
        tower = None if side is None else towers[side]
        if side is None or not isinstance(tower, TextTower):
            raise QueryError(
                "No tower of this model reads texts, so there are no tokens. Choose a run on texts."
            )
        trace = tower.trace(text)
        if towers[0] is towers[1] or {t.modality for t in towers} != {Modality.TEXT}:
            return trace
        which = (
            "left one, which reads queries too",
            "right one, which reads other data's texts too",
        )
        told = f"Of this model's two towers for texts, this is the {which[side]}. {trace.rule}"
        return dataclasses.replace(trace, rule=told)

    def _dedup_key(self, item: Thing) -> object | None:
        key = getattr(item.item, "digest", item.item)
        tower = self._both()[item.side]
        return (0 if tower is self._both()[0] else 1, key) if key != "" else None

    def _length(self, item: Thing) -> int:
        return self._both()[item.side].cost(item.item)

    def _kind_of(self, dataset: Dataset) -> Any:
        if dataset.sides is not None:
            return super()._kind_of(dataset)
        return "image" if dataset.modality is Modality.IMAGE else "document"

    def _embed_batch(self, items: Sequence[Thing]) -> FloatMatrix:
        import torch

        towers = self._both()
        block = np.empty((len(items), towers[0].dim), np.float32)
        with torch.inference_mode():
            for tower in dict.fromkeys(towers):
                rows = [i for i, thing in enumerate(items) if towers[thing.side] is tower]
                if rows:
                    block[rows] = tower.encode([items[i].item for i in rows]).numpy()
        return block

    def _provenance(self, dataset: Dataset, matrix: FloatMatrix) -> dict[str, Any]:  # noqa: ARG002
        about = {k: v for k, v in self._about.items() if k not in {"plans", "trained_on"}}
        trained_on = self._about["trained_on"]
        if dataset.fingerprint != trained_on["fingerprint"]:
            about["notes"] = [f"Trained on {trained_on['name']}.", *about["notes"]]
        about["reads"] = sorted({str(tower.modality) for tower in self._both()})
        if Modality.TEXT in about["reads"]:
            first = ", ".join(f'"{id}"' for id in self._cut[:CUT_NAMED])
            more = " …" if len(self._cut) > CUT_NAMED else ""
            cut = f"{len(self._cut):,} were longer and were cut: {first}{more}"
            cut = cut if self._cut else "none was longer"
            most = self.params.max_length
            self.notes_on_data = (f"At most {most} tokens per text: {cut}.",)
            about["notes"] = [*about["notes"], *self.notes_on_data]
            about |= {"n_truncated": len(self._cut), "truncated": self._cut[:LISTED]}
        return about
