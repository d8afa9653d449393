"""What raw pixels measure."""

from __future__ import annotations

import numpy as np
import pytest

from core.modality import Modality
from embedders import get_embedder
from ingest.dataset import Dataset
from ingest.images import encode_png


def embed(*pixels, **params):
    files = [encode_png(np.asarray(p, np.uint8)) for p in pixels]
    data = Dataset("images", Modality.IMAGE, tuple(map(str, range(len(files)))), files)
    return get_embedder("pixels", **params).fit(data).vectors(data).matrix


def test_a_vector_is_the_pixels_row_by_row():
    pixels = np.arange(12).reshape(2, 2, 3) * 20
    np.testing.assert_allclose(embed(pixels, side=2)[0], np.arange(12) * 20 / 255, rtol=1e-6)


def test_without_colour_only_brightness_counts():
    red, grey = np.zeros((2, 4, 4, 3))
    red[..., 0], grey[...] = 255, 76  # Rec. 601 luma of red: 0.299 * 255
    a, b = embed(red, grey, side=4, colour=False)
    np.testing.assert_array_equal(a, b)
    assert a.shape == (16,)


def test_evened_out_light_and_contrast_do_not_count():
    dark = np.random.default_rng(0).integers(0, 60, (8, 8))
    a, b, even = embed(dark, dark * 2 + 90, np.full((8, 8), 7), side=8, even_out=True)
    np.testing.assert_allclose(a, b, atol=1e-3)
    assert a.std() == pytest.approx(1, abs=1e-4)
    assert not even.any()
