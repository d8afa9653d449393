"""The command line before it computes: which files are whose, and what is refused when."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

import workspace.__main__ as command
from core.errors import WorkspaceError
from ingest import read_dataset
from ingest.image_codec import encode_png
from ingest.samples import load_sample
from workspace.portable import FORMAT
from workspace.workspace import Workspace

GRAPH = (
    {"embedder": "spectral", "params": {"dim": 2}, "dataset": "data 1"},
    {"embedder": "netmf", "params": {"dim": 4}, "dataset": "data 1"},
)
PIXELS = ({"embedder": "pixels"}, {"embedder": "hog"})
READY = "ready to compare"


class Bench:
    """Runs the command up to where it would compute."""

    def __init__(self, folder, capsys):
        self.folder, self._capsys = folder, capsys
        self.recipe, self.out = folder / "recipe.json", folder / "out"

    def keep(self, members, *datasets, **told):
        """Write the recipe of a comparison on the first of some datasets; ``told`` of each."""
        data = {
            f"data {number}": {
                "name": one.name,
                "kind": str(one.modality),
                "items": len(one),
                "fingerprint": one.fingerprint,
                **told,
            }
            for number, one in enumerate(datasets, start=1)
        }
        recipe = {"dataset": "data 1", "members": list(members)}
        text = json.dumps({"embedscope": FORMAT, "recipe": recipe, "data": data})
        self.recipe.write_text(text, encoding="utf-8")

    def file(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def run(self, *arguments):
        """Return the exit status and what was said to the terminal."""
        asked = [str(self.recipe), "--out", str(self.out), *map(str, arguments)]
        return command.main(asked), self._capsys.readouterr().err


@pytest.fixture
def bench(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("EMBEDSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("EMBEDSCOPE_WARM_UP", "false")
    monkeypatch.setenv("EMBEDSCOPE_SPARE_WORKERS", "0")

    def compare(self, recipe):
        raise WorkspaceError(READY)

    monkeypatch.setattr(Workspace, "compare", compare)
    return Bench(tmp_path, capsys)


def test_a_data_set_may_be_made_of_several_files(bench):
    karate = load_sample("karate")
    ends = zip(karate.edges.source, karate.edges.target, strict=True)
    lines = [f"{karate.ids[a]},{karate.ids[b]}" for a, b in ends]
    edges = bench.file("edges.csv", "\n".join(["source,target", *lines]).encode())
    clubs = [f"{id},{'ab'[row % 2]}" for row, id in enumerate(karate.ids)]
    nodes = bench.file("nodes.csv", "\n".join(["id,club", *clubs]).encode())
    bench.keep(GRAPH, read_dataset([edges, nodes]))
    assert bench.run("--data", edges, "--data", nodes) == (1, f"error: {READY}\n")
    named = ("--data", f"data 1={edges}", "--data", f"data 1={nodes}", "--classes", "club")
    assert bench.run(*named) == (1, f"error: {READY}\n")
    assert "not the data of the recipe" in bench.run("--data", edges)[1]
    status, told = bench.run(*named[:-1], "clubs")
    assert (status, READY in told) == (1, False)
    assert "no column 'clubs'; there are: club" in told


def test_images_may_lie_in_a_folder_or_a_zip(bench):
    stream = io.BytesIO()
    draw = np.random.default_rng(0)
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
            image = encode_png(draw.integers(0, 255, (8, 8, 3), np.uint8))
            archive.writestr(name, image)
            bench.file(f"photos/{name}", image)
    packed = bench.file("photos.zip", stream.getvalue())
    bench.file("photos/.cache/4.png", b"no image")
    bench.keep(PIXELS, read_dataset(packed))
    for given in (packed, bench.folder / "photos"):
        assert bench.run("--data", given) == (1, f"error: {READY}\n")


def test_the_recipe_tells_how_its_file_is_read(bench):
    rows = [f"{i};t{i} of it;a longer body {i};{'xy'[i % 2]}" for i in range(9)]
    file = bench.file("a.csv", "\n".join(["n;title;body;part", *rows]).encode())
    options = {"columns": {"n": "id", "title": "text", "body": "ignored", "part": "label"}}
    data = read_dataset(file, kind="text", **options)
    members = ({"embedder": "tfidf"}, {"embedder": "lsa"})
    bench.keep(members, data)
    assert "not the data of the recipe" in bench.run("--data", file)[1]
    bench.keep(members, data, options=options)
    assert bench.run("--data", file) == (1, f"error: {READY}\n")
    assert "not the data of the recipe" in bench.run("--data", file, "--text", "body")[1]
    other = read_dataset(file, kind="text", text="body", id="n", label="part")
    bench.keep(members, other, options=options)
    assert bench.run("--data", file, "--text", "body") == (1, f"error: {READY}\n")


@pytest.mark.parametrize("options", [{"nodes": "/etc/passwd"}, {"text": 2.5}, {"text": [["a"]]}])
def test_options_that_a_recipe_must_not_hold_are_refused(bench, options):
    bench.keep(GRAPH, load_sample("karate"), options=options)
    status, told = bench.run()
    assert status == 1
    assert "is no option that 'data 1' can be read with" in told


def test_files_of_several_data_sets_are_told_apart_by_name(bench):
    texts = [bench.file(f"{n}.csv", b"text\none %d\ntwo\nthree" % n) for n in (1, 2)]
    bench.keep(({"embedder": "tfidf"}, {"embedder": "lsa"}), *map(read_dataset, texts))
    assert bench.run("--data", texts[0], "--data", f"data 2={texts[1]}")[1].endswith(f"{READY}\n")
    status, told = bench.run("--data", texts[0], "--data", texts[1], "--data", texts[1])
    assert status == 1
    assert "--data 'data 1=" in told
    status, told = bench.run("--data", "data 3=elsewhere.csv")
    assert status == 1
    assert "no data set 'data 3'; it has 'data 1', 'data 2'" in told


def test_what_cannot_be_is_one_line_and_no_traceback(bench, monkeypatch):
    bench.file("recipe.json", b"\xff\xfe{")
    assert "no UTF-8 text" in bench.run()[1]
    bench.keep(GRAPH, load_sample("karate"))
    bench.file("taken", b"")
    bench.out = bench.folder / "taken"
    assert bench.run() == (1, f"error: {bench.out}: File exists\n")
    bench.out = bench.folder / "out"
    monkeypatch.setenv("EMBEDSCOPE_HOME", str(bench.folder / "taken" / "home"))
    status, told = bench.run()
    assert status == 1
    assert told.startswith("error: The folder named by EMBEDSCOPE_HOME cannot be used")


def test_ctrl_c_ends_with_the_status_that_shells_expect(bench, monkeypatch):
    def stopped(self, recipe):
        raise KeyboardInterrupt

    monkeypatch.setattr(Workspace, "compare", stopped)
    bench.keep(GRAPH, load_sample("karate"))
    status, told = bench.run("--other-data")
    assert status == 130
    assert "Finished parts are kept" in told
