"""What pretrained weights cost: download and licence, by run."""

from __future__ import annotations

import json

import pytest

from core.errors import EmbedderUnavailable
from embedders import get_embedder, minilm, tiny_clip
from embedders.hub_model import MARKER
from workspace.model_weights import NOT_KNOWN, weights_of
from workspace.records import RunInfo
from workspace.supplies import restored


def run(embedder, digest="", **params):
    about = {"weights_sha256": digest} if digest else {}
    return RunInfo(
        "r", "d", embedder, "t", params, 0, {}, 3, 2, "cosine", 0.1, 24, {}, 0.0, about
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _own_models(tmp_path, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_HOME", str(tmp_path))


def test_a_method_without_weights_has_nothing_to_download():
    assert weights_of(run("tfidf")) == (0, "none", "–")


@pytest.mark.parametrize(
    ("embedder", "digest"),
    [("bert", minilm.WEIGHTS_SHA256), ("clip", tiny_clip.WEIGHTS_SHA256)],
)
def test_weights_that_come_with_the_program_are_bundled(embedder, digest):
    found = weights_of(run(embedder, digest))
    assert found[:2] == (0, "bundled")
    assert found.licence not in ("", NOT_KNOWN)


def test_a_known_model_has_the_size_and_the_licence_of_the_list():
    found = weights_of(run("bert", "ab", model="sentence-transformers/all-mpnet-base-v2"))
    assert found == (438, "438 MB", "Apache-2.0")
    assert weights_of(run("bert", "ab", model="org/nobody-knows")) == (None, NOT_KNOWN, NOT_KNOWN)


def test_what_was_downloaded_tells_its_own_size_and_licence():
    name = "org/nobody-knows"
    method = get_embedder("bert", model=name)
    folder = method.needs(method.params).folder
    folder.mkdir(parents=True)
    told = {"licence": "cc-by-4.0", "files": {"a": 12_400_000, "b": 600_000}}
    (folder / MARKER).write_text(json.dumps(told))
    assert weights_of(run("bert", "ab", model=name)) == (13, "13 MB", "cc-by-4.0")


class OldStore:
    """Holds the state of a run of an earlier version, which kept no digest beside it."""

    def state(self, id):
        assert id == "r"
        return {}


def test_a_run_of_an_earlier_version_is_checked_by_what_it_told_of_its_weights():
    same = restored(run("clip", tiny_clip.WEIGHTS_SHA256), OldStore(), lambda _: None)
    assert same.is_fitted
    with pytest.raises(EmbedderUnavailable, match=r"are no longer those .* Embed the data again"):
        restored(run("clip", "ab" * 32), OldStore(), lambda _: None)
