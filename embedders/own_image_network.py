"""A CNN or ViT trained on the user's own labelled images; its last layer but one is the vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatMatrix
from core.errors import DatasetError, ParameterError, TooLarge, UnreadableSource, UnsafeSource
from core.params import Params, choice, flag, integer, real, text
from core.progress import Progress, quiet
from embedders import image_training
from embedders.base import MAX_MATRIX_BYTES
from embedders.image_classes import LabelledImages, class_counts, labelled_images
from embedders.image_items import ImageItemEmbedder, ImageReference, image_references
from embedders.image_networks import Blueprint, Scaling, build, features, load_weights, threads
from embedders.image_training import Learnt, Plan
from embedders.packing import State, pack_json, unpack_json
from ingest.dataset import Dataset

IMAGES_PER_REPORT = 50
_WEIGHT = "weight."
_RATES = {"cnn": 0.05, "vit": 1e-3}


@dataclass(frozen=True, kw_only=True)
class OwnImageNetworkParams(Params):
    """Settings of a network trained on the user's images."""

    architecture: str = choice(
        "cnn",
        ("cnn", "vit"),
        labels=("CNN", "ViT"),
        help="A CNN learns from hundreds of images; a vision transformer needs many thousands.",
    )
    label: str = text(
        "",
        automatic="the label of the images",
        help="The column whose values are learnt; empty for the label of the images.",
    )
    side: str = choice(
        "32",
        ("28", "32", "48", "64"),
        help="Every image is resized to a square of so many pixels; time grows with its area.",
    )
    size: str = choice(
        "small",
        ("small", "medium", "large"),
        help="How wide the network is: vectors of 128, 192 or 256 numbers (ViT: 96, 128, 192).",
    )
    epochs: int = integer(
        40, low=1, high=500, help="How often all learnt images are shown; more learn finer detail."
    )
    mirror: str = choice(
        "automatic",
        ("automatic", "yes", "no"),
        labels=("if in colour", "yes", "no"),
        help="Show images mirrored too; right for photos, wrong for digits and letters.",
    )
    held_out: float = real(
        0.2,
        low=0.0,
        high=0.5,
        step=0.05,
        help="Share of each class that is never learnt: how well it is named tells what to expect.",
    )
    shift: bool = flag(
        True,
        help="Show images shifted by up to an eighth of their side, at random.",
        advanced=True,
    )
    mixup: float = real(
        0.0,
        low=0.0,
        high=1.0,
        step=0.1,
        help="Above 0, two images are mixed for each step (Beta distribution of this value).",
        advanced=True,
    )
    patience: int = integer(
        10,
        low=0,
        high=100,
        help="End after so many epochs without a better held-out accuracy; 0 never ends early.",
        advanced=True,
    )
    batch: int = integer(
        32, low=4, high=256, step=4, help="How many images make one step.", advanced=True
    )
    learning_rate: float = real(
        0.0,
        low=0.0,
        high=1.0,
        step=0.001,
        automatic="0.05 for a CNN, 0.001 for a ViT",
        help="The largest step of training; 0 takes 0.05 for a CNN and 0.001 for a ViT.",
        advanced=True,
    )
    threads: int = integer(
        1,
        low=1,
        high=64,
        help="Processor cores to use; another number gives slightly other weights.",
        advanced=True,
    )


