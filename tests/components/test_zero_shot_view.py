"""Which runs can be labelled by words, what is read, and what the file holds."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from components import session
from components.items import run_items
from components.picture_grid import cards
from components.zero_shot import Asked, has_zero_shot, label_table, picture_kind, zero_shot_of
from core.modality import Modality
from ingest import Dataset
from ingest.image_codec import encode_png
from vectors import KeyedVectors


def pictures(n=3):
    files = [encode_png(np.full((64, 64, 3), 80 * i, np.uint8)) for i in range(n)]
    columns = pd.DataFrame({"colour": ["black", "grey", None][:n]})
    ids = tuple(f"i{i}" for i in range(n))
    return Dataset("p", Modality.IMAGE, ids, files, columns, {"colour": "label"})


@pytest.fixture
def run(monkeypatch):
    data = pictures()
    vectors = KeyedVectors(data.ids, [[1, 0], [0, 1], [1, 1]], kinds="image")
    texts = []

    def embed_queries(_run, asked):
        texts.extend(asked)
        return np.eye(2, dtype=np.float32)[: len(asked)]

    monkeypatch.setattr(session, "dataset", lambda _: data)
    monkeypatch.setattr(session, "all_vectors", lambda _: vectors)
    monkeypatch.setattr(session, "worked_out", lambda _key, make: make())
    monkeypatch.setattr(session, "workspace", lambda: SimpleNamespace(embed_queries=embed_queries))
    return SimpleNamespace(
        id="r",
        dataset="d",
        embedder="clip",
        kinds={"image": 3},
        provenance={"logit_scale": 10.0},
        texts=texts,
        items=run_items(data, vectors, "image"),
    )


def test_only_runs_whose_method_reads_texts_and_has_pictures_are_labelled(run):
    assert picture_kind(run) == "image"
    assert has_zero_shot(run)
    run.embedder = "hog"
    assert not has_zero_shot(run)


def test_the_model_reads_each_name_in_its_template_and_its_own_scale_is_used(run):
    found = zero_shot_of(run, "image", Asked(("cat", "dog"), "a photo of a {}"))
    assert run.texts == ["a photo of a cat", "a photo of a dog"]
    assert found.best.tolist()[:2] == [0, 1]
    assert found.probability[0] == pytest.approx(1 / (1 + np.exp(-10)), rel=1e-5)


def test_the_file_names_the_class_of_every_picture(run):
    asked = Asked(("cat", "=dog"), "{}")
    table = label_table(run.items, asked, zero_shot_of(run, "image", asked))
    assert table["id"].tolist() == ["i0", "i1", "i2"]
    assert table["label"].tolist() == ["cat", "=dog", "cat"]
    assert table["score"].between(0, 1).all()


def test_cards_escape_what_the_data_holds(monkeypatch):
    from components import picture_grid

    drawn = []
    monkeypatch.setattr(picture_grid.st, "html", drawn.append)
    columns = pd.DataFrame({"name": ['<b>"x"</b>']})
    file = encode_png(np.zeros((8, 8, 3), np.uint8))
    data = Dataset("p", Modality.IMAGE, ('"><script>',), [file], columns, {"name": "label"})
    items = run_items(data, KeyedVectors(data.ids, np.eye(1, 2), kinds="image"), "image")
    cards(items, [0], ["<i>"], [0.5], label="name")
    html = drawn[0]
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;i&gt;" in html
    assert "es-crisp" in html  # an icon is enlarged without smoothing
