"""Models fetched from a hub on this machine: whole, resumable, checked, refused in sentences."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket

import pytest
import small_hub

from core.errors import Cancelled, EmbedderUnavailable, TooLarge, UnsafeSource
from core.home import downloads_folder, models_folder
from embedders import hub_download
from embedders.hub_download import fetch, look_up
from embedders.hub_model import MARKER, HubModel, WebFile, at_hand, availability, required
from embedders.model_files import only

FILES = small_hub.text_model_files(size=3_000_000)
NEEDED = ["1_Pooling/config.json", "config.json", "model.safetensors", "modules.json",
          "tokenizer.json", "tokenizer_config.json"]  # fmt: skip
TINY = HubModel("org/tiny")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with small_hub.in_use(tmp_path, monkeypatch) as one:
        one.add("org/tiny", FILES)
        yield one


class Log:
    def __init__(self, cancel_above=None):
        self.calls, self.cancel_above = [], cancel_above

    def __call__(self, done, total, stage="", note=""):
        self.calls.append((done, total, stage))
        if self.cancel_above is not None and done > self.cancel_above:
            raise Cancelled


def refused(source=TINY, error=EmbedderUnavailable, ask=look_up):
    with pytest.raises(error) as caught:
        ask(source)
    assert at_hand(source) is None
    return str(caught.value)


def agreed(source):
    return fetch(source, consent=True)


def test_looking_up_tells_size_licence_and_commit_and_fetches_nothing(hub):
    (offer,) = look_up(TINY)
    assert [name for name, _ in offer.files] == NEEDED
    assert offer.size == sum(len(FILES[name]) for name in NEEDED)
    assert (offer.mb, offer.licence, offer.commit) == (
        3,
        "apache-2.0",
        hub.repos["org/tiny"].commit,
    )
    assert not offer.is_pickled
    assert hub.files_asked() == []
    sent = {name.lower() for headers in hub.headers for name in headers}
    assert not sent & {"authorization", "cookie"}


def test_a_fetched_model_is_whole_pinned_and_known_as_ready(hub):
    assert availability(TINY).state == "needs_download"
    log = Log()
    folder = fetch(TINY, log, consent=True)
    assert hub.files_asked() == NEEDED  # no pickle, no code, nothing twice
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()) == (
        sorted([*NEEDED, MARKER])
    )
    assert all((folder / name).read_bytes() == FILES[name] for name in NEEDED)
    assert availability(TINY).state == "ready"
    assert required(TINY).provenance() == {
        "model": "org/tiny",
        "model_from": TINY.host,
        "model_commit": hub.repos["org/tiny"].commit,
        "weights_sha256": hashlib.sha256(FILES["model.safetensors"]).hexdigest(),
    }
    assert list(downloads_folder().iterdir()) == []
    done = [n for n, total, stage in log.calls if stage.startswith("downloading") and total]
    assert done == sorted(done)
    assert set(done) >= {0, 1, 2, 3}
    assert {total for _, total, _ in log.calls} <= {0, 3}
    n_asked = len(hub.asked)
    assert fetch(TINY, consent=True) == folder
    assert len(hub.asked) == n_asked


def test_without_consent_nothing_is_asked(hub):
    with pytest.raises(EmbedderUnavailable, match="org/tiny is not on this machine"):
        fetch(TINY)
    assert hub.asked == []


def test_a_broken_transfer_goes_on_where_it_stopped(hub):
    hub.breaks_at = 1_000_000
    fetch(TINY, consent=True)
    ranges = [asked for _, path, asked in hub.asked if path.startswith("/large/")]
    assert ranges == [None, "bytes=1000000-"]
    assert availability(TINY).state == "ready"


def test_a_cancelled_download_leaves_nothing_that_looks_ready_and_is_continued(hub):
    with pytest.raises(Cancelled):
        fetch(TINY, Log(cancel_above=1), consent=True)
    assert at_hand(TINY) is None
    assert not TINY.folder.exists()
    before = len(hub.asked)
    fetch(TINY, consent=True)
    asked = [(path.rsplit("/", 1)[-1], part) for _, path, part in hub.asked[before:]]
    assert ("config.json", None) not in asked  # was whole
    parts = [part for name, part in asked if part]
    assert parts
    assert all(part.startswith("bytes=") for part in parts)
    assert availability(TINY).state == "ready"


def test_a_model_that_changed_between_two_attempts_is_not_mixed(hub):
    with pytest.raises(Cancelled):
        fetch(TINY, Log(cancel_above=1), consent=True)
    changed = {**FILES, "config.json": b'{"model_type": "other"}'}
    hub.add("org/tiny", {**changed, "model.safetensors": FILES["model.safetensors"][::-1]})
    folder = fetch(TINY, consent=True)
    assert (folder / "config.json").read_bytes() == changed["config.json"]
    assert required(TINY).commit == hub.repos["org/tiny"].commit


def test_a_corrupt_file_is_refused_and_deleted(hub):
    hub.corrupts = True
    told = refused(error=UnsafeSource, ask=agreed)
    assert "not the published org/tiny (model.safetensors) (SHA256" in told
    assert not list(downloads_folder().rglob("model.safetensors*"))
    hub.corrupts = False
    fetch(TINY, consent=True)


def test_small_files_are_checked_by_the_id_under_which_git_keeps_them(hub, monkeypatch):
    honest = small_hub.git_id
    monkeypatch.setattr(small_hub, "git_id", lambda data: honest(data + b"other"))
    assert "not the published org/tiny (1_Pooling/config.json) (GITSHA1" in refused(
        error=UnsafeSource, ask=agreed
    )


def test_a_model_that_was_damaged_on_disk_is_fetched_again(hub):
    folder = fetch(TINY, consent=True)
    (folder / "model.safetensors").write_bytes(b"short")
    assert availability(TINY).state == "needs_download"
    fetch(TINY, consent=True)
    assert (folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_a_name_that_does_not_exist(hub):
    told = refused(HubModel("org/nothing"))
    assert "has no model org/nothing that anybody may download (HTTP 401)" in told
    assert "Check the spelling" in told


def test_a_revision_that_does_not_exist(hub):
    assert "has no revision 'v9' of org/tiny" in refused(HubModel("org/tiny@v9"))


def test_a_named_commit_is_what_comes(hub):
    commit = hub.repos["org/tiny"].commit
    assert required_after(HubModel(f"org/tiny@{commit}")).commit == commit
    assert at_hand(TINY) is None


def required_after(source):
    fetch(source, consent=True)
    return required(source)


@pytest.mark.parametrize("how", ["listed", "answered"])
def test_a_gated_model_says_what_its_owner_wants(hub, how):
    if how == "listed":
        hub.add("org/tiny", FILES, gated="manual")
    else:
        hub.status, hub.error_code = 403, "GatedRepo"
    told = refused()
    assert "org/tiny is gated" in told
    assert "models folder" in told
    assert hub.files_asked() == []


@pytest.mark.parametrize(
    ("status", "told"),
    [(404, "has no model"), (401, "has no model"), (500, "a fault just now"), (429, "too many")],
)
def test_a_hub_that_refuses_gives_its_code_and_what_is_ready(hub, status, told):
    fetch(HubModel("org/tiny@main"), consent=True)
    hub.status = status
    text = refused(HubModel("org/other"))
    assert told in text
    assert f"HTTP {status}" in text
    assert "On this machine already: org/tiny" in text


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_file_that_is_refused_leaves_nothing_ready(hub, status):
    hub.file_status = status
    assert f"refused org/tiny (1_Pooling/config.json) (HTTP {status})" in refused(ask=agreed)


@pytest.mark.parametrize(
    "answer",
    [b"", b"<html>", b"[]", b"null", b'{"sha": "x", "siblings": []}', b'{"siblings": "none"}',
     json.dumps({"sha": "a" * 40, "siblings": [{"rfilename": "a"}]}).encode(),
     json.dumps({"sha": "a" * 40, "siblings": [{"rfilename": "a", "size": -1,
                 "blobId": "b" * 40}]}).encode(),
     json.dumps({"sha": "a" * 40, "siblings": [{"rfilename": "a", "size": 1,
                 "lfs": {"sha256": "short", "size": 1}}]}).encode(),
     b"\xff" * 100],
)  # fmt: skip
def test_an_answer_that_is_none_is_told(hub, answer):
    hub.answer = answer
    assert "does not describe a model" in refused()


@pytest.mark.parametrize("name", ["../../evil/config.json", "/etc/config.json", "a\\..\\b"])
def test_a_list_with_a_path_out_of_the_folder_is_refused(hub, name):
    hub.add("org/tiny", {**FILES, name: b"{}"})
    assert "would leave the model's folder" in refused(error=UnsafeSource)


def test_a_repository_without_a_model_says_what_it_lacks(hub):
    hub.add("org/data", {"README.md": b"", "train.csv": b""})
    assert "it lacks weights" in refused(HubModel("org/data"))
    hub.add("org/flax", {"config.json": b"{}", "vocab.txt": b"", "flax_model.msgpack": b""})
    assert "it lacks weights" in refused(HubModel("org/flax"))


def test_a_model_larger_than_the_disk_is_refused_before_anything_comes(hub, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=2_000_000)
    monkeypatch.setattr(hub_download.shutil, "disk_usage", lambda _: usage)
    told = refused(error=TooLarge, ask=agreed)
    assert "org/tiny needs 3 MB of disk, 2 MB are free" in told
    assert hub.files_asked() == []


def test_a_model_larger_than_agreed_is_refused(hub):
    with pytest.raises(TooLarge, match="would be 3 MB by now, and 1 MB were agreed"):
        fetch(TINY, consent=True, at_most_mb=1)
    assert hub.files_asked() == []
    fetch(TINY, consent=True, at_most_mb=3)


def test_without_a_network_one_sentence_offers_what_is_ready(hub, monkeypatch):
    fetch(TINY, consent=True)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
    told = refused(HubModel("org/far", instead="MiniLM is packaged."))
    assert "cannot be reached, so org/far was not downloaded. MiniLM is packaged." in told
    assert told.endswith("On this machine already: org/tiny.")


def test_weights_that_come_only_as_a_pickle_are_said_to(hub):
    files = {name: data for name, data in FILES.items() if not name.endswith(".safetensors")}
    hub.add("org/old", files)
    (offer,) = look_up(HubModel("org/old"))
    assert offer.is_pickled
    assert required_after(HubModel("org/old")).is_pickled


def test_empty_files_arrive_too(hub):
    hub.add("org/tiny", {**FILES, "merges.txt": b""})
    assert (fetch(TINY, consent=True) / "merges.txt").read_bytes() == b""


def test_what_is_needed_beside_comes_with_it(hub):
    hub.add("org/words", {"tokenizer.json": b"{}", "config.json": b"{}"})
    both = HubModel("org/tiny", beside=(HubModel("org/words", only("tokenizer.json")),))
    assert [offer.source.name for offer in look_up(both)] == ["org/tiny", "org/words"]
    fetch(both, consent=True)
    (words,) = required(both).beside
    assert (words.path / "tokenizer.json").read_bytes() == b"{}"
    assert look_up(both) == ()


def test_a_file_at_an_address_is_checked_by_the_digest_in_its_name(hub):
    data = bytes(range(256)) * 5_000
    hub.add("web", {"model-v1.pt": data})
    digest = hashlib.sha256(data).hexdigest()
    url = f"{hub.url}/web/resolve/main/model-v1.pt"
    source = WebFile("ViT-B-32 · openai", url=url, digest=f"sha256:{digest[:8]}")
    (offer,) = look_up(source)
    assert (offer.size, offer.is_pickled) == (len(data), True)
    path = fetch(source, consent=True)
    assert (path.name, path.read_bytes()) == ("model-v1.pt", data)
    assert required(source).weights == (path,)
    assert required(source).provenance()["weights_sha256"] == digest
    wrong = WebFile("wrong", url=url, digest="sha256:" + "0" * 8)
    assert "not the published wrong" in refused(wrong, error=UnsafeSource, ask=agreed)


def test_models_that_are_not_whole_are_not_listed(hub):
    with pytest.raises(Cancelled):
        fetch(TINY, Log(cancel_above=1), consent=True)
    from embedders.hub_model import ready_models
    from embedders.model_files import TEXT_FILES

    assert ready_models(TEXT_FILES) == ()
    assert not (models_folder() / "hub").exists()
