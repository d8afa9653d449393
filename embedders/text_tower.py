"""The tower for texts: the packaged MiniLM, or a small transformer of its own."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.modality import Modality
from embedders import minilm
from embedders.tower import Tower
from embedders.trace import MAX_TOKENS, Token, Trace

TOKENIZE_CHUNK = 1_000
UNKNOWN, START, END, PAD = 100, 101, 102, 0
"""Word pieces of the packaged model that stand for no text."""
SPECIAL = (PAD, UNKNOWN, START, END)
HEADS = 4
MINILM_RATE = 1e-4


class TextTower(Tower):
    """Word pieces, a transformer, the mean of its last states.

    Parameters
    ----------
    body : torch.nn.Module
        A ``BertModel`` without a pooler.
    vocabulary : sequence of int or None
        The word pieces of MiniLM that the body has vectors for, ascending; None for all of them.
    dim : int
        Numbers of a vector; 0 for as many as the body has.
    max_length : int
        Tokens after which a text is cut.
    is_body_trained : bool
    is_delivered : bool
        Whether what is not trained came with the program, and need not be stored.

    Attributes
    ----------
    was_cut : list of int
        Places of the texts that the last ``prepare`` has cut.
    """

    modality = Modality.TEXT

    def __init__(
        self,
        body: Any,
        vocabulary: Sequence[int] | None,
        *,
        dim: int,
        max_length: int,
        is_body_trained: bool,
        is_delivered: bool,
    ) -> None:
        super().__init__(body.config.hidden_size, dim, body=body, is_body_trained=is_body_trained)
        self.vocabulary = None if vocabulary is None else [int(i) for i in vocabulary]
        self.max_length, self._is_delivered = max_length, is_delivered
        self.was_cut: list[int] = []
        self._tokenizer = minilm.load().tokenizer
        self.body_rate = MINILM_RATE if is_delivered else self.body_rate
        self._number = {p: i for i, p in enumerate(self.vocabulary or ())}
        # A body that stays as it is belongs to everybody; its parameters want gradients all the
        # same, as transformers makes them.
        self._changed = {
            name for name, p in body.named_parameters() if p.requires_grad and is_body_trained
        }

    def freeze(self) -> None:
        """Train the head alone from now on; what the body has learnt stays."""
        self.is_body_trained = False
        self.body.eval()

    def _delivered(self) -> set[str]:
        return set(self.body.state_dict()) - self._changed if self._is_delivered else set()

    def prepare(self, items: Sequence[str]) -> list[tuple[int, ...]]:
        """Return the numbers of the word pieces of each text, cut to ``max_length``."""
        whole = token_ids(self._tokenizer, items)
        self.was_cut = [i for i, ids in enumerate(whole) if len(ids) > self.max_length]
        return [self.cut(ids) for ids in whole]

    def cut(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        """Return at most ``max_length`` numbers of word pieces, the last of them the end mark."""
        if len(ids) > self.max_length:
            ids = (*ids[: self.max_length - 1], ids[-1])
        if self.vocabulary is None:
            return ids
        unknown = self._number[UNKNOWN]
        return tuple(self._number.get(i, unknown) for i in ids)

    def cost(self, item: tuple[int, ...]) -> int:
        """Return the number of tokens."""
        return len(item)

    def run(self, items: Sequence[tuple[int, ...]]) -> Any:
        """Return the ``(n, width)`` mean of the last states of each text's tokens."""
        ids, real = padded(items)
        states = self._states(ids, real)
        weights = real.unsqueeze(-1).to(states.dtype)
        return (states * weights).sum(dim=1) / weights.sum(dim=1)

    def _states(self, ids: Any, real: Any) -> Any:
        return self.body(
            input_ids=ids, attention_mask=None if bool(real.all()) else real.long()
        ).last_hidden_state

    def trace(self, text: str) -> Trace:
        """Return how the tower makes a vector of ``text``.

        The head is linear: the head of the mean is the mean of the heads.
        """
        import torch

        whole = token_ids(self._tokenizer, [text])[0]
        # What a tower from scratch does not know is cut and read as the unknown piece.
        kept = (*whole[: self.max_length - 1], whole[-1]) if len(whole) > self.max_length else whole
        item = self.cut(whole)
        with torch.inference_mode():
            states = self.head(self._states(*padded([item])))[0]
            vector = self.encode([item])[0].numpy()
        tokens = tuple(
            Token(
                str(self._tokenizer.id_to_token(id)),
                id if self.vocabulary is None or id in self._number else None,
                place,
                1 / len(kept),
                self._note(id),
            )
            for place, id in enumerate(kept[:MAX_TOKENS])
        )
        rule = (
            "The text's vector is the mean of its pieces' vectors, which the trained layer on top "
            "has turned into the space of both sides, then scaled to length 1. A piece's vector "
            "depends on the text around it."
        )
        return Trace(
            tokens,
            np.asarray(states[: len(tokens)].numpy(), np.float32),
            vector,
            rule,
            len(whole) - len(tokens),
            is_read_whole=len(kept) == len(whole),
        )

    def _note(self, id: int) -> str:
        if self.vocabulary is not None and id not in self._number:
            return "not in the texts of training: read as the unknown piece"
        return minilm.MARKS.get(id, "")


