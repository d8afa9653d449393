"""The table of shapes: figures, and reasons where there are none."""

from __future__ import annotations

import re

import numpy as np

from comparison.space_profile import profile
from components.compare_spaces_table import table_html
from vectors import KeyedVectors, VectorIndex


def test_figures_are_rounded_and_refused_ones_are_grey_with_a_numbered_reason():
    rng = np.random.default_rng(0)
    shapes = {}
    for name, d in (("narrow", 4), ("wide <b>", 150)):
        x = rng.normal(size=(120, d)).astype(np.float32)
        x[0] = 0
        space = KeyedVectors([str(i) for i in range(120)], x)
        shapes[name] = profile(x, "cosine", VectorIndex(space).knn_graph(12).ids, k=5)
    html = table_html(shapes)
    assert "wide &lt;b&gt;" in html
    assert "−0.00" not in html
    rows = {
        re.search(r'row">([^<]+)', row).group(1): re.findall(r"<td[^>]*>(.*?)</td>", row)
        for row in html.split("<tr>")
        if 'scope="row"' in row
    }
    narrow = shapes["narrow"]
    assert rows["Dimensions"] == ["4", "150"]
    assert rows["Zero vectors"] == ["1", "1"]
    assert rows["IsoScore"][0] == f"{narrow.iso_score.value:.3f}"
    assert rows["IsoScore"][1].startswith("none<sup>")
    assert rows["Intrinsic dimension"][0].count("·") == 2
    refused = re.findall(r"<sup>(\d+)</sup>", html.split("<ul>")[0])
    listed = re.findall(r"<li><sup>(\d+)</sup> (.+?)</li>", html)
    assert set(refused) == {number for number, _ in listed}
    assert any("cannot fill 150 dimensions" in reason for _, reason in listed)
