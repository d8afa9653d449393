"""CLIP: its features are open_clip's, words find pictures, and what does not fit is told."""

from __future__ import annotations

import io
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image
from small_clip import CONFIGS, ROBERTA, TRANSFORMS, save_small_clip, save_words, small_network
from small_datasets import image_dataset, make_texts, small_pairs
from small_hub import files_of, small_hub

from core.errors import EmbedderUnavailable, ParameterError, QueryError, UnreadableSource
from core.modality import Modality
from embedders import get_embedder, precision
from embedders.clip_checkpoints import TABLE, checkpoints, listed_by_open_clip, resolve
from embedders.clip_model import load
from ingest.dataset import Dataset
from ingest.image_codec import decode, encode_png
from ingest.scenes import COLOURS, Group, Scene, draw
from tests.conftest import run_python, shared_data

TEXTS = ["a red circle above a blue square", "cat", "", "two two dog dog"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return a folder per family of models, readable as the models folder of the home."""
    home = tmp_path_factory.mktemp("home")
    made = {family: save_small_clip(home / "models" / family, family) for family in CONFIGS}
    tower = save_words(home / "models" / "small" / "roberta")
    (tower / "config.json").write_text(json.dumps(ROBERTA))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDSCOPE_HOME", str(home))
        yield made


@pytest.fixture
def hub(monkeypatch, tmp_path):
    monkeypatch.setenv("EMBEDSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    with small_hub() as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        yield served


def png(pixels) -> bytes:
    return encode_png(np.asarray(pixels, np.uint8))


def images_of(*files: bytes) -> Dataset:
    return Dataset("images", Modality.IMAGE, tuple(f"i{i}" for i in range(len(files))), list(files))


def local(folders, family, **params):
    return get_embedder("clip", model=f"local-dir:{folders[family]}", **params)


@pytest.mark.parametrize("family", CONFIGS)
def test_features_equal_those_of_open_clips_own_functions(folders, family):
    import torch
    from open_clip.transform import PreprocessCfg, image_transform_v2

    network = small_network(family)
    embedder = local(folders, family, normalise=False)
    photos = images_of(*image_dataset().items[:4], png(np.arange(40 * 90 * 3).reshape(40, 90, 3)))
    found = embedder.fit(photos).vectors(photos)
    cfg = PreprocessCfg(size=CONFIGS[family]["vision_cfg"]["image_size"], **TRANSFORMS[family])
    prepare = image_transform_v2(cfg, is_train=False)
    batch = torch.stack([prepare(Image.fromarray(decode(data))) for data in photos.items])
    with torch.inference_mode():
        expected = network.encode_image(batch, normalize=False).numpy()
    np.testing.assert_allclose(found.matrix, expected, atol=1e-5)
    assert found.provenance["logit_scale"] == pytest.approx(network.logit_scale.exp().item())

    ids = _open_clips_tokens(folders[family], TEXTS)
    with torch.inference_mode():
        expected = network.encode_text(ids, normalize=False).numpy()
    texts = make_texts(TEXTS)
    np.testing.assert_allclose(embedder.vectors(texts).matrix, expected, atol=1e-5)
    unit = local(folders, family).fit(texts).vectors(texts).matrix
    np.testing.assert_allclose(
        unit, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5
    )


def _open_clips_tokens(folder, texts):
    import open_clip

    return open_clip.get_tokenizer(f"local-dir:{folder}")(texts)


def test_a_siglip_model_keeps_its_bias_and_squashes_its_images(folders):
    data = image_dataset()
    about = local(folders, "siglip").fit(data).vectors(data).provenance
    assert about["logit_bias"] == -10
    assert any("160 × 160" in note and "both edges" in note for note in about["notes"])


def test_pairs_share_one_space_and_keep_their_sides(folders):
    data = small_pairs(Modality.TEXT, Modality.IMAGE)
    embedder = local(folders, "clip").fit(data)
    vectors = embedder.vectors(data)
    assert vectors.kind_names == ("text", "image")
    n = data.sides.n_left
    np.testing.assert_allclose(embedder.embed_query(data.items[1]), vectors.matrix[1], atol=1e-5)
    np.testing.assert_allclose(
        embedder.embed_query(data.items[n + 1]), vectors.matrix[n + 1], atol=1e-5
    )


def test_a_template_surrounds_texts_and_queries(folders):
    plain = local(folders, "clip").fit(make_texts())
    framed = local(folders, "clip", template="a photo of {}").fit(make_texts())
    assert framed.embed_query("cat").tobytes() == plain.embed_query("a photo of cat").tobytes()
    notes = framed.vectors(make_texts(["cat"])).provenance["notes"]
    assert any("“a photo of {}”" in note for note in notes)
    for wrong in ("a photo of", "{} and {}"):
        with pytest.raises(ParameterError, match="template"):
            get_embedder("clip", template=wrong)


@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_cut_texts_are_counted_and_those_that_just_fit_are_not(folders, family):
    room = {"clip": 10, "siglip": 11}[family]  # of 12 tokens; start and end take their place
    texts = make_texts(["cat " * room, "cat " * (room + 1), "cat " * 100_000, ""])
    vectors = local(folders, family).fit(texts).vectors(texts)
    assert vectors.provenance["n_truncated"] == 2
    assert vectors.provenance["truncated"] == [texts.ids[1], texts.ids[2]]
    cut = f'2 of 4 texts were longer and were cut: "{texts.ids[1]}", "{texts.ids[2]}".'
    assert any(cut in note for note in vectors.provenance["notes"])


def test_the_bundled_model_counts_cut_texts_by_its_own_tokens():
    room = load(resolve("tiny_clip")).context_length - 2  # start and end take their place
    texts = make_texts(["red " * room, "red " * (room + 1)])
    about = get_embedder("clip").fit(texts).vectors(texts).provenance
    assert about["n_truncated"] == 1


def test_odd_shapes_and_depths_embed_in_little_memory(folders):
    ramp = np.tile(np.linspace(0, 255, 20_000), (1, 1))
    wide, high = png(ramp), png(ramp.T)
    single, square = png([[7]]), png(np.full((64, 64, 3), 7))
    for family in ("clip", "siglip", "roberta"):  # the three ways to bring an image to size
        data = images_of(wide, high, single, square)
        matrix = local(folders, family).fit(data).vectors(data).matrix
        np.testing.assert_allclose(matrix[2], matrix[3], atol=1e-5)  # one colour, whatever size
        assert np.isfinite(matrix).all()


def test_the_middle_of_a_long_image_is_what_the_model_sees(folders):
    rng = np.random.default_rng(0)
    strip = rng.integers(0, 255, (40, 1_000, 3)).astype(np.uint8)
    middle = strip[:, 480:520]
    data = images_of(png(strip), png(middle), png(strip[:, :40]))
    whole, cut, start = local(folders, "clip").fit(data).vectors(data).matrix
    assert whole @ cut > 0.999 > whole @ start


def test_every_valid_odd_image_embeds(folders):
    files = sorted(p for p in shared_data("odd_images_valid").rglob("*") if p.is_file())
    images = {p.name: p.read_bytes() for p in files if p.suffix not in {".md", ".txt", ".json"}}
    assert len(images) >= 54
    data = images_of(*images.values())
    assert np.isfinite(local(folders, "clip").fit(data).vectors(data).matrix).all()


def test_a_broken_image_is_named(folders):
    good = image_dataset().items[0]
    data = images_of(good, good[: len(good) // 2])
    with pytest.raises(UnreadableSource, match="i1 cannot be read"):
        local(folders, "clip").fit(data).vectors(data)
    with pytest.raises(QueryError, match="cannot be read as an image"):
        local(folders, "clip").fit(data).embed_query(b"no image")


def test_transparent_parts_are_white(folders):
    clear = np.zeros((20, 20, 4), np.uint8)
    data = images_of(png(clear), png(np.full((20, 20, 3), 255)))
    first, second = local(folders, "clip").fit(data).vectors(data).matrix
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_unknown_names_are_answered_with_those_that_look_alike():
    for model, checkpoint, words in [
        ("ViT-B-33", "", "Did you mean ViT-B-32"),
        ("ViT-B-32", "laion2b", "laion2b_e16"),
        ("ViT-B-32", "/nowhere/weights.pt", "EMBEDSCOPE_MODEL_FOLDERS"),
        ("coca_base", "", "lists no checkpoint of coca_base"),
        ("tiny_clip", "openai", "takes no other"),
        ("hf-hub:..", "", "is not the name of a model"),
    ]:
        embedder = get_embedder("clip", model=model, checkpoint=checkpoint)
        with pytest.raises((ParameterError, EmbedderUnavailable), match=words):
            embedder.fit(make_texts())
        told = embedder.availability(embedder.params)
        assert told.state == "needs_extra"
        assert words in told.hint
        assert embedder.needs(embedder.params) is None


def test_every_checkpoint_that_open_clip_lists_is_known_by_name():
    listed = listed_by_open_clip()
    assert json.loads(TABLE.read_text()) == listed
    for architecture, tags in listed.items():
        assert checkpoints(architecture) == tuple(tags)
        for tag, place in tags.items():
            source = resolve(architecture, tag).source
            assert place.startswith(f"{source.name}/")
    assert resolve("ViT-B/32").tag == "datacomp_xl_s13b_b90k"
    assert [one.name for one in resolve("xlm-roberta-base-ViT-B-32").source.all()] == [
        "laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k",
        "xlm-roberta-base",
    ]


def test_a_file_of_weights_fills_the_architecture_it_was_made_for(folders, tmp_path, monkeypatch):
    import open_clip.factory as factory
    import torch

    import embedders.clip_model as clip_model

    config = {**CONFIGS["clip"], "quick_gelu": True}
    monkeypatch.setitem(factory._MODEL_CONFIGS, "RN50", config)
    monkeypatch.setattr(clip_model, "architecture_config", lambda _: json.loads(json.dumps(config)))
    monkeypatch.setenv("EMBEDSCOPE_MODEL_FOLDERS", str(tmp_path))
    good, other = tmp_path / "good.pt", tmp_path / "other.pt"
    torch.save({"state_dict": small_network("clip").state_dict()}, good)
    torch.save(small_network("coca").state_dict(), other)
    data = image_dataset()
    embedder = get_embedder("clip", model="RN50", checkpoint=str(good)).fit(data)
    notes = embedder.vectors(data).provenance["notes"]
    assert any("prepared as for the checkpoint openai" in note for note in notes)
    before = embedder.fingerprint(data)
    torch.save({"state_dict": small_network("clip", 1).state_dict()}, good)
    assert embedder.fingerprint(data) != before  # other weights under the same path
    first = embedder.vectors(data).matrix
    again = get_embedder("clip", model="RN50", checkpoint=str(good)).fit(data)
    assert np.abs(again.vectors(data).matrix - first).max() > 0.01
    with pytest.raises(EmbedderUnavailable, match=r"other.pt does not fit RN50 \(other.pt\): .*\."):
        get_embedder("clip", model="RN50", checkpoint=str(other)).fit(data)


def test_weights_of_another_shape_and_files_with_code_are_refused(folders, tmp_path, monkeypatch):
    import torch

    monkeypatch.setenv("EMBEDSCOPE_MODEL_FOLDERS", str(tmp_path))
    copy = tmp_path / "copy"
    shutil.copytree(folders["clip"], copy)
    told = json.loads((copy / "open_clip_config.json").read_text())
    told["model_cfg"]["embed_dim"] = 20
    (copy / "open_clip_config.json").write_text(json.dumps(told))
    refused(copy, r"text_projection is 16 × 12 in the file and 16 × 20 in the architecture")

    torch.save({"state_dict": Touch(tmp_path / "ran")}, copy / "open_clip_pytorch_model.bin")
    (copy / "open_clip_model.safetensors").unlink()
    refused(copy, "read safely")
    assert not (tmp_path / "ran").exists()

    (copy / "open_clip_pytorch_model.bin").unlink()
    (copy / "open_clip_model.safetensors").write_bytes(b"nothing of the kind")
    refused(copy, "read safely")
    (copy / "open_clip_config.json").write_text("{}")
    refused(copy, "does not describe a CLIP model")


def test_a_run_is_not_asked_with_other_weights_than_its_own(folders, tmp_path, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_MODEL_FOLDERS", str(tmp_path))
    folder = shutil.copytree(folders["clip"], tmp_path / "model")
    asked = {"model": f"local-dir:{folder}"}
    state = get_embedder("clip", **asked).fit(make_texts()).state()
    assert get_embedder("clip", **asked).restore(state).embed_query("cat").any()
    save_small_clip(folder, "clip", seed=1)
    again = get_embedder("clip", **asked)
    with pytest.raises(EmbedderUnavailable, match=r"are no longer those .* Embed the data again"):
        again.restore(state)
    assert not again.is_fitted
    assert again.restore({}).embed_query("cat").any()  # of an earlier version: nothing is known


@pytest.mark.skipif(not precision.has_bfloat16(), reason="no bfloat16 in this processor")
@pytest.mark.parametrize("family", ["siglip", "roberta"])  # towers of other libraries
def test_sixteen_bit_arithmetic_is_near_and_its_distance_is_told(folders, family):
    asked = {"model": f"local-dir:{folders[family]}"}
    data = small_pairs(Modality.TEXT, Modality.IMAGE)
    exact = get_embedder("clip", **asked).fit(data)
    rough = get_embedder("clip", **asked, precision="bfloat16").fit(data)
    before, vectors = exact.vectors(data), rough.vectors(data)
    cosines = (before.matrix * vectors.matrix).sum(axis=1)
    assert vectors.matrix.tobytes() != before.matrix.tobytes()
    assert cosines.min() > 0.99
    (note,) = [n for n in vectors.provenance["notes"] if "16-bit" in n]
    mean, lowest = map(float, re.findall(r"0\.9\d+|1\.0+", note))
    assert (mean, lowest) == pytest.approx((cosines.mean(), cosines.min()), abs=2e-3)
    assert "on 24 items" in note
    kept = get_embedder("clip", **asked, precision="bfloat16").restore(rough.state())
    assert kept.embed_query("cat").tobytes() == rough.embed_query("cat").tobytes()
    again = get_embedder("clip", **asked).fit(data)  # the shared model was left alone
    assert again.vectors(data).matrix.tobytes() == before.matrix.tobytes()


@pytest.mark.parametrize(
    ("family", "tells"),
    [("clip", "the last token"), ("siglip", "behind the text"), ("roberta", "one vector of all")],
)
def test_a_text_is_traced_as_far_as_its_tower_allows(folders, family, tells):
    embedder = local(folders, family).fit(make_texts())
    trace = embedder.trace("two red circle")
    words = [token.text for token in trace.tokens]
    assert [word for word in words if word in {"two", "red", "circle"}] == ["two", "red", "circle"]
    assert trace.n_cut == 0
    np.testing.assert_array_equal(trace.vector, embedder.embed_query("two red circle"))
    assert tells in trace.rule
    assert len(trace.matrix) == (0 if family == "roberta" else len(words))
    assert embedder.trace("cat " * 50).n_cut == 50 - {"clip": 10}.get(family, 11)


def test_runs_from_before_there_were_sixteen_bits_keep_their_identity():
    # Written down with a version that had no such setting.
    params = {"model": "tiny_clip", "checkpoint": "", "template": "{}", "normalise": True}
    assert get_embedder("clip")._identity()[2] == params


class Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def refused(folder, words):
    with pytest.raises(EmbedderUnavailable, match=words) as caught:
        get_embedder("clip", model=f"local-dir:{folder}").fit(make_texts())
    assert str(caught.value).endswith(".")
    assert str(folder) not in str(caught.value)


def test_a_model_of_the_hub_is_downloaded_on_consent_and_then_used(hub, tmp_path):
    from embedders.hub_download import fetch

    folder = save_small_clip(tmp_path / "made", "siglip")
    hub.add("small/siglip", files_of(folder))
    embedder = get_embedder("clip", model="hf-hub:small/siglip")
    with pytest.raises(EmbedderUnavailable, match="small/siglip is not on this machine"):
        embedder.fit(make_texts())
    assert embedder.availability(embedder.params).state == "needs_download"
    assert hub.asked == []  # nothing is asked without consent
    fetch(embedder.needs(embedder.params), consent=True)
    n_asked = len(hub.asked)
    assert embedder.availability(embedder.params).state == "ready"
    data = make_texts(["a red circle", "two blue square"])
    ours = embedder.fit(data).vectors(data)
    assert ours.provenance["model_from"] == hub.url.removeprefix("http://")
    assert len(hub.asked) == n_asked
    import torch

    ids = _open_clips_tokens(folder, data.items)
    with torch.inference_mode():
        expected = small_network("siglip").encode_text(ids, normalize=True).numpy()
    np.testing.assert_allclose(ours.matrix, expected, atol=1e-5)


def test_words_find_the_scenes_they_describe_and_scenes_their_words():
    groups = [
        Group(1, shape, colour, size="large")
        for shape, colour in zip(("circle", "star", "cross", "square") * 2, COLOURS, strict=True)
    ]
    files = []
    for seed, group in enumerate(groups):
        buffer = io.BytesIO()
        draw(Scene(group, place="in the middle"), seed).save(buffer, "PNG")
        files.append(buffer.getvalue())
    data = images_of(*files)
    embedder = get_embedder("clip").fit(data)
    pictures = embedder.vectors(data).matrix
    words = make_texts([f"a {group.colour} {group.shape}" for group in groups])
    similar = embedder.vectors(words).matrix @ pictures.T
    rows = np.arange(len(groups))
    assert (similar.argmax(axis=1) == rows).mean() >= 0.75  # chance .125
    assert (similar.argmax(axis=0) == rows).mean() >= 0.75
    notes = " ".join(embedder.vectors(data).provenance["notes"])
    assert "knows nothing of photographs" in notes


def test_naming_models_loads_no_heavy_library():
    words = run_python(
        "import sys\n"
        "from embedders.clip import Clip, ClipParams\n"
        "Clip.availability(ClipParams(model='ViT-B-32', checkpoint='openai'))\n"
        "print('torch' in sys.modules, 'open_clip' in sys.modules)"
    )
    assert words == ["False", "False"]
