"""What is said when the comparison of 16 with 32 bits fails."""

from __future__ import annotations

import pytest
from small_datasets import image_dataset

from core.errors import EmbedderUnavailable
from core.progress import quiet
from embedders import get_embedder
from embedders.arithmetic import measured


def failing_with(error):
    def use_16_bits():
        raise error

    data = image_dataset()
    return measured(get_embedder("hog").fit(data), data, use_16_bits, quiet)


def of_torch(failing):
    with pytest.raises(RuntimeError) as caught:
        failing()
    return caught.value


def test_lack_of_memory_is_not_taken_for_a_model_without_16_bits():
    import torch

    too_large = of_torch(lambda: torch.empty(2**50))
    for error in (too_large, torch.OutOfMemoryError("CUDA out of memory."), MemoryError()):
        with pytest.raises(MemoryError):
            failing_with(error)


def test_a_part_that_does_not_calculate_with_16_bits_is_told_with_what_to_choose():
    import torch

    half, single = torch.ones(2, 2, dtype=torch.bfloat16), torch.ones(2, 2)
    with pytest.raises(EmbedderUnavailable, match=r"16 bits \(expected .*Choose 32 bits"):
        failing_with(of_torch(lambda: half @ single))
