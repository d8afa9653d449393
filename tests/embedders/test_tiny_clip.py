"""The bundled small CLIP model: whole, honest about itself, and right about scenes it never saw."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import EmbedderUnavailable
from embedders import tiny_clip
from ingest.samples import load_sample
from ingest.scene_captions import DIGITS, caption
from ingest.scene_sample import sample_scenes
from ingest.scenes import RELATIONS, Group, Scene, draw, random_scene

QUERY = "two red circles above a blue square"
N_HELD_OUT = 120


@pytest.fixture(scope="module")
def clip() -> Iterator[tiny_clip.TinyClip]:
    import torch

    # On a busy machine two threads spend thirty times the work on waiting for each other.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tiny_clip.load()
    torch.set_num_threads(threads)


def images(clip: tiny_clip.TinyClip, pictures: list[Image.Image]) -> Any:
    import torch

    with torch.inference_mode():
        batch = torch.stack([clip.preprocess(picture) for picture in pictures])
        return clip.model.encode_image(batch, normalize=True).numpy()


def texts(clip: tiny_clip.TinyClip, captions: list[str]) -> Any:
    import torch

    with torch.inference_mode():
        return clip.model.encode_text(clip.tokenize(captions), normalize=True).numpy()


@pytest.fixture(scope="module")
def sample_vectors(clip) -> Any:
    items = load_sample("scenes").items
    return images(clip, [Image.open(io.BytesIO(item)) for item in items])


def recall(scores: Any, k: int) -> float:
    own = np.diagonal(scores)[:, None]
    return float(((scores >= own).sum(1) <= k).mean())


def fits(scene: Scene, first: tuple[int, str, str], relation: str, second: tuple[int, str, str]):
    """Tell whether a scene shows ``first`` ``relation`` ``second``, of any size and texture."""
    if scene.second is None:
        return False
    a, b = ((group.count, group.colour, group.shape) for group in scene.groups)
    return (a, scene.relation, b) == (first, relation, second) or (
        b,
        RELATIONS[scene.relation],
        a,
    ) == (first, relation, second)


# --- what it knows ------------------------------------------------------------------------------


def test_two_red_circles_above_a_blue_square_are_found_first_though_never_trained_on(
    clip, sample_vectors
):
    scores = sample_vectors @ texts(clip, [QUERY])[0]
    right = np.array(
        [fits(s, (2, "red", "circle"), "above", (1, "blue", "square")) for s in sample_scenes()]
    )
    n = int(right.sum())
    assert n >= 6
    order = np.argsort(-scores, kind="stable")
    assert right[order[:3]].all()
    assert right[order[:n]].mean() >= 0.8


def test_held_out_combinations_are_matched_both_ways_far_above_chance(clip):
    rng = np.random.default_rng(97)
    scenes = [random_scene(rng, held_out=True) for _ in range(N_HELD_OUT)]
    captions = [caption(scene, rng, full=True) for scene in scenes]
    pictures = [draw(scene, 5_000 + i, side=128) for i, scene in enumerate(scenes)]
    scores = texts(clip, captions) @ images(clip, pictures).T
    chance = 1 / N_HELD_OUT
    for way in (scores, scores.T):
        assert recall(way, 1) > 100 * chance
        assert recall(way, 5) > 0.97


def test_what_stands_where_is_told_when_all_else_is_equal(clip):
    """The same shapes, colours and counts, arranged in another way: bags of words tell nothing."""
    rng = np.random.default_rng(41)
    scenes, others = [], []
    while len(scenes) < 60:
        scene = random_scene(rng, held_out=True)
        if scene.second is not None:
            scenes.append(scene)
            others.append(replace(scene, first=scene.second, second=scene.first))
    captions = texts(clip, [caption(scene, rng, full=True) for scene in scenes])
    own, other = (
        images(clip, [draw(scene, 900 + i) for i, scene in enumerate(drawn)])
        for drawn in (scenes, others)
    )
    assert ((captions * own).sum(1) > (captions * other).sum(1)).mean() > 0.9


@pytest.mark.parametrize(
    ("query", "change"),
    [
        ("three green stars to the left of a black cross", {"relation": "right of"}),
        ("three green stars to the left of a black cross", {"relation": "above"}),
        ("three green stars to the left of a black cross", {"colour": "blue"}),
        ("three green stars to the left of a black cross", {"count": 1}),
        ("three green stars to the left of a black cross", {"shape": "triangle"}),
        ("three striped green stars to the left of a black cross", {"texture": "plain"}),
        ("three large green stars to the left of a black cross", {"size": "small"}),
    ],
)
def test_a_picture_that_differs_in_one_thing_fits_a_caption_less(clip, query, change):
    look = {
        "texture": "striped" if "striped" in query else "plain",
        "size": "large" if "large" in query else "small",
    }
    scene = Scene(Group(3, "star", "green", **look), Group(1, "cross", "black"), "left of")
    other = (
        replace(scene, **change)
        if "relation" in change
        else replace(scene, first=replace(scene.first, **change))
    )
    seeds = range(8)
    scores = (
        texts(clip, [query])
        @ images(clip, [draw(s, seed) for s in (scene, other) for seed in seeds]).T
    )
    right, wrong = scores[0, : len(seeds)], scores[0, len(seeds) :]
    assert right.mean() > wrong.mean()
    assert (right > wrong).mean() >= 0.75


def test_digits_kept_out_of_training_are_named(clip):
    from sklearn.datasets import load_digits

    values = load_digits().target
    items = load_sample("digits").items
    rows = range(0, len(values), 15)  # every fifth was kept out
    pictures = [Image.open(io.BytesIO(items[i])) for i in rows]
    names = texts(clip, [f"a handwritten digit {name}" for name in DIGITS])
    answers = (images(clip, pictures) @ names.T).argmax(1)
    assert (answers == values[list(rows)]).mean() > 0.8


def test_words_around_a_query_and_other_spellings_do_not_lead_astray(clip, sample_vectors):
    rows = np.argsort(-(sample_vectors @ texts(clip, [QUERY])[0]))[:20]
    for other in (f"please {QUERY}", QUERY.upper(), f"{QUERY}!", QUERY.replace("two", "2")):
        again = np.argsort(-(sample_vectors @ texts(clip, [other])[0]))[:20]
        assert len(set(rows) & set(again)) >= 12, other


@pytest.mark.parametrize("text", ["", " ", "\ud800", "🟥🟥", "x" * 50_000, "red " * 5_000, "零"])
def test_odd_texts_have_a_vector(clip, text):
    assert clip.tokenize([text]).shape == (1, 24)
    vector = texts(clip, [text])[0]
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_no_texts_give_no_tokens(clip):
    assert clip.tokenize([]).shape == (0, 24)


# --- its files ----------------------------------------------------------------------------------


def test_open_clip_itself_reads_the_folder_and_agrees(clip):
    import open_clip
    import torch

    name = f"local-dir:{tiny_clip.FOLDER}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    tokenizer = open_clip.get_tokenizer(name)
    picture = draw(sample_scenes()[0], 3, side=200)
    assert torch.equal(preprocess(picture), clip.preprocess(picture))
    asked = [QUERY, "Étoile", ""]
    assert torch.equal(tokenizer(asked), clip.tokenize(asked))
    with torch.inference_mode():
        theirs = model.eval().encode_text(tokenizer(asked), normalize=True).numpy()
    np.testing.assert_allclose(theirs, texts(clip, asked), atol=1e-6)


def test_training_saw_pictures_exactly_as_they_are_prepared_now(clip):
    picture = draw(sample_scenes()[0], 3)
    ours = tiny_clip.as_input(np.array(picture)[None])[0].numpy()
    np.testing.assert_allclose(ours, clip.preprocess(picture).numpy(), atol=1e-6)


def test_the_card_of_the_model_tells_its_figures_beside_chance():
    about = json.loads((tiny_clip.FOLDER / "training.json").read_text(encoding="utf-8"))
    assert about["weights_sha256"] == tiny_clip.WEIGHTS_SHA256
    held_out = about["held_out"]
    assert held_out["candidates"] == 500
    for way in ("text_to_image", "image_to_text"):
        assert held_out[f"{way}_recall@1"] > 100 * held_out["chance_recall@1"]
        assert held_out[f"{way}_recall@5"] > held_out[f"{way}_recall@1"]
    assert {"cpu_seconds", "seed", "threads", "steps"} <= set(about)
    told = f"{held_out['text_to_image_recall@1']:.3f}".removeprefix("0")
    assert f"first for {told} of the captions (chance .002)" in " ".join(tiny_clip.ABOUT)


def test_the_folder_stays_small():
    size = sum(path.stat().st_size for path in tiny_clip.FOLDER.iterdir())
    assert size < 15_000_000


def test_weights_that_were_tampered_with_are_refused(tmp_path):
    shutil.copytree(tiny_clip.FOLDER, tmp_path, dirs_exist_ok=True)
    weights = tmp_path / tiny_clip.WEIGHTS
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(EmbedderUnavailable, match="not those of this version"):
        tiny_clip.load_folder(tmp_path, tiny_clip.WEIGHTS_SHA256)


def test_missing_weights_are_told_in_a_sentence(tmp_path):
    with pytest.raises(EmbedderUnavailable, match="are missing"):
        tiny_clip.load_folder(tmp_path, tiny_clip.WEIGHTS_SHA256)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(tiny_clip, "missing_packages", lambda: ["open_clip"])
    tiny_clip.load.cache_clear()
    with pytest.raises(EmbedderUnavailable, match="needs open_clip"):
        tiny_clip.load()
