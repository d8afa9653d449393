"""What a text tower can learn from texts alone, before it sees any pair: TSDAE.

SimCSE, the other way, needs nothing of its own: it is contrastive training of every text with
itself (``pair_sampling.SelfPairs``), in which dropout makes the difference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.errors import DatasetError
from core.progress import Progress, tell_epoch
from embedders.contrastive_training import (
    MAX_NORM,
    WARM_UP,
    WEIGHT_DECAY,
    Schedule,
    astray,
)
from embedders.text_tower import PAD, TextTower, padded

DELETED = 0.6
"""Share of tokens that are deleted: what the paper found best."""
Tokens = tuple[int, ...]


class Reconstruction:
    """A decoder that must write a text again from the vector of its damaged copy.

    Parameters
    ----------
    tower : TextTower
        The encoder; its transformer's weights are the decoder's too.
    texts : sequence of tuple of int
        All prepared texts: only their word pieces can be written.

    Notes
    -----
    The decoder reads the text so far and, through cross attention, one single vector: what the
    vector does not hold cannot be written. As in the paper the decoder's layers are tied to the
    encoder's; only cross attention and what turns states into word pieces are its own. The latter
    is tied to the word vectors of the pieces that occur.

    References
    ----------
    Wang, Reimers & Gurevych 2021, "TSDAE", section 3 and figure 2.
    """

    def __init__(self, tower: TextTower, texts: Sequence[Tokens]) -> None:
        import torch
        from transformers.models.bert.modeling_bert import BertModel

        config = type(tower.body.config)(**tower.body.config.to_dict())
        config.is_decoder = config.add_cross_attention = True
        config.num_hidden_layers = max(1, config.num_hidden_layers)
        self._tower = tower
        self.decoder = BertModel(config, add_pooling_layer=False)
        self.n_tied = _tie(self.decoder, tower.body)
        pieces = np.unique(np.concatenate([np.asarray(text, np.int64) for text in texts]))
        self.pieces = torch.from_numpy(pieces)
        self.out = torch.nn.Linear(tower.width, tower.width)
        self.norm = torch.nn.LayerNorm(tower.width)

    def parameters(self) -> list[Any]:
        """Return what is trained: the encoder's trained part, and what the decoder adds."""
        tower = {id(p) for p in self._tower.body.parameters()}
        mine = [p for p in self.decoder.parameters() if id(p) not in tower]
        learnt = [p for p in self._tower.body.parameters() if p.requires_grad]
        return [*learnt, *mine, *self.out.parameters(), *self.norm.parameters()]

    def loss(self, texts: Sequence[Tokens], damaged: Sequence[Tokens]) -> tuple[Any, int]:
        """Return the summed cross entropy of writing ``texts``, and how many tokens that are."""
        import torch

        vectors = self._tower.run(damaged)
        ids, real = padded(texts)
        states = self.decoder(
            input_ids=ids[:, :-1],
            attention_mask=real[:, :-1].long(),
            encoder_hidden_states=vectors.unsqueeze(1),
            use_cache=False,
        ).last_hidden_state
        wanted = real[:, 1:]
        hidden = self.norm(torch.nn.functional.gelu(self.out(states[wanted])))
        table = self._tower.body.embeddings.word_embeddings.weight[self.pieces]
        target = torch.searchsorted(self.pieces, ids[:, 1:][wanted])
        total = torch.nn.functional.cross_entropy(hidden @ table.T, target, reduction="sum")
        return total, len(target)


def _tie(decoder: Any, encoder: Any) -> int:
    """Make parameters of equal name one; return how many."""
    names = [name for name, _ in encoder.named_parameters()]
    theirs = dict(decoder.named_parameters())
    tied = 0
    for name in names:
        if name not in theirs:
            continue
        owner, _, last = name.rpartition(".")
        setattr(decoder.get_submodule(owner), last, encoder.get_parameter(name))
        tied += 1
    return tied


def damage(tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Return a text with ``DELETED`` of its tokens deleted at random; the two marks stay.

    At least one token is left where there was one.
    """
    inner = np.asarray(tokens[1:-1], np.int64)
    if not len(inner):
        return tokens
    kept = rng.random(len(inner)) >= DELETED
    if not kept.any():
        kept[rng.integers(len(inner))] = True
    return (tokens[0], *inner[kept].tolist(), tokens[-1])


def tsdae(
    tower: TextTower,
    texts: Sequence[Tokens],
    schedule: Schedule,
    *,
    seed: int,
    progress: Progress,
) -> list[float]:
    """Train the tower's body on texts alone; return the mean loss per token of each epoch.

    Parameters
    ----------
    tower : TextTower
        With a trained body.
    texts : sequence of tuple of int
        Prepared texts.
    schedule : Schedule
    seed : int
    progress : Progress

    Raises
    ------
    DatasetError
        If no text has a word, or the loss is no longer a number.
    """
    import torch

    usable = [text for text in texts if len(text) > len((PAD, PAD))]
    if not usable:
        raise DatasetError("No text holds a word: there is nothing to write again.")
    rng = np.random.default_rng(seed)
    task = Reconstruction(tower, usable)
    task.decoder.train()
    tower.learning(training=True)
    parameters = task.parameters()
    optimizer = torch.optim.AdamW(
        parameters, lr=schedule.rate or tower.body_rate, weight_decay=WEIGHT_DECAY
    )
    n_batches = math.ceil(len(usable) / schedule.batch_size)
    total = schedule.epochs * n_batches
    warm = max(1, round(WARM_UP * total))
    scale = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / warm))
    losses: list[float] = []
    done, note = 0, ""
    for epoch in range(1, schedule.epochs + 1):
        summed, n_tokens = 0.0, 0
        for rows in np.array_split(rng.permutation(len(usable)), n_batches):
            batch = [usable[int(row)] for row in rows]
            n_written = sum(len(text) - 1 for text in batch)
            optimizer.zero_grad()
            for places in tower.chunks(batch):
                chunk = [batch[int(p)] for p in places]
                loss, n = task.loss(chunk, [damage(text, rng) for text in chunk])
                (loss / n_written).backward()
                summed, n_tokens = summed + float(loss.detach()), n_tokens + n
                progress(done, total, schedule.stage, note)
            if not math.isfinite(summed):
                raise astray(f"the loss became {summed} in step {done + 1} of {total}")
            torch.nn.utils.clip_grad_norm_(parameters, MAX_NORM)
            optimizer.step()
            scale.step()
            done += 1
            note = f"epoch {epoch} of {schedule.epochs}, loss {summed / n_tokens:.3f}"
            progress(done, total, schedule.stage, note)
        losses.append(summed / n_tokens)
        tell_epoch(progress, schedule.stage, schedule.epochs, losses)
    tower.learning(training=False)
    return losses
