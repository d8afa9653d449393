"""How a tower is made: from a plan of plain values, so that a stored model can be made again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.errors import EmbedderUnavailable
from embedders import minilm, tiny_clip
from embedders.image_tower import ClipTower, DescriptorTower, NetworkTower
from embedders.text_tower import from_minilm, from_scratch
from embedders.tower import Tower

Start = Literal["minilm", "scratch", "descriptors", "clip", "network"]


@dataclass(frozen=True)
class TowerPlan:
    """What a tower is made of; all of it plain values.

    Attributes
    ----------
    start : {"minilm", "scratch", "descriptors", "clip", "network"}
    dim : int
        Numbers of a vector; 0 for as many as the text model has.
    max_length : int
        Tokens of a text.
    last_layers : int
        Trained layers of MiniLM, from the last on.
    layers, width : int
        Of a text model from scratch.
    vocabulary : tuple of int
        Word pieces of a text model from scratch.
    weights : str
        SHA-256 of the bundled CLIP under a learnt head.
    """

    start: Start
    dim: int
    max_length: int = 64
    last_layers: int = 0
    layers: int = 0
    width: int = 0
    vocabulary: tuple[int, ...] = ()
    weights: str = ""

    def words(self) -> str:
        """Return what the tower starts as, in words."""
        if self.start == "minilm":
            trained = {
                0: "left as it is, under a trained projection",
                minilm.N_LAYERS: "all six layers trained (its word vectors stay)",
            }
            last = f"its last {self.last_layers} of six layers trained"
            return f"the packaged MiniLM, {trained.get(self.last_layers, last)}"
        if self.start == "scratch":
            what = (
                f"a transformer of {self.layers} layers" if self.layers else "a mean of word pieces"
            )
            return f"{what} from scratch, {self.width} wide"
        if self.start == "descriptors":
            return "HOG and a colour histogram under a trained projection"
        if self.start == "clip":
            return "the bundled CLIP, left as it is, under a trained projection"
        return "a convolutional network from scratch"


def make_tower(plan: TowerPlan) -> Tower:
    """Return an untrained tower; its new weights are drawn from torch's dice.

    Raises
    ------
    EmbedderUnavailable
        If the plan is of another bundled CLIP.
    """
    if plan.start == "minilm":
        return from_minilm(last_layers=plan.last_layers, dim=plan.dim, max_length=plan.max_length)
    if plan.start == "scratch":
        return from_scratch(
            plan.vocabulary,
            layers=plan.layers,
            width=plan.width,
            dim=plan.dim,
            max_length=plan.max_length,
        )
    if plan.start == "clip":
        if plan.weights != tiny_clip.WEIGHTS_SHA256:
            raise EmbedderUnavailable(
                "The towers were trained on another version of the bundled CLIP than this "
                "program's. Train them again."
            )
        return ClipTower(dim=plan.dim)
    return (
        DescriptorTower(dim=plan.dim) if plan.start == "descriptors" else NetworkTower(dim=plan.dim)
    )
