"""Images: all formats and depths come out upright and 8 bit; broken ones are listed."""

from __future__ import annotations

import io
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from core.errors import ParameterError, TooLarge, UnreadableSource, UnsafeSource, WorkspaceError
from core.modality import Modality
from ingest.dataset import Dataset
from ingest.image_codec import check_image
from ingest.images import (
    READER,
    ImageFolderItems,
    ImageItems,
    decode,
    encode_png,
    thumbnail,
)
from ingest.limits import Limits
from ingest.reader import Certainty, ReadOptions
from ingest.source import Source, as_sources
from tests.conftest import shared_data

OPTIONS = ReadOptions()
RED, BLUE = (255, 0, 0), (0, 0, 255)
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(99)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def flat(colour: object, mode: str = "RGB", size: tuple[int, int] = (4, 3)) -> Image.Image:
    return Image.new(mode, size, colour)


def zip_of(files: dict[str, bytes], name: str = "pets.zip") -> Source:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return Source(name, data=out.getvalue())


def files_of(folder: str) -> list[Source]:
    return as_sources([p for p in sorted(shared_data(folder).iterdir()) if p.name != "SOURCE.md"])


# decode ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_format_decodes_to_rows_columns_and_colours(kind):
    pixels = decode(encoded(flat(RED), kind))
    assert pixels.shape == (3, 4, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - RED).max() <= 3


def test_exif_orientation_is_undone():
    image = flat(RED, size=(8, 16))
    image.paste(BLUE, (0, 0, 8, 8))  # blue above red
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: shown, the top is at the right
    data = encoded(image, "PNG", exif=exif)
    pixels = decode(data)
    assert pixels.shape == (8, 16, 3)
    assert tuple(pixels[0, -1]) == BLUE
    assert tuple(pixels[0, 0]) == RED
    assert (check_image(data).width, check_image(data).height) == (16, 8)


def test_orientation_samples_all_show_the_same_picture():
    folder = shared_data("odd_images_valid")
    pictures = [decode((folder / f"hopper_orientation_{i}.jpg").read_bytes()) for i in range(2, 9)]
    for other in pictures[1:]:
        assert np.abs(pictures[0].astype(int) - other).mean() < 5


def test_transparent_parts_become_white_and_stay_in_rgba():
    data = encoded(flat((0, 0, 0, 0), "RGBA"))
    assert (decode(data) == 255).all()
    assert (decode(data, mode="RGBA")[..., 3] == 0).all()


def test_palette_with_a_transparent_entry_becomes_white():
    image = flat(0, "P")
    image.putpalette([10, 20, 30])
    assert (decode(encoded(image, "PNG", transparency=0)) == 255).all()


def test_sixteen_bit_keeps_its_range():
    half = Image.fromarray(np.full((2, 2), 32_896, np.uint16))
    assert (decode(encoded(half)) == 128).all()


def test_twelve_bit_in_sixteen_is_not_black():
    ramp = Image.fromarray(np.linspace(0, 4095, 16, dtype=np.uint16).reshape(4, 4))
    assert decode(encoded(ramp, "TIFF"), mode="L").max() == 255


def test_float_images_in_the_unit_interval_are_scaled():
    image = Image.fromarray(np.array([[0.0, 0.5], [1.0, 0.25]], np.float32))
    assert decode(encoded(image, "TIFF"), mode="L").tolist() == [[0, 128], [255, 64]]


def test_cmyk_becomes_rgb():
    pixels = decode(encoded(flat((0, 255, 255, 0), "CMYK"), "JPEG"))
    assert pixels[0, 0, 0] > 200
    assert pixels[0, 0, 1] < 60


def test_first_frame_of_an_animation_is_used_and_told():
    data = encoded(flat(RED), "GIF", save_all=True, append_images=[flat(BLUE)])
    assert tuple(decode(data)[0, 0]) == RED
    dataset = READER.read([Source("move.gif", data=data)], OPTIONS)
    assert any("first frame" in note for note in dataset.notes)


