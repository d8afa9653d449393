"""Training a small network on labelled images, and what held-out ones say after each epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray
from core.errors import ParameterError
from core.progress import Progress, tell_epoch
from embedders.image_networks import (
    Blueprint,
    Scaling,
    as_batch,
    build,
    features,
    load_weights,
    weights_of,
)

SHIFT = 8
"""An image is shifted by up to an eighth of its side."""
SMOOTHING = 0.1
BATCH_TO_MEASURE = 64
NEIGHBOURS = 5


@dataclass(frozen=True)
class Plan:
    """How to train.

    Attributes
    ----------
    epochs : int
    batch : int
    rate : float
        The highest learning rate, reached after a quarter of the steps.
    mirror, shift : bool
        Whether images are shown mirrored at random, and shifted at random.
    mixup : float
        The parameter of the Beta distribution by which two images are mixed; 0 mixes none.
    patience : int
        End after this many epochs without a better held-out accuracy; 0 never ends early.
    seed : int
    """

    epochs: int
    batch: int
    rate: float
    mirror: bool
    shift: bool
    mixup: float
    patience: int
    seed: int


@dataclass(frozen=True, eq=False)
class Learnt:
    """What training leaves behind.

    Attributes
    ----------
    weights : mapping of str to array
        Of the epoch that was kept.
    scaling : Scaling
    losses, accuracies : tuple of float
        Per epoch; no accuracies where nothing was held out.
    kept : int
        Number of the epoch (from 1) whose weights these are.
    knn_accuracy : float or None
        Share of held-out images whose nearest learnt images name the right class.
    n_weights : int
    """

    weights: Mapping[str, AnyArray]
    scaling: Scaling
    losses: tuple[float, ...]
    accuracies: tuple[float, ...]
    kept: int
    knn_accuracy: float | None
    n_weights: int


def train(
    blueprint: Blueprint,
    pixels: NDArray[np.uint8],
    target: NDArray[np.int64],
    held_out: NDArray[np.bool_],
    plan: Plan,
    progress: Progress,
    chance: float | None = None,
) -> Learnt:
    """Fit a new network to the images that are not held out.

    Parameters
    ----------
    blueprint : Blueprint
    pixels : (n, side, side, channels) uint8
    target : (n,) int64
        Classes.
    held_out : (n,) bool
        Measured after each epoch and never learnt, not even their brightness.
    plan : Plan
    progress : Progress
        Called after every batch.
    chance : float, optional
        The accuracy of guessing, which is told beside that of each epoch.

    Raises
    ------
    ParameterError
        If the loss stops being a number.

    Notes
    -----
    Cross-entropy with labels smoothed by 0.1; the learning rate rises for a quarter of the steps
    and falls along a cosine (Smith & Topin 2018). The CNN is trained by stochastic gradient
    descent with Nesterov's momentum, the ViT by AdamW. Everything random comes from ``plan.seed``
    through numpy: with one thread, equal inputs give equal bytes.
    """
    import torch

    learnt_rows, asked = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    scaling = Scaling.of(pixels[learnt_rows])
    network = build(blueprint, plan.seed)
    rng = np.random.default_rng([plan.seed, 0xC77])
    n_batches = -(-len(learnt_rows) // plan.batch)
    optimiser, schedule = _optimiser(network, blueprint, plan, n_batches * plan.epochs)
    losses: list[float] = []
    accuracies: list[float] = []
    kept, best = plan.epochs, weights_of(network)
    total = plan.epochs * len(learnt_rows)
    progress(0, total, "training")
    for epoch in range(1, plan.epochs + 1):
        network.train()
        loss_sum, seen = 0.0, 0
        for rows in np.array_split(rng.permutation(learnt_rows), n_batches):
            batch = as_batch(augmented(pixels[rows], plan, rng), scaling)
            loss = _loss(network, batch, torch.from_numpy(target[rows]), plan, rng)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            loss_sum, seen = loss_sum + float(loss.detach()) * len(rows), seen + len(rows)
            done = min((epoch - 1) * len(learnt_rows) + seen, total - 1)  # the end is told below
            note = f"epoch {epoch} of {plan.epochs}, loss {loss_sum / seen:.3f}"
            progress(done, total, "training", note)
        losses.append(loss_sum / seen)
        if not math.isfinite(losses[-1]):
            raise ParameterError(
                f"Training got lost in epoch {epoch} (the loss is no number any more). "
                f"Lower the learning rate, which was {plan.rate:g}."
            )
        if not len(asked):
            tell_epoch(progress, "training", plan.epochs, losses)
            continue
        accuracies.append(_accuracy(network, pixels, target, asked, scaling))
        if accuracies[-1] > max(accuracies[:-1], default=-1.0):
            kept, best = epoch, weights_of(network)
        tell_epoch(progress, "training", plan.epochs, losses, _stand(accuracies, kept, chance))
        if plan.patience and epoch - kept >= plan.patience:
            break
    if len(asked):
        load_weights(network, best)
    else:
        best = weights_of(network)
        network.eval()
    note = f"held-out accuracy {accuracies[kept - 1]:.3f}" if accuracies else ""
    progress(total, total, "training", note)
    return Learnt(
        best,
        scaling,
        tuple(losses),
        tuple(accuracies),
        kept,
        _knn_accuracy(network, pixels, target, held_out, scaling, progress),
        sum(p.numel() for p in network.parameters()),
    )


def _stand(accuracies: list[float], kept: int, chance: float | None) -> dict[str, Any]:
    return {"name": "accuracy", "values": list(accuracies), "kept": kept, "chance": chance}


def augmented(pixels: NDArray[np.uint8], plan: Plan, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return each image shifted (what comes in is the border mirrored) and mirrored at random."""
    n, side = len(pixels), pixels.shape[1]
    by = side // SHIFT if plan.shift else 0
    rows, columns = rng.integers(0, 2 * by + 1, (2, n, 1)) + np.arange(side)
    if plan.mirror:
        turned = rng.random(n) < 0.5
        columns[turned] = columns[turned, ::-1]
    wide = np.pad(pixels, ((0, 0), (by, by), (by, by), (0, 0)), mode="reflect")
    cut: NDArray[np.uint8] = wide[np.arange(n)[:, None, None], rows[..., None], columns[:, None]]
    return cut


