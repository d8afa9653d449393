"""Pretrained models by name: where they are found, which names are none, what offline means."""

from __future__ import annotations

import hashlib
import json
import os

import pytest
import small_hub

from core.errors import EmbedderUnavailable, ParameterError
from core.home import models_folder
from embedders import same_weights
from embedders.base import Availability
from embedders.hub_download import check_downloads, fetch, look_up
from embedders.hub_model import (
    HubModel,
    WebFile,
    at_hand,
    availability,
    hub_endpoint,
    identity,
    locate,
    ready_models,
    required,
)
from embedders.model_files import CLIP_FILES, TEXT_FILES

FILES = small_hub.text_model_files(size=4_000)
WEIGHTS = hashlib.sha256(FILES["model.safetensors"]).hexdigest()


@pytest.fixture(autouse=True)
def _nothing_here(tmp_path, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    for name in ("HF_ENDPOINT", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE",
                 "TRANSFORMERS_OFFLINE", "EMBEDSCOPE_DOWNLOADS", "EMBEDSCOPE_MODEL_FOLDERS",
                 "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


def save(folder, files=FILES):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@pytest.mark.parametrize(
    ("name", "repo", "revision"),
    [
        ("gpt2", "gpt2", "main"),
        ("org/model-1.5_b", "org/model-1.5_b", "main"),
        ("org/model@v1.0", "org/model", "v1.0"),
        ("org/model@" + "a" * 40, "org/model", "a" * 40),
    ],
)
def test_names_of_the_hub(name, repo, revision):
    source = HubModel(name)
    assert (source.repo, source.revision, source.host) == (repo, revision, "huggingface.co")


@pytest.mark.parametrize(
    "name",
    ["", " ", "a b/c", "../x", "org/../../etc", "org/..", "org/x/y", "org//x", "org/x?y", "-x/y",
     "org/x\n", "org/x@", "org/x@a/b", "org--x/y", "x" * 200, "org/mödel", "https://hf.co/org/x",
     "a\\b", "%2e%2e/x", "org/x.", ".hidden/x"],
)  # fmt: skip
def test_what_is_no_name_is_refused_with_an_example(name):
    with pytest.raises(ParameterError, match=r"not the name of a model.*such as sentence-trans"):
        HubModel(name)


def test_a_model_that_is_not_here_says_what_could_be_done():
    ready = availability(HubModel("org/far", mb=90))
    assert ready == Availability(
        "needs_download",
        "org/far is not on this machine; it can be downloaded from huggingface.co (90 MB).",
        90,
    )
    assert "size shown before it starts" in availability(HubModel("org/far")).hint
    assert availability(None) == Availability("ready")
    with pytest.raises(EmbedderUnavailable, match=r"can be downloaded from .* MiniLM is ready"):
        required(HubModel("org/far", instead="MiniLM is ready."))
    assert locate(HubModel("org/far")) is None


def test_a_model_that_somebody_put_into_the_models_folder_is_found_by_its_name():
    save(models_folder() / "org" / "mine")
    save(models_folder() / "alone")
    found = required(HubModel("org/mine"))
    assert found.path == models_folder() / "org" / "mine"
    assert found.provenance() == {
        "model": "org/mine",
        "model_from": "a local folder",
        "model_commit": "",
        "weights_sha256": WEIGHTS,
    }
    assert not found.is_pickled
    assert ready_models(TEXT_FILES) == ("alone", "org/mine")
    assert ready_models(CLIP_FILES) == ()
    assert at_hand(HubModel("org/mine@v2")) is None  # which version it is nobody knows


def test_another_second_shard_of_a_folder_is_seen():
    names = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    files = {name: data for name, data in FILES.items() if name != "model.safetensors"}
    index = json.dumps({"weight_map": {"a": names[0], "b": names[1]}}).encode()
    files |= {"model.safetensors.index.json": index, names[0]: b"first", names[1]: b"second"}
    folder = save(models_folder() / "org" / "large", files)
    before = required(HubModel("org/large")).provenance()
    assert before["weights_sha256"] == hashlib.sha256(b"first").hexdigest()
    state = same_weights.kept(before)
    same_weights.check(state, required(HubModel("org/large")).provenance(), "org/large")
    (folder / names[1]).write_bytes(b"anders")
    after = required(HubModel("org/large")).provenance()
    with pytest.raises(EmbedderUnavailable, match="no longer those"):
        same_weights.check(state, after, "org/large")
    first_alone = {same_weights.WEIGHTS: state[same_weights.WEIGHTS]}  # of an earlier version
    same_weights.check(first_alone, after, "org/large")


def test_a_path_is_a_model_only_where_models_may_be_loaded_from(tmp_path, monkeypatch):
    folder = save(tmp_path / "elsewhere" / "model")
    source = HubModel(str(folder))
    with pytest.raises(EmbedderUnavailable, match=r"not loaded from .*EMBEDSCOPE_MODEL_FOLDERS"):
        availability(source)
    listed = os.pathsep.join([str(tmp_path / "other"), str(tmp_path / "elsewhere")])
    monkeypatch.setenv("EMBEDSCOPE_MODEL_FOLDERS", listed)
    assert locate(source) == folder
    (folder / "tokenizer.json").unlink()
    assert availability(source).state == "needs_extra"
    assert "it lacks tokenizer files" in availability(source).hint
    assert "no folder" in availability(HubModel(str(folder / "nothing"))).hint
    monkeypatch.setenv("EMBEDSCOPE_MODEL_FOLDERS", "any")
    assert locate(HubModel(str(save(tmp_path / "anywhere")))) is not None


@pytest.mark.parametrize("folders", ["", "any"])
@pytest.mark.parametrize(
    "typed", ["~no-such-user-here/model", "/a\0b", "/" + "a" * 5_000, "./" + "a/" * 3_000]
)
def test_a_path_that_cannot_be_one_is_refused_in_a_short_sentence(typed, folders, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_MODEL_FOLDERS", folders)
    source = HubModel(typed)
    with pytest.raises(EmbedderUnavailable) as caught:
        required(source)
    assert len(str(caught.value)) < 600
    assert identity(source) == ""


def test_a_link_out_of_the_models_folder_is_not_followed(tmp_path):
    save(tmp_path / "secret")
    models_folder().mkdir(parents=True)
    (models_folder() / "inside").symlink_to(tmp_path / "secret")
    with pytest.raises(EmbedderUnavailable, match="not loaded from"):
        locate(HubModel(f"{models_folder()}/inside"))
    with pytest.raises(EmbedderUnavailable, match="not loaded from"):
        locate(HubModel(f"{models_folder()}/../../secret"))


def test_a_model_whose_name_only_begins_like_the_folder_of_downloads_is_listed():
    save(models_folder() / "hubert-base")
    save(models_folder() / "hubs" / "mine")
    save(models_folder() / "hub" / "text")  # where downloads lie nothing else is a model
    assert ready_models(TEXT_FILES) == ("hubert-base", "hubs/mine")


def test_a_model_in_the_cache_of_huggingface_hub_counts_as_here(tmp_path):
    from huggingface_hub import snapshot_download

    with small_hub.small_hub() as hub:
        repo = hub.add("org/tiny", FILES)
        snapshot_download("org/tiny", endpoint=hub.url, cache_dir=tmp_path / "hf" / "hub")
    found = required(HubModel("org/tiny"))
    assert (found.origin, found.commit) == ("the Hugging Face cache", repo.commit)
    assert found.provenance()["weights_sha256"] == WEIGHTS
    assert (found.path / "config.json").read_bytes() == FILES["config.json"]
    assert [p.name for p in found.weights] == ["model.safetensors"]
    assert required(HubModel(f"org/tiny@{repo.commit}")).path == found.path
    assert at_hand(HubModel("org/tiny@v9")) is None
    assert ready_models(TEXT_FILES) == ("org/tiny",)
    assert look_up(HubModel("org/tiny")) == ()
    (found.path / "tokenizer.json").unlink()  # a cache that was broken off
    assert at_hand(HubModel("org/tiny")) is None


def test_another_version_of_a_model_is_another_run():
    source = HubModel("mine")
    assert identity(source) == ""
    folder = save(models_folder() / "mine")
    first = identity(source)
    assert first
    assert first == identity(source)
    assert identity(HubModel("other", beside=(source,))) == ""
    (folder / "model.safetensors").write_bytes(FILES["model.safetensors"] + b"more")
    assert identity(source) not in {"", first}
    assert identity(HubModel("/not/allowed")) == ""


@pytest.mark.parametrize("changed", ["1_Pooling/config.json", "tokenizer.json", "modules.json"])
def test_another_pooling_or_tokenizer_is_another_version_too(changed):
    folder = save(models_folder() / "mine")
    first = identity(HubModel("mine"))
    (folder / changed).write_bytes(FILES[changed] + b" ")
    assert identity(HubModel("mine")) != first


def test_what_it_needs_beside_counts_too():
    save(models_folder() / "main")
    both = HubModel("main", beside=(HubModel("words"),))
    assert at_hand(both) is None
    assert availability(both).hint.startswith("words is not on this machine")
    save(models_folder() / "words")
    assert [one.source.name for one in required(both).beside] == ["words"]
    assert required(both).provenance()["model_beside"][0]["model"] == "words"


@pytest.mark.parametrize("variable", ["EMBEDSCOPE_DOWNLOADS", "HF_HUB_OFFLINE"])
def test_switched_off_nothing_is_asked_and_what_is_ready_is_offered(variable, monkeypatch):
    save(models_folder() / "mine")
    with small_hub.small_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv(variable, "off" if variable == "EMBEDSCOPE_DOWNLOADS" else "1")
        for ask in (check_downloads, look_up, lambda s: fetch(s, consent=True)):
            with pytest.raises(
                EmbedderUnavailable, match=rf"switched off .*\({variable}\).*already: mine\."
            ):
                ask(HubModel("org/tiny"))
        assert hub.asked == []


@pytest.mark.parametrize(
    "text", ["ftp://x", "huggingface.co", "http://", "http://a b", "file:///x"]
)
def test_an_endpoint_that_is_no_address_is_told(text, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", text)
    with pytest.raises(ParameterError, match="HF_ENDPOINT must be an http address"):
        hub_endpoint()


def test_a_file_of_the_web_needs_encryption_and_a_digest():
    with pytest.raises(ParameterError, match="https address"):
        WebFile("clip", url="http://example.org/a.pt", digest="sha256:" + "0" * 64)
    for digest in ("", "sha256:12", "md5:" + "0" * 32, "sha256:" + "g" * 64):
        with pytest.raises(ParameterError, match="needs the digest"):
            WebFile("clip", url="https://example.org/a.pt", digest=digest)


def test_a_folder_in_the_models_folder_that_is_no_model_is_not_offered_for_download():
    own = models_folder() / "mine"
    own.mkdir(parents=True)
    (own / "config.json").write_text("{}", encoding="utf-8")
    (own / "tokenizer.json").write_text("{}", encoding="utf-8")
    told = availability(HubModel("mine"))
    assert told.state == "needs_extra"
    assert "it lacks weights" in told.hint
    assert availability(HubModel("mine@v2")).state == "needs_download"
