import pytest

from components.figures.ink import (
    chance_text,
    label_sides,
    short_number,
    shortened,
    spread,
    wrapped,
)


def test_numbers_are_printed_as_charts_print_them():
    assert [short_number(v) for v in (0.412, 1.0, 0.999, -0.054, 0.0, -0.001, 1.25)] == [
        ".41", "1", "1", "−.05", "0", "0", "1.25",
    ]  # fmt: skip
    assert [chance_text(v) for v in (0.25, 0.0013, 0, 2e-5)] == [".25", ".001", "0", "2e-05"]


def test_labels_are_cut_wrapped_and_safe():
    assert shortened("a <b> & " + "c" * 50, 12) == "a &lt;b&gt; &amp; ccc…"
    assert wrapped("one two three four five six", 9, 2) == "one two<br>three…"
    assert wrapped("MiniLM", 9) == "MiniLM"


def test_spread_keeps_order_and_distance_and_moves_as_little_as_needed():
    assert spread([5.0, 1.0, 9.0], 2) == [5, 1, 9]
    assert spread([1.0, 1.0, 1.0], 2) == [-1, 1, 3]
    placed = spread([0.0, 0.5, 3.0, 3.1], 1)
    assert placed == pytest.approx([-0.25, 0.75, 2.55, 3.55])


def test_a_label_stands_where_it_covers_least():
    assert label_sides([0, 30], [0, 0], ["first", ""]) != ["middle right"] * 2
    free, _ = label_sides([0, 300], [0, 0], ["first", "second"])
    assert free == "middle right"
    (aside,) = label_sides([100], [0], ["name"], avoid=[(100, -1, 400, 1)])
    assert aside != "middle right"