@pytest.mark.parametrize("size", [(1, 1), (5000, 1)])
def test_extreme_shapes_have_pixels_and_a_thumbnail(size):
    data = encoded(flat(RED, size=size))
    assert decode(data).shape == (size[1], size[0], 3)
    small = Image.open(io.BytesIO(thumbnail(data)))
    assert max(small.size) == min(64, size[0])
    assert min(small.size) == 1


def test_size_is_width_then_height():
    assert decode(encoded(flat(RED, size=(40, 30))), size=(10, 20), mode="L").shape == (20, 10)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_thumbnail_fits_and_keeps_the_aspect(kind):
    small = Image.open(io.BytesIO(thumbnail(encoded(flat(RED, size=(200, 100))), 64, format=kind)))
    assert small.format == kind
    assert small.size == (64, 32)


def test_too_many_pixels_are_refused_before_decoding():
    with pytest.raises(UnsafeSource, match="100 × 100 pixels, more than the 9,999"):
        check_image(encoded(flat(RED, size=(100, 100))), max_pixels=9_999)


def test_own_png_comes_back_exactly():
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    assert (decode(encode_png(pixels)) == pixels).all()


# items -------------------------------------------------------------------------------------------


def test_folder_items_give_back_the_same_bytes_and_fingerprint(tmp_path):
    images = [encoded(flat(RED)), encoded(flat(BLUE)), encoded(flat(RED))]
    memory = ImageItems(images)
    stored = ImageFolderItems.save(memory, tmp_path)
    assert list(stored) == images
    assert stored[1:] == images[1:]
    assert stored.fingerprint == memory.fingerprint
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 2  # equal images are kept once
    again = ImageFolderItems(tmp_path, stored.hashes)
    assert again[2] == images[0]


def test_folder_items_take_rows_without_reading(tmp_path):
    stored = ImageFolderItems.save([b"a", b"b", b"c"], tmp_path)
    taken = stored.take(np.array([2, 0]))
    for path in [p for p in tmp_path.rglob("*") if p.is_file()]:
        path.unlink()
    assert taken.fingerprint == ImageItems([b"c", b"a"]).fingerprint
    with pytest.raises(WorkspaceError, match="missing from the workspace"):
        taken[0]


def test_dataset_fingerprint_survives_storing_and_differs_by_content(tmp_path):
    images = [encoded(flat(RED)), encoded(flat(BLUE))]

    def dataset(items: object) -> Dataset:
        return Dataset("x", Modality.IMAGE, ("a", "b"), items)

    prints = {
        dataset(items).fingerprint
        for items in (images, ImageItems(images), ImageFolderItems.save(images, tmp_path))
    }
    assert len(prints) == 1
    assert dataset(images[::-1]).fingerprint not in prints


def test_subset_of_stored_images_stays_on_disk(tmp_path):
    stored = ImageFolderItems.save([b"a", b"b"], tmp_path)
    subset = Dataset("x", Modality.IMAGE, ("a", "b"), stored).subset([1])
    assert isinstance(subset.items, ImageFolderItems)
    assert list(subset.items) == [b"b"]


# reader ------------------------------------------------------------------------------------------


def test_zip_with_folders_gives_paths_as_ids_and_folders_as_labels():
    source = zip_of(
        {
            "pets/cat/1.png": encoded(flat(RED)),
            "pets/cat/2.png": encoded(flat(BLUE)),
            "pets/dog/1.png": encoded(flat(BLUE, size=(9, 2))),
        }
    )
    dataset = READER.read([source], OPTIONS)
    assert dataset.ids == ("pets/cat/1.png", "pets/cat/2.png", "pets/dog/1.png")
    assert dataset.columns["folder"].tolist() == ["cat", "cat", "dog"]
    assert dataset.columns["width"].tolist() == [4, 4, 9]
    assert dataset.columns["height"].tolist() == [3, 3, 2]
    assert dataset.label == "folder"
    assert dataset.roles == {"width": "numeric", "height": "numeric", "folder": "label"}
    assert decode(dataset.items[2]).shape == (2, 9, 3)


