"""What the ``bert`` method asks of a pretrained text model, whichever library loaded it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from core.errors import ParameterError

Pooling = Literal["mean", "cls", "max", "last"]
UNLIMITED = 512
"""Tokens read of a text by a model that names no limit: attention costs their square."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """One text as a model reads it.

    Attributes
    ----------
    ids : tuple of int
        Numbers of its tokens, those the tokenizer adds included.
    n_prompt : int
        How many of the first ones are a prompt that the model leaves out of its pooling.
    """

    ids: tuple[int, ...]
    n_prompt: int = 0

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.ids)


class TextModel(ABC):
    """A network with its tokenizer, ready for inference.

    Attributes
    ----------
    name : str
    n_layers : int
        Transformer layers; 0 where there are none to choose from.
    layer : int
        After which of them the vectors are taken.
    length : int or None
        Tokens it reads of a text unless told otherwise; None where it reads whole texts.
    most : int or None
        Tokens it can read at most; None where nothing limits them.
    prompts : (str, str)
        What the model itself asks to be put before documents and before queries.
    recipe : str
        How vectors of tokens become one vector, in words, where the model decides.
    own_pooling : str or None
        The same as a name, where it is one of those that can be chosen.
    behind : str
        Names of the modules that the pooled vector passes through; often empty.
    notes : tuple of str
        Sentences about the model that whoever reads its vectors should know.
    """

    name: str
    n_layers: int
    layer: int
    length: int | None
    most: int | None
    prompts: tuple[str, str] = ("", "")
    recipe: str
    own_pooling: Pooling | None = None
    behind: str = ""
    notes: tuple[str, ...] = ()
    shows_tokens = True
    """Whether ``states`` are there, so that a text can be traced."""

    @abstractmethod
    def tokens(self, texts: Sequence[str], prompt: str = "") -> list[Tokens]:
        """Return the tokens of each text behind ``prompt``, uncut."""

    @abstractmethod
    def cut(self, tokens: Tokens, most: int) -> Tokens:
        """Return at most ``most`` tokens, those that the tokenizer puts at the ends included."""

    @abstractmethod
    def run(self, items: Sequence[Tokens], pooling: Pooling | None) -> tuple[Any, Any]:
        """Return torch tensors: ``(n, length, h)`` states of tokens and ``(n, d)`` of texts.

        ``pooling`` None is what the model itself does. Neither is scaled to length 1.
        """

    @abstractmethod
    def token_text(self, id: int) -> str:
        """Return how a token is written."""

    @abstractmethod
    def marks(self) -> dict[int, str]:
        """Return what tokens without a text of their own stand for."""

    @abstractmethod
    def to_bfloat16(self) -> TextModel:
        """Return the model with 16-bit weights; this one may be used up by it."""

    def limit(self, wanted: int) -> int | None:
        """Return how many tokens are read of a text where ``wanted`` are (0: the model's)."""
        if not wanted or self.length is None:
            return self.length
        return wanted if self.most is None else min(wanted, self.most)


def chosen_layer(layer: int, n_layers: int, name: str) -> int:
    """Return which layer ``layer`` is, -1 being the last.

    Raises
    ------
    ParameterError
        If there is no such layer.
    """
    if layer == -1:
        return n_layers
    if layer > n_layers:
        raise ParameterError(
            f"Bert.layer must be in [-1, {n_layers}] for {name}, got {layer}; "
            "-1 is the last one, 0 the vectors of the words alone."
            if n_layers
            else f"{name} has no layers to choose from, got {layer}. Leave the layer at -1."
        )
    return layer


def padded(items: Sequence[Tokens], pad: int) -> tuple[Any, Any]:
    """Return ``(n, longest)`` tensors: int64 token ids, padded on the right, and which are real.

    On the right whatever the tokenizer does for generating text: a causal model then never looks
    at padding, and positions count from the first token.
    """
    import torch

    longest = max(map(len, items))
    ids = np.full((len(items), longest), pad, np.int64)
    real = np.zeros((len(items), longest), np.bool_)
    for row, item in enumerate(items):
        ids[row, : len(item)] = item.ids
        real[row, : len(item)] = True
    return torch.from_numpy(ids), torch.from_numpy(real)


def pool(states: Any, real: Any, pooling: Pooling) -> Any:
    """Return ``(n, h)`` of ``(n, length, h)`` states where ``(n, length) bool real``.

    Reimers & Gurevych 2019, section 3 (mean, first token, maximum); the last token is what
    decoders are tuned with, since only it has seen the whole text.
    """
    import torch

    mask = real.unsqueeze(-1)
    if pooling == "cls":
        return states[:, 0]
    if pooling == "max":
        return states.masked_fill(~mask, float("-inf")).amax(dim=1)
    if pooling == "last":
        return states[torch.arange(len(states)), real.sum(dim=1) - 1]
    return (states * mask).sum(dim=1) / mask.sum(dim=1)


def without_surrogates(texts: Sequence[str]) -> list[str]:
    """Return texts that can be written as UTF-8: lone surrogates become question marks."""
    return [t.encode("utf-8", "replace").decode("utf-8") for t in texts]
