"""16-bit arithmetic inside a model: where it is offered, and how far its vectors are from exact.

A method that offers it declares ``precision: str = arithmetic.setting()``, loads its model exactly,
and calls ``measured`` while it is fitted: a few items are embedded both ways and compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatMatrix
from core.errors import EmbedderUnavailable
from core.params import choice
from core.progress import Progress
from embedders import precision
from embedders.base import ItemEmbedder
from ingest.dataset import Dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

FLOAT32, BFLOAT16 = "float32", "bfloat16"
COMPARED_ON = 32
_NO_MEMORY = ("allocate memory", "not enough memory", "out of memory")
"""What torch says in a RuntimeError where Python has a MemoryError."""
_OFFERED = (FLOAT32, BFLOAT16) if precision.has_bfloat16() else (FLOAT32,)


def setting() -> Any:
    """Declare the setting ``precision``: 32 bits, and 16 where the processor has them."""
    return choice(
        FLOAT32,
        _OFFERED,
        labels=("32 bits", "16 bits (bfloat16)")[: len(_OFFERED)],
        help="Arithmetic in the model; 16 bits are offered where the processor has them.",
        advanced=True,
    )


def measured(
    embedder: ItemEmbedder, dataset: Dataset, use_16_bits: Callable[[], None], progress: Progress
) -> NDArray[np.float64]:
    """Embed up to 32 items with 32 bits, then with 16, and compare; 16 bits stay in use.

    Parameters
    ----------
    embedder : ItemEmbedder
        With its exact model loaded.
    dataset : Dataset
    use_16_bits : callable
        Puts the 16-bit model into its place.
    progress : Progress

    Returns
    -------
    (3,) float64
        Mean and lowest cosine between the two vectors of an item, and how many items.

    Raises
    ------
    EmbedderUnavailable
        If a part of the model does not calculate with 16 bits.
    MemoryError
        If there is not enough memory; other bits would not help.
    """
    sample = spread(dataset, COMPARED_ON)
    exact = sample_vectors(embedder, sample, progress, "32 bits of a sample")
    try:
        use_16_bits()
        rounded = sample_vectors(embedder, sample, progress, "16 bits of a sample")
    except (RuntimeError, NotImplementedError, TypeError) as error:
        if any(words in str(error) for words in _NO_MEMORY):
            raise MemoryError(str(error)) from error
        raise EmbedderUnavailable(
            f"This model does not calculate with 16 bits ({str(error).splitlines()[0][:120]}). "
            "Choose 32 bits as precision."
        ) from error
    return np.array([*precision.cosines(exact, rounded), len(sample)])


def told(compared: NDArray[np.float64]) -> str:
    """Return what ``measured`` found as a sentence for the notes of a run."""
    mean, lowest, n = compared
    return (
        f"16-bit arithmetic: cosine to 32 bits {mean:.5f} on average and {lowest:.5f} at the "
        f"lowest, on {int(n)} items."
    )


def as_ever(identity: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return an identity without a ``precision`` of 32 bits.

    Runs of a method that offers 16 bits since a later version keep theirs.
    """
    id, version, params, *others = identity
    kept: Mapping[str, Any] = {k: v for k, v in params.items() if (k, v) != ("precision", FLOAT32)}
    return id, version, kept, *others


def spread(dataset: Dataset, most: int) -> Dataset:
    """Return up to ``most`` items, evenly spaced."""
    rows = np.unique(np.linspace(0, len(dataset) - 1, min(most, len(dataset))).astype(np.int64))
    return dataset.subset(rows)


def sample_vectors(
    embedder: ItemEmbedder, sample: Dataset, progress: Progress, what: str
) -> FloatMatrix:
    """Return the ``(n, d)`` vectors of ``sample`` as the model makes them, with all their bits."""

    def reported(done: int, total: int, stage: str = "", note: str = "") -> None:
        progress(done, total, f"{what}, {stage}", note)

    items = embedder._prepare(sample, reported)
    # The base's own: a method may round its vectors after it.
    return ItemEmbedder._embed_all(embedder, items, reported)[0]