def test_split_folders_above_class_folders_become_a_second_column():
    names = ["train/cat/1.png", "train/dog/1.png", "test/cat/1.png", "test/dog/1.png"]
    dataset = READER.read([zip_of({n: encoded(flat(RED)) for n in names})], OPTIONS)
    assert dataset.columns["folder"].tolist() == ["cat", "dog", "cat", "dog"]
    assert dataset.columns["outer folder"].tolist() == ["train", "train", "test", "test"]
    assert dataset.roles["outer folder"] == "categorical"


def test_one_folder_is_no_label():
    dataset = READER.read([zip_of({"all/1.png": encoded(flat(RED))})], OPTIONS)
    assert dataset.label is None


def test_broken_files_are_listed_with_reasons_while_the_rest_loads():
    good = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 60), np.uint8)))
    source = zip_of(
        {
            "good.png": good,
            "half.png": good[: len(good) // 2],
            "notes.md": b"# notes",
            "noise.jpg": b"\xff\xd8\xff" + bytes(50),
        }
    )
    dataset = READER.read([source], OPTIONS)
    assert dataset.ids == ("good.png",)
    assert dataset.n_dropped == 3
    assert {d.where: d.reason for d in dataset.dropped} == {
        "half.png": "truncated",
        "notes.md": "not PNG, JPEG, WebP, GIF, BMP or TIFF",
        "noise.jpg": "broken",
    }


def test_nothing_readable_is_one_sentence_with_the_first_reason():
    with pytest.raises(UnreadableSource, match=r"no readable image \(a.png: truncated\)"):
        READER.read([zip_of({"a.png": b"\x89PNG\r\n\x1a\n nothing"})], OPTIONS)


def test_same_name_twice_gets_a_number():
    files = [Source("a.png", data=encoded(flat(RED))), Source("a.png", data=encoded(flat(BLUE)))]
    dataset = READER.read(files, OPTIONS)
    assert dataset.ids == ("a.png", "a.png (2)")
    assert any("got a number" in note for note in dataset.notes)


def test_exact_copies_are_counted():
    files = [Source(f"{i}.png", data=encoded(flat(RED))) for i in range(3)]
    assert any("2 exact copies" in n for n in READER.read(files, OPTIONS).notes)


def test_number_of_images_is_limited():
    files = [Source(f"{i}.png", data=encoded(flat(RED))) for i in range(3)]
    with pytest.raises(TooLarge, match="max_images"):
        READER.read(files, ReadOptions(limits=Limits(max_images=2)))


def test_large_image_is_listed_not_decoded():
    files = [
        Source("big.png", data=encoded(flat(RED, size=(100, 100)))),
        Source("small.png", data=encoded(flat(RED))),
    ]
    dataset = READER.read(files, ReadOptions(limits=Limits(max_image_pixels=5_000)))
    assert dataset.ids == ("small.png",)
    assert "100 × 100 pixels" in dataset.dropped[0].reason


def test_table_beside_the_images_is_joined_by_file_name():
    table = Source("captions.csv", data=b"file,caption\nb.png,a blue thing\na.png,a red thing\n")
    source = zip_of({"x/a.png": encoded(flat(RED)), "x/b.png": encoded(flat(BLUE))})
    assert READER.recognise([source, table]).certainty is Certainty.CERTAIN
    dataset = READER.read([source, table], OPTIONS)
    assert dataset.columns["caption"].tolist() == ["a red thing", "a blue thing"]
    assert dataset.roles["caption"] == "text"


@pytest.mark.parametrize(
    ("name", "value", "role"),
    [
        ("caption", "two red circles", "text"),
        ("words", "a small dog runs over the green grass", "text"),
        ("animal", "domestic cat", "label"),
    ],
)
def test_captions_of_several_images_are_texts_and_names_of_classes_labels(name, value, role):
    rows = "".join(f"{i}.png,{value} {i // 3}\n" for i in range(36))
    table = Source("about.csv", data=f"file,{name}\n{rows}".encode())
    source = zip_of({f"{i}.png": encoded(flat((i, 0, 0))) for i in range(36)})
    dataset = READER.read([source, table], OPTIONS)
    assert dataset.roles[name] == role


def test_label_of_the_table_beside_wins_over_the_folder():
    folder = shared_data("cifar10_4000")
    sources = as_sources([folder / "cifar10_4000.zip", folder / "labels.csv"])
    dataset = READER.read(sources, OPTIONS)
    assert dataset.label == "label"
    assert dataset.roles["folder"] == "categorical"
    assert (dataset.columns["label"] == dataset.columns["folder"]).all()


def test_roles_of_folders_and_of_the_table_beside_can_be_said():
    table = Source("about.csv", data=b"file,animal,age\na.png,cat,1\nb.png,dog,2\n")
    source = zip_of({"x/a.png": encoded(flat(RED)), "y/b.png": encoded(flat(BLUE))})
    said = {"folder": "label", "animal": "text", "age": "ignored"}
    dataset = READER.read([source, table], ReadOptions(columns=said))
    assert dataset.label == "folder"
    assert dataset.roles["animal"] == "text"
    assert "age" not in dataset.columns
    without = READER.read([source], ReadOptions(columns={"folder": "ignored"}))
    assert list(without.columns) == ["width", "height"]
    with pytest.raises(ParameterError, match="names of folders may be label"):
        READER.read([source], ReadOptions(columns={"folder": "numeric"}))


LABELS = Source("t.csv", data=b"file,label\na.png,cat\nb.png,dog\n")
PETS = {"x/a.png": encoded(flat(RED)), "y/b.png": encoded(flat(BLUE))}


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ({"columns": {"folder": "label"}}, "folder"),
        ({"label": "folder"}, "folder"),
        ({"label": "label"}, "label"),
        ({"columns": {"folder": "text"}}, "label"),
        ({}, "label"),
    ],
)
def test_there_is_one_label_among_folders_and_table_the_one_that_is_said(said, label):
    options = ReadOptions(**said)
    dataset = READER.read([zip_of(PETS), LABELS], options)
    assert [name for name, role in dataset.roles.items() if role == "label"] == [label]
    preview = READER.inspect([zip_of(PETS), LABELS], options)
    assert {g.name: g.role for g in preview.columns}.items() <= dataset.roles.items()