class OwnImageNetwork(ImageItemEmbedder):
    """Vectors of a small network that was taught the classes of the user's own images.

    Notes
    -----
    Copies of a file are learnt once and never lie on both sides of the split. Items without a
    label are embedded, not learnt. The epoch with the best accuracy on the held-out images is
    kept, so that accuracy flatters a little; how the nearest learnt images name the held-out ones
    is stated beside it.

    With one thread the same images, settings and seed give the same bytes.

    References
    ----------
    He et al. 2016, "Deep Residual Learning for Image Recognition", section 4.2 (CNN).
    Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words" (ViT).
    """

    id = "own_image_network"
    title = "Your own CNN or ViT"
    summary = (
        "Trains a small network on your labelled images; it sees what tells the classes apart."
    )
    source = "He et al. 2016, Deep Residual Learning; Dosovitskiy et al. 2021, ViT"
    params_class = OwnImageNetworkParams
    stochastic = True
    fit_stages: ClassVar[Mapping[str, float]] = {
        "looking for copies": 0.01,
        "reading images": 0.02,
        "training": 0.95,
        "measuring": 0.02,
    }

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._network: Any = None
        self._learnt: Learnt | None = None
        self._about: dict[str, Any] = {}

    @property
    def is_fitted(self) -> bool:
        """Tell whether there is a trained network."""
        return self._network is not None

    def estimate(self, dataset: Dataset) -> str:
        """Return which classes would be learnt."""
        p: OwnImageNetworkParams = self.params
        name, counts, n_unlabelled = class_counts(dataset, p.label.strip())
        n, without = sum(counts.values()), f"; {n_unlabelled:,} have no label" * bool(n_unlabelled)
        return f"Learns {len(counts):,} classes of {name!r} from {n:,} images{without}."

    def refusal(self, dataset: Dataset) -> str:
        """Return why nothing can be learnt: no label, one class, or as many as images."""
        try:
            class_counts(dataset, self.params.label.strip())
        except (DatasetError, ParameterError) as error:
            return str(error)
        return ""

    def _blueprint(self, channels: int, n_classes: int) -> Blueprint:
        p: OwnImageNetworkParams = self.params
        return Blueprint(p.architecture, p.size, int(p.side), channels, n_classes)

    def _dim(self) -> int:
        return self._blueprint(3, 2).dim

    def fit(self, dataset: Dataset, progress: Progress = quiet) -> Self:
        """Train on the labelled images of ``dataset``, all but those that are held out.

        Raises
        ------
        DatasetError
            If there is no label, or only one class.
        ParameterError
            If the named column is not there, or the learning rate is too high.
        UnreadableSource
            Naming an image that cannot be read.
        TooLarge
        """
        self._check_modality(dataset)
        p: OwnImageNetworkParams = self.params
        classes = labelled_images(
            dataset,
            image_references(dataset, progress, "looking for copies"),
            column=p.label.strip(),
            held_out=p.held_out,
            seed=self.seed,
        )
        pixels = self._pixels(classes.images, progress)
        in_colour = _in_colour(pixels)
        if not in_colour:
            pixels = np.ascontiguousarray(pixels[..., :1])
        blueprint = self._blueprint(pixels.shape[-1], len(classes.names))
        plan = self._plan(in_colour)
        with threads(p.threads):
            learnt = image_training.train(
                blueprint,
                pixels,
                classes.target,
                classes.held_out,
                plan,
                progress,
                classes.chance,
            )
        self._about = {
            "channels": blueprint.channels,
            "classes": list(classes.names),
            "provenance": _provenance_of(classes, learnt, plan, p),
        }
        self._take_up(learnt.weights, learnt.scaling)
        return self

    def _plan(self, in_colour: bool) -> Plan:
        p: OwnImageNetworkParams = self.params
        return Plan(
            epochs=p.epochs,
            batch=p.batch,
            rate=p.learning_rate or _RATES[p.architecture],
            mirror=in_colour if p.mirror == "automatic" else p.mirror == "yes",
            shift=p.shift,
            mixup=p.mixup,
            patience=p.patience,
            seed=self.seed,
        )

    def _take_up(self, weights: Mapping[str, AnyArray], scaling: Scaling) -> None:
        blueprint = self._blueprint(self._about["channels"], len(self._about["classes"]))
        network = build(blueprint, self.seed)
        load_weights(network, weights)
        self._network, self._scaling, self._weights = network, scaling, dict(weights)

    def _pixels(
        self, images: Sequence[ImageReference], progress: Progress = quiet
    ) -> NDArray[np.uint8]:
        """Return the images as ``(n, side, side, 3) uint8``."""
        side, n = int(self.params.side), len(images)
        size = n * side * side * 3
        if size > MAX_MATRIX_BYTES:
            raise TooLarge(
                f"{self.title} would keep {n:,} images of {side} x {side} pixels at hand, "
                f"{size / 1024**3:.1f} GiB; {MAX_MATRIX_BYTES / 1024**3:g} GiB are allowed. "
                "Choose a smaller side or fewer labelled images."
            )
        pixels = np.empty((n, side, side, 3), np.uint8)
        progress(0, n, "reading images")
        for row, image in enumerate(images):
            pixels[row] = _decoded(image, side, "RGB")
            if (row + 1) % IMAGES_PER_REPORT == 0 or row + 1 == n:
                progress(row + 1, n, "reading images")
        return pixels

    def _embed_batch(self, items: Sequence[ImageReference]) -> FloatMatrix:
        side = int(self.params.side)
        mode: Literal["RGB", "L"] = "RGB" if self._about["channels"] == 3 else "L"
        block = np.stack([_decoded(one, side, mode).reshape(side, side, -1) for one in items])
        with threads(self.params.threads):
            return features(self._network, block, self._scaling)

    def _provenance(self, dataset: Dataset, matrix: FloatMatrix) -> dict[str, Any]:  # noqa: ARG002
        provenance: dict[str, Any] = self._about["provenance"]
        return provenance

    def state(self) -> State:
        """Return the weights, by name, and what is needed to read images as in training."""
        self._check_fitted()
        return {
            **{_WEIGHT + name: array for name, array in self._weights.items()},
            "mean": self._scaling.mean,
            "std": self._scaling.std,
            "about": pack_json(self._about),
        }

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up stored weights."""
        self._about = unpack_json(state["about"])
        weights = {n.removeprefix(_WEIGHT): a for n, a in state.items() if n.startswith(_WEIGHT)}
        mean, std = (np.asarray(state[name], np.float32) for name in ("mean", "std"))
        self._take_up(weights, Scaling(mean, std))
        return self


def _decoded(image: ImageReference, side: int, mode: Literal["RGB", "L"]) -> NDArray[np.uint8]:
    from ingest.images import decode

    try:
        return decode(image.data, mode=mode, size=(side, side))
    except (UnreadableSource, UnsafeSource) as error:
        raise image.unreadable(error) from error


def _in_colour(pixels: NDArray[np.uint8]) -> bool:
    """Tell whether any pixel has a colour; compared in parts, since it makes copies."""
    parts = (pixels[start : start + 1_000] for start in range(0, len(pixels), 1_000))
    return any((part[..., :1] != part[..., 1:]).any() for part in parts)


def _provenance_of(
    classes: LabelledImages, learnt: Learnt, plan: Plan, p: OwnImageNetworkParams
) -> dict[str, Any]:
    """Return what a result says about the training, with one sentence per fact."""
    n_asked = int(classes.held_out.sum())
    n_learnt = len(classes.target) - n_asked
    what = "CNN" if p.architecture == "cnn" else "ViT"
    ways = [w for w, on in (("mirrored", plan.mirror), ("shifted", plan.shift)) if on]
    shown = f"; images were also shown {' and '.join(ways)}" if ways else ""
    n_epochs = len(learnt.losses)
    ended = f"; it ended after epoch {n_epochs}" if n_epochs < plan.epochs else ""
    notes = [
        f"A {what} of {learnt.n_weights:,} weights learnt {len(classes.names):,} classes of "
        f"{classes.column!r} from {n_learnt:,} images of {p.side} x {p.side} pixels (sides were "
        f"stretched to fit){shown}."
    ]
    found: dict[str, Any] = {"losses": list(learnt.losses), "label": classes.column}
    if learnt.accuracies:
        accuracy, chance = learnt.accuracies[learnt.kept - 1], classes.chance
        found["held_out"] = {
            "name": "accuracy",
            "values": list(learnt.accuracies),
            "chance": chance,
            "kept": learnt.kept,
            "n": n_asked,
            "knn_accuracy": learnt.knn_accuracy,
        }
        notes += [
            f"Accuracy on {n_asked:,} held-out images: {accuracy:.2f} (largest class "
            f"{chance:.2f}). They were not learnt, but chose which of {plan.epochs:,} epochs was "
            f"kept: epoch {learnt.kept}{ended}.",
            f"The {image_training.NEIGHBOURS} nearest learnt images name the class of "
            f"{learnt.knn_accuracy:.2f} of the held-out images.",
        ]
    else:
        notes.append("No image was held out, so how well new images are told apart is unknown.")
    notes += _oddities(classes)
    notes.append("On the map, learnt images lie more neatly by class than new ones will.")
    if p.threads > 1:
        notes.append(f"Trained with {p.threads} threads; another number gives other last digits.")
    return {**found, "notes": notes}


def _oddities(classes: LabelledImages) -> list[str]:
    notes = []
    if n := classes.n_unlabelled:
        what = "1 image has" if n == 1 else f"{n:,} images have"
        notes.append(f"{what} no label: embedded, but not learnt.")
    if n := classes.n_copies:
        what = "1 image is a copy" if n == 1 else f"{n:,} images are copies"
        notes.append(f"{what} of another; copies were learnt once and never also held out.")
    if n := classes.n_disputed:
        what = "1 image has copies" if n == 1 else f"{n:,} images have copies"
        notes.append(f"{what} of different classes; the most frequent class was taken.")
    counts = np.bincount(classes.target)
    if n := int((counts == 1).sum()):
        what = "1 class has" if n == 1 else f"{n:,} classes have"
        notes.append(f"{what} a single image, which was learnt and could not be held out.")
    return notes
