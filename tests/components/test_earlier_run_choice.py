"""Which runs are offered as the model of an earlier run."""

from types import SimpleNamespace

import pytest

from components.earlier_run import has_learnt
from core.modality import Modality
from ingest.sides import Sides

TEXT, IMAGE = Modality.TEXT, Modality.IMAGE


def learnt_from(modality, sides=None):
    named = None if sides is None else Sides(("left", "right"), sides, 1)
    return SimpleNamespace(modality=modality, sides=named)


@pytest.mark.parametrize(
    ("embedder", "data", "wanted", "offered"),
    [
        ("lsa", learnt_from(TEXT), TEXT, True),
        ("lsa", None, TEXT, True),  # what it learnt from was removed
        ("lsa", learnt_from(TEXT), IMAGE, False),
        ("pca", learnt_from(Modality.TABLE), IMAGE, False),
        ("two_towers", learnt_from(Modality.PAIRS, (TEXT, IMAGE)), IMAGE, True),
        ("two_towers", learnt_from(Modality.PAIRS, (TEXT, TEXT)), IMAGE, False),
        ("own_image_network", learnt_from(IMAGE), IMAGE, True),
        ("bert", learnt_from(TEXT), TEXT, False),  # pretrained: nothing was learnt here
        ("clip", learnt_from(IMAGE), IMAGE, False),
        ("colour_histogram", learnt_from(IMAGE), IMAGE, False),
        ("pixels", learnt_from(IMAGE), IMAGE, False),
        ("node2vec", learnt_from(Modality.GRAPH), TEXT, False),  # knows its own nodes only
        ("earlier", learnt_from(TEXT), TEXT, False),
        ("of another version", learnt_from(TEXT), TEXT, False),
    ],
)
def test_only_what_was_learnt_from_such_data_is_offered(embedder, data, wanted, offered):
    assert has_learnt(SimpleNamespace(embedder=embedder), data, wanted) is offered
