"""The settings that all methods share which gensim trains word by word."""

from __future__ import annotations

from dataclasses import dataclass

from core.params import Params, integer, real


@dataclass(frozen=True, kw_only=True)
class SamplingParams(Params):
    """How words are drawn, how fast is learnt and by how many threads."""

    negative: int = integer(
        5,
        low=1,
        high=20,
        help="Random words that each true one is told apart from; only for negative sampling.",
        advanced=True,
    )
    sample: float = real(
        1e-3,
        low=0.0,
        high=0.1,
        step=1e-4,
        help="Words above this share of the text are read less often; 0 reads every word.",
        advanced=True,
    )
    alpha: float = real(
        0.025,
        low=0.001,
        high=0.5,
        step=0.005,
        help="Learning rate at the start; it falls to nearly zero at the end.",
        advanced=True,
    )
    threads: int = integer(
        1,
        low=1,
        high=64,
        help="Trains with this many threads; above 1 it is faster and no two runs are equal.",
        advanced=True,
    )
