"""A look at a dataset of images shows every class, not the first folder."""

import pandas as pd

from components.dataset_view import one_of_each
from core.modality import Modality
from ingest.dataset import Dataset


def images(labels):
    ids = tuple(map(str, range(len(labels))))
    columns = pd.DataFrame({"kind": labels})
    return Dataset("p", Modality.IMAGE, ids, [b"x"] * len(ids), columns, {"kind": "label"})


def test_the_first_of_every_class_comes_before_the_second_of_any():
    assert one_of_each(images(["a", "a", "a", "b", None, "b"])) == [0, 3, 4, 1, 5, 2]
    plain = Dataset("p", Modality.IMAGE, ("0", "1"), [b"x", b"y"])
    assert one_of_each(plain) == [0, 1]