@pytest.mark.parametrize("said", [{"columns": {"nope": "label"}}, {"label": "nope"}])
def test_a_column_of_images_that_does_not_exist_is_refused(said):
    for sources, known in (
        ([zip_of(PETS)], "it has 'folder'"),
        ([zip_of(PETS), LABELS], "it has 'folder', 'file', 'label'"),
        ([zip_of({"a.png": PETS["x/a.png"]})], "no table is beside them"),
    ):
        with pytest.raises(ParameterError, match=known):
            READER.read(sources, ReadOptions(**said))


@pytest.mark.parametrize("said", [{"columns": {"folder": "text"}}, {"label": "folder"}])
def test_a_folder_that_went_with_its_broken_images_is_told_and_the_rest_loads(said):
    files = {"x/a.png": PETS["x/a.png"], "y/b.png": b"broken"}
    dataset = READER.read([zip_of(files), LABELS], ReadOptions(**said))
    assert "folder" not in dataset.columns
    assert any("'folder' was given a role" in note for note in dataset.notes)


def test_table_that_names_no_image_is_left_out_and_told():
    table = Source("other.csv", data=b"city,people\nUlm,126000\nBonn,330000\n")
    dataset = READER.read([Source("a.png", data=encoded(flat(RED))), table], OPTIONS)
    assert any("left out" in note for note in dataset.notes)
    assert dataset.n_dropped == 0


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.csv", b"a,b\n1,2\n"), ("t.txt", b"BM is a text"), ("v.npy", b"\x93NUMPY\x01\0")],
)
def test_other_files_are_not_claimed(name, data):
    assert READER.recognise([Source(name, data=data)]) is None


def test_image_without_a_suffix_is_recognised_by_its_first_bytes():
    claim = READER.recognise([Source("upload", data=encoded(flat(RED)))])
    assert claim is not None
    assert claim.certainty is Certainty.CERTAIN


def test_zip_of_texts_is_not_claimed():
    assert READER.recognise([zip_of({"a.txt": b"x", "b.txt": b"y"})]) is None