def token_ids(tokenizer: Any, texts: Sequence[str]) -> list[tuple[int, ...]]:
    """Return the numbers of the word pieces of each text, uncut."""
    found: list[tuple[int, ...]] = []
    for start in range(0, len(texts), TOKENIZE_CHUNK):
        part = texts[start : start + TOKENIZE_CHUNK]
        clean = [t.encode("utf-8", "replace").decode("utf-8") for t in part]  # lone surrogates
        found += [tuple(e.ids) for e in tokenizer.encode_batch_fast(clean)]
    return found


def padded(items: Sequence[tuple[int, ...]]) -> tuple[Any, Any]:
    """Return the ``(n, longest)`` numbers of word pieces, and where they are real."""
    import torch

    longest = max(map(len, items))
    ids = np.zeros((len(items), longest), np.int64)
    real = np.zeros((len(items), longest), np.bool_)
    for row, item in enumerate(items):
        ids[row, : len(item)] = item
        real[row, : len(item)] = True
    return torch.from_numpy(ids), torch.from_numpy(real)


def from_minilm(*, last_layers: int, dim: int, max_length: int) -> TextTower:
    """Return a tower that starts as the packaged MiniLM.

    Its word vectors stay as they are: half of its weights, which fine-tuning hardly moves.

    Parameters
    ----------
    last_layers : int
        How many of its six layers, from the last on, are trained; 0 leaves the model alone.
    """
    body = minilm.load().model
    if last_layers:
        body = copy.deepcopy(body)
        for parameter in body.parameters():
            parameter.requires_grad_(False)
        for layer in body.encoder.layer[minilm.N_LAYERS - last_layers :]:
            layer.requires_grad_(True)
    return TextTower(
        body,
        None,
        dim=dim,
        max_length=max_length,
        is_body_trained=last_layers > 0,
        is_delivered=True,
    )


def from_scratch(
    vocabulary: Sequence[int], *, layers: int, width: int, dim: int, max_length: int
) -> TextTower:
    """Return a tower with random weights: a transformer that reads MiniLM's word pieces.

    Parameters
    ----------
    vocabulary : sequence of int
        The word pieces that occur; others are read as one unknown piece.
    layers : int
        0 makes the vector of a text the mean of its word pieces' vectors.
    width : int
    """
    from embedders.torchvision_schemas import declare_missing

    declare_missing()  # transformers imports torchvision where it is installed
    from transformers.models.bert.configuration_bert import BertConfig
    from transformers.models.bert.modeling_bert import BertModel

    known = sorted({*vocabulary, *SPECIAL})
    config = BertConfig(
        vocab_size=len(known),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=HEADS,
        intermediate_size=4 * width,
        max_position_embeddings=max_length,
        type_vocab_size=1,
        pad_token_id=0,
    )
    return TextTower(
        BertModel(config, add_pooling_layer=False),
        known,
        dim=dim,
        max_length=max_length,
        is_body_trained=True,
        is_delivered=False,
    )
