"""A tower: a body that turns items into numbers, and a linear head into the space of both towers.

The body may be trained or left alone. What is left alone is computed once per item, not once per
epoch: then only the head is trained, on numbers that are ready.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray
from core.errors import UnreadableSource
from core.modality import Modality
from core.progress import Progress

HEAD_RATE = 1e-3
"""Learning rate of new layers."""


class Tower(ABC):
    """One tower; authors write how items are prepared and what the body makes of them.

    Attributes
    ----------
    width : int
        Numbers that come out of the body.
    dim : int
        Numbers of a vector.
    body : torch.nn.Module or None
        None where there is nothing to learn in it.
    head : torch.nn.Linear
    is_body_trained : bool
    body_rate : float
        Learning rate that suits the body.
    """

    modality: ClassVar[Modality]
    chunk_cost: ClassVar[int] = 2_048
    """Bound on items in a chunk times the most costly of them: progress within seconds."""

    def __init__(self, width: int, dim: int, *, body: Any, is_body_trained: bool) -> None:
        self.width, self.dim = width, dim or width
        self.body = body
        self.is_body_trained = is_body_trained
        self.body_rate = HEAD_RATE
        self.head = _linear(self.width, self.dim)

    @abstractmethod
    def prepare(self, items: Sequence[Any]) -> list[Any]:
        """Return raw items (texts, references of images) in the form that ``run`` takes."""

    @abstractmethod
    def run(self, items: Sequence[Any]) -> Any:
        """Return the ``(n, width)`` tensor that the body makes of prepared items."""

    def cost(self, item: Any) -> int:  # noqa: ARG002
        """Return the cost of a prepared item, as ``chunk_cost`` counts it."""
        return 128

    def encode(self, items: Sequence[Any]) -> Any:
        """Return the ``(n, dim)`` tensor of vectors of length 1 of prepared items."""
        return self.project(self.run(items))

    def project(self, numbers: Any) -> Any:
        """Return the vectors of length 1 of what the body made, ``(n, width)``."""
        import torch

        return torch.nn.functional.normalize(self.head(numbers), dim=1)

    def modules(self) -> list[Any]:
        """Return the parts that are trained."""
        return [self.body, self.head] if self.is_body_trained else [self.head]

    def learning(self, *, training: bool) -> None:
        """Switch dropout and augmentation of the trained parts on or off."""
        for module in self.modules():
            module.train(training)

    def groups(self, rate: float) -> list[dict[str, Any]]:
        """Return the trained parameters in groups, each with its learning rate (0: fitting)."""
        groups = [{"params": list(self.head.parameters()), "lr": rate or HEAD_RATE}]
        if self.is_body_trained:
            own = [p for p in self.body.parameters() if p.requires_grad]
            groups.append({"params": own, "lr": rate or self.body_rate})
        return groups

    def tensors(self) -> dict[str, Any]:
        """Return by name the tensors that are not as they were delivered."""
        found = {f"head.{name}": t for name, t in self.head.state_dict().items()}
        if self.body is not None:
            kept = self._delivered()
            state = self.body.state_dict()
            found |= {f"body.{name}": t for name, t in state.items() if name not in kept}
        return found

    def _delivered(self) -> set[str]:
        """Return the names of the body's tensors that need not be stored."""
        return set()

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of ``tensors``."""
        return {name: tensor.detach().clone() for name, tensor in self.tensors().items()}

    def take_up(self, tensors: Mapping[str, Any]) -> None:
        """Set the tensors that ``snapshot`` or ``arrays`` returned.

        Raises
        ------
        UnreadableSource
            If they are not those of such a tower.
        """
        import torch

        mine = self.tensors()
        if set(mine) != set(tensors):
            raise UnreadableSource(
                "The stored model lacks a part, or has one too many. Train it again."
            )
        with torch.no_grad():
            for name, tensor in mine.items():
                given = torch.as_tensor(_own(tensors[name]))
                if given.shape != tensor.shape:
                    raise UnreadableSource(
                        f"The stored model does not fit its settings (part {name}). Train it again."
                    )
                tensor.copy_(given)

    def arrays(self) -> dict[str, AnyArray]:
        """Return ``tensors`` as arrays."""
        return {name: tensor.numpy() for name, tensor in self.snapshot().items()}

    def chunks(self, items: Sequence[Any]) -> Iterator[NDArray[np.int64]]:
        """Yield positions of prepared items of nearly equal cost, the most costly first."""
        costs = np.fromiter((self.cost(item) for item in items), np.int64, len(items))
        order = np.argsort(-costs, kind="stable")
        start = 0
        while start < len(order):
            size = max(1, self.chunk_cost // max(1, int(costs[order[start]])))
            yield order[start : start + size]
            start += size

    def run_all(self, items: Sequence[Any], progress: Progress, stage: str) -> Any:
        """Return the ``(n, width)`` tensor of what the body makes of many items, unlearnt."""
        import torch

        found = torch.empty(len(items), self.width)
        done = 0
        progress(0, len(items), stage)
        with torch.no_grad():
            for rows in self.chunks(items):
                found[torch.from_numpy(rows)] = self.run([items[int(r)] for r in rows])
                done += len(rows)
                progress(done, len(items), stage)
        return found


def _own(values: Any) -> Any:
    """Return a stored array as one that may be written to, which torch asks for."""
    return np.array(values) if isinstance(values, np.ndarray) else values


def _linear(width: int, dim: int) -> Any:
    """Return a linear layer that starts as the identity, or as a rotation onto fewer numbers.

    So that a pretrained space is what training begins with.
    """
    import torch

    layer = torch.nn.Linear(width, dim, bias=False)
    if width == dim:
        torch.nn.init.eye_(layer.weight)
    else:
        torch.nn.init.orthogonal_(layer.weight)
    return layer