def test_preview_shows_twelve_thumbnails_folders_and_the_count():
    files = {f"{'cat' if i % 2 else 'dog'}/{i}.png": encoded(flat(RED)) for i in range(20)}
    preview = READER.inspect([zip_of(files)], OPTIONS)
    assert preview.kind is Modality.IMAGE
    assert preview.format == "zip of 20 images"
    assert preview.n_items == 20
    assert len(preview.thumbnails) == 12
    assert preview.columns[0].role == "label"
    assert preview.columns[0].n_distinct == 2
    assert Image.open(io.BytesIO(preview.thumbnails[0][1])).format == "PNG"


def test_thumbnails_come_from_every_folder_and_every_archive():
    files = {f"{folder}/{i}.png": encoded(flat(RED)) for folder in "abc" for i in range(20)}
    preview = READER.inspect([zip_of({"a/film.mp4": MP4, **files})], OPTIONS)
    shown = [name.partition("/")[0] for name, _ in preview.thumbnails]
    assert [shown.count(folder) for folder in "abc"] == [4, 4, 4]
    assert "1 of the 13 files looked at" in preview.warnings[0]
    both = [zip_of(files, "x.zip"), zip_of(files, "y.zip")]
    names = [name for name, _ in READER.inspect(both, OPTIONS).thumbnails]
    assert names[:4] == ["x/a/0.png", "y/a/0.png", "x/b/0.png", "y/b/0.png"]


def test_video_and_audio_beside_images_are_listed_with_their_own_reason():
    files = {
        "a.png": encoded(flat(RED)),
        "b.png": encoded(flat(BLUE)),
        "film.mp4": MP4,
        "song.mp3": b"ID3\x03\0\0\0\0\0\x21" + bytes(99),
        "still.heic": b"\0\0\0\x18ftypheic" + bytes(99),
    }
    listed = {d.where: d.reason for d in READER.read([zip_of(files)], OPTIONS).dropped}
    assert listed["film.mp4"] == listed["song.mp3"] == "video and audio are not read yet"
    assert listed["still.heic"] == "not PNG, JPEG, WebP, GIF, BMP or TIFF"


def test_an_image_that_is_called_a_film_is_an_image_with_the_limits_of_one():
    rng = np.random.default_rng(0)
    large = encoded(Image.fromarray(rng.integers(0, 256, (700, 700, 3), np.uint8)))
    assert len(large) > 1_000_000
    files = {"big.mp4": large, "small.mp4": encoded(flat(RED)), "film.png": MP4 + bytes(2_000_000)}
    data = READER.read([zip_of(files)], ReadOptions(limits=Limits(max_image_mb=1)))
    assert data.ids == ("small.mp4",)
    listed = {d.where: d.reason for d in data.dropped}
    assert listed["big.mp4"] == "more than 1 MB (max_image_mb)"
    assert listed["film.png"] == "video and audio are not read yet"


def test_cifar_zip_reads_without_delay():
    source = as_sources(shared_data("cifar10_4000") / "cifar10_4000.zip")
    start = time.perf_counter()
    dataset = READER.read(source, OPTIONS)
    assert time.perf_counter() - start < 60
    assert len(dataset) == 4000
    assert dataset.n_dropped == 0
    assert dataset.columns["folder"].value_counts().tolist() == [400] * 10


def test_hostile_images_are_kept_or_listed_without_delay():
    sources = files_of("bad_images")
    start = time.perf_counter()
    dataset = READER.read(sources, OPTIONS)
    assert time.perf_counter() - start < 60
    assert len(dataset) + dataset.n_dropped == len(sources) == 78
    assert all(d.reason for d in dataset.dropped)
    for data in dataset.items:  # what was kept can be drawn
        assert decode(data).ndim == 3
        assert thumbnail(data)


def test_odd_but_valid_images_all_load():
    dataset = READER.read(files_of("odd_images_valid"), OPTIONS)
    assert len(dataset) == 54
    assert dataset.n_dropped == 0
    for data in dataset.items:
        assert decode(data, size=(32, 32)).shape == (32, 32, 3)
        assert thumbnail(data)


def test_workbook_with_a_picture_is_not_claimed():
    parts = {f"xl/part{i}.xml": b"<x/>" for i in range(9)} | {"xl/media/1.png": encoded(flat(RED))}
    assert READER.recognise([zip_of(parts, "book.xlsx")]) is None
