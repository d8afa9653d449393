"""The shapes of the members of a comparison, measured by a worker and kept."""

from __future__ import annotations

import json

import numpy as np
import pytest

from comparison.space_profile import profile
from core.errors import ParameterError, WorkspaceError
from ingest.samples import load_sample
from vectors import KeyedVectors, VectorIndex
from workspace.profiling import is_light, measure_space, profile_of, profile_parts
from workspace.recipes import Member, Recipe
from workspace.workspace import Workspace


def same(a, b):
    """Compare frozen results part by part; threads may change the last digits."""
    if isinstance(a, np.ndarray | float):
        np.testing.assert_allclose(a, b, rtol=1e-9)
    elif hasattr(a, "__dataclass_fields__"):
        for name in a.__dataclass_fields__:
            same(getattr(a, name), getattr(b, name))
    elif isinstance(a, tuple):
        assert type(a) is type(b)
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            same(one, other)
    else:
        assert a == b


@pytest.mark.parametrize("copies", [0, 30])
def test_a_shape_comes_back_as_it_was_kept(copies):
    x = np.random.default_rng(0).normal(size=(150, 5)).astype(np.float32)
    x[:copies] = x[np.arange(copies) // 3]  # groups of three
    space = KeyedVectors([str(i) for i in range(150)], x)
    shape = profile(x, "cosine", VectorIndex(space).knn_graph(20).ids, k=5)
    assert len(shape.duplicates.groups) == copies // 3
    arrays, told = profile_parts(shape)
    back = profile_of(arrays, json.loads(json.dumps(told)))
    same(back, shape)
    assert all(rows.dtype == np.int64 for rows in back.duplicates.groups)


def test_a_worker_measures_all_shapes_for_those_who_may_see_them(start):
    runner = start()
    workspace = Workspace.create(runner)
    data = workspace.add_dataset(load_sample("karate"))
    members = (Member("spectral", {"dim": 4}, name="A"), Member("netmf", {"dim": 8}, name="B"))
    assert runner.wait(workspace.compare(Recipe(data.id, members, k=5)).id, 120).state == "done"
    (info,) = workspace.comparisons(data.id)
    stored = workspace.comparison(info.id)
    assert is_light(stored)
    assert workspace.space_profile(info.id, "A") is None
    job = runner.wait(workspace.profile_spaces(info.id).id, 60)
    assert job.state == "done", job.message
    assert job.result["comparing"]  # or the page would leave the comparison
    for name in info.names:
        same(workspace.space_profile(info.id, name), measure_space(stored, name))
    assert workspace.space_profile(info.id, "A").hubs.skewness.value is None  # 34 items
    with pytest.raises(ParameterError, match="A, B"):
        measure_space(stored, "C")
    other = Workspace.create(runner)
    with pytest.raises(WorkspaceError, match="no such comparison"):
        other.space_profile(info.id, "A")
    with pytest.raises(WorkspaceError, match="no such comparison"):
        other.profile_spaces(info.id)
