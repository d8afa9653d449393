"""Guards: what they let through, what they refuse, and that they say why."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparison import guards


@pytest.mark.parametrize(
    ("passes", "refuses", "says"),
    [
        (lambda: guards.guard_of_neighbours(51, 10), lambda: guards.guard_of_neighbours(50, 10),
         "More than 50"),
        (lambda: guards.guard_of_metrics("dot", "dot"),
         lambda: guards.guard_of_metrics("dot", "cosine"), "one metric"),
        (lambda: guards.guard_of_cka(4), lambda: guards.guard_of_cka(3), "at least 4"),
        (lambda: guards.guard_of_distances(20), lambda: guards.guard_of_distances(19),
         "at least 20"),
        (lambda: guards.guard_of_procrustes(801, 10, 400),
         lambda: guards.guard_of_procrustes(800, 10, 400), "More than 800"),
        (lambda: guards.guard_of_movers(20), lambda: guards.guard_of_movers(19), "at least 20"),
        (lambda: guards.guard_of_cca(1_201, 120), lambda: guards.guard_of_cca(1_200, 120),
         "More than 1,200"),
        (lambda: guards.guard_of_torn_groups(50), lambda: guards.guard_of_torn_groups(49),
         "at least 50"),
        (lambda: guards.guard_of_hubness(100, 10), lambda: guards.guard_of_hubness(99, 10),
         "at least 100"),
        (lambda: guards.guard_of_pairs(2), lambda: guards.guard_of_pairs(1), "not zero"),
        (lambda: guards.guard_of_spectrum(385, 384), lambda: guards.guard_of_spectrum(384, 384),
         "More than 384"),
        (lambda: guards.guard_of_two_nn(100), lambda: guards.guard_of_two_nn(99), "99 different"),
        (lambda: guards.guard_of_two_nn(500, 0.05), lambda: guards.guard_of_two_nn(500, 0.5),
         "50% of the items"),
        (lambda: guards.guard_of_extent(1e-5, 1.0), lambda: guards.guard_of_extent(1e-7, 1.0),
         "one point"),
        (lambda: guards.guard_of_class_neighbours([3, 3]),
         lambda: guards.guard_of_class_neighbours([3, 2]), "have 1"),
    ],
)  # fmt: skip
def test_a_guard_passes_at_its_bound_and_gives_the_reason_below(passes, refuses, says):
    assert passes() is None
    assert says in refuses()


def test_every_guard_is_looked_at_here():
    source = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in guards.__all__ if f"guards.{name}(" not in source] == []


def test_every_guard_is_asked_where_its_number_is_made():
    sources = [
        path.read_text(encoding="utf-8")
        for path in (Path(guards.__file__).parent).glob("*.py")
        if path.name != "guards.py"
    ]
    asked = {name for name in guards.__all__ for text in sources if f"{name}(" in text}
    assert sorted(set(guards.__all__) - asked) == []