def _loss(network: Any, batch: Any, target: Any, plan: Plan, rng: np.random.Generator) -> Any:
    """Return the cross-entropy of a batch, of pairs of images mixed (Zhang et al. 2018)."""
    import torch
    from torch.nn.functional import cross_entropy

    if not plan.mixup:
        return cross_entropy(
            network["head"](network["body"](batch)), target, label_smoothing=SMOOTHING
        )
    share = float(rng.beta(plan.mixup, plan.mixup))
    other = torch.from_numpy(rng.permutation(len(target)))
    said = network["head"](network["body"](share * batch + (1 - share) * batch[other]))
    return share * cross_entropy(said, target, label_smoothing=SMOOTHING) + (
        1 - share
    ) * cross_entropy(said, target[other], label_smoothing=SMOOTHING)


def _optimiser(network: Any, blueprint: Blueprint, plan: Plan, n_steps: int) -> tuple[Any, Any]:
    import torch

    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]  # biases and norms are not shrunk
    is_cnn = blueprint.architecture == "cnn"
    groups = [
        {"params": decayed, "weight_decay": 5e-4 if is_cnn else 0.05},
        {"params": others, "weight_decay": 0.0},
    ]
    optimiser: Any = (
        torch.optim.SGD(groups, lr=plan.rate, momentum=0.9, nesterov=True)
        if is_cnn
        else torch.optim.AdamW(groups, lr=plan.rate)
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _share(step, n_steps))
    return optimiser, schedule


def _share(step: int, n_steps: int) -> float:
    """Return the share of the highest learning rate: up for a quarter of the steps, then down."""
    rise = max(1, n_steps // 4)
    if step < rise:
        return (step + 1) / rise
    return 0.5 + 0.5 * math.cos(math.pi * (step - rise) / max(1, n_steps - rise))


def _vectors(
    network: Any, pixels: NDArray[np.uint8], rows: NDArray[np.int64], scaling: Scaling
) -> NDArray[np.float32]:
    parts = [
        features(network, pixels[rows[start : start + BATCH_TO_MEASURE]], scaling)
        for start in range(0, len(rows), BATCH_TO_MEASURE)
    ]
    return np.concatenate(parts)


def _accuracy(
    network: Any,
    pixels: NDArray[np.uint8],
    target: NDArray[np.int64],
    rows: NDArray[np.int64],
    scaling: Scaling,
) -> float:
    """Return the share of ``rows`` whose class the network names."""
    import torch

    network.eval()
    with torch.inference_mode():
        said = network["head"](torch.from_numpy(_vectors(network, pixels, rows, scaling)))
    return float((said.argmax(1).numpy() == target[rows]).mean())


def _knn_accuracy(
    network: Any,
    pixels: NDArray[np.uint8],
    target: NDArray[np.int64],
    held_out: NDArray[np.bool_],
    scaling: Scaling,
    progress: Progress,
) -> float | None:
    """Return the share of held-out images whose nearest learnt ones, by cosine, agree with them."""
    if not held_out.any():
        return None
    from sklearn.neighbors import KNeighborsClassifier

    rows = np.concatenate([np.flatnonzero(~held_out), np.flatnonzero(held_out)])
    n_learnt = int((~held_out).sum())
    step = 16 * BATCH_TO_MEASURE
    parts = []
    for start in range(0, len(rows), step):
        progress(start, len(rows), "measuring")
        parts.append(_vectors(network, pixels, rows[start : start + step], scaling))
    vectors = np.concatenate(parts)
    judge = KNeighborsClassifier(min(NEIGHBOURS, n_learnt), metric="cosine", algorithm="brute")
    judge.fit(vectors[:n_learnt], target[rows[:n_learnt]])
    right = judge.predict(vectors[n_learnt:]) == target[rows[n_learnt:]]
    progress(len(rows), len(rows), "measuring")
    return float(right.mean())
