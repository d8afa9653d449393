"""Vectors: every format gives the numbers and names that were written; bad ones are refused."""

from __future__ import annotations

import gzip
import io
import json
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from core.errors import ParameterError, TooLarge, UnreadableSource, UnsafeSource
from core.modality import Modality
from ingest.dataset import Dataset
from ingest.limits import Limits
from ingest.read import read_dataset
from ingest.reader import Certainty, ReadOptions
from ingest.source import Source, as_sources
from ingest.vector_files import READER
from tests.conftest import shared_data

RNG = np.random.default_rng(0)
MATRIX = RNG.normal(size=(5, 16)).astype(np.float32)
WORDS = ["king", "queen", "männlich", "New York", "🙂"]


def source(data: bytes | str, name: str = "vectors.txt") -> Source:
    return Source(name, data=data.encode() if isinstance(data, str) else data)


def read(data: bytes | str, name: str = "vectors.txt", *more: Source, **options: object) -> Dataset:
    return READER.read([source(data, name), *more], ReadOptions(**options))


def claim(data: bytes | str, name: str = "vectors.txt", *more: Source) -> Certainty | None:
    found = READER.recognise([source(data, name), *more])
    return None if found is None else found.certainty


def real(folder: str, *names: str) -> list[Source]:
    return as_sources([shared_data(folder) / name for name in names])


def as_text(words: list[str], matrix: np.ndarray, *, header: bool, end: str = "\n") -> bytes:
    """Write word2vec text (with header) or GloVe text, numbers exact to the last bit."""
    lines = [f"{len(words)} {matrix.shape[1]}{end}"] if header else []
    for word, row in zip(words, matrix, strict=True):
        lines.append(" ".join([word, *(repr(float(x)) for x in row)]) + end)
    return "".join(lines).encode()


def as_binary(words: list[str], matrix: np.ndarray, *, line_ends: bool) -> bytes:
    parts = [f"{len(words)} {matrix.shape[1]}\n".encode()]
    for word, row in zip(words, matrix, strict=True):
        parts += [word.encode(), b" ", row.astype("<f4").tobytes(), b"\n" * line_ends]
    return b"".join(parts)


def npy(array: np.ndarray, *, allow_pickle: bool = False) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=allow_pickle)
    return out.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


# word vectors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", " \n", "\r\n"])
@pytest.mark.parametrize("header", [True, False])
def test_text_gives_words_and_numbers_to_the_last_bit(header, end):
    dataset = read(as_text(WORDS, MATRIX, header=header, end=end))
    assert dataset.modality is Modality.VECTORS
    assert dataset.ids == tuple(WORDS)
    assert dataset.items.dtype == np.float32
    assert (dataset.items == MATRIX).all()
    assert dataset.n_dropped == 0


@pytest.mark.parametrize("line_ends", [True, False])
def test_binary_gives_words_and_numbers(line_ends):
    words = [word.replace(" ", "_") for word in WORDS]
    data = as_binary(words, MATRIX, line_ends=line_ends)
    assert claim(data, "w.bin") is Certainty.CERTAIN
    dataset = read(data, "w.bin")
    assert dataset.ids == tuple(words)
    assert (dataset.items == MATRIX).all()


# Arrow splits lines at \r, and the formats split words at blanks; all else may be in a word.
words_of = st.lists(
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=6),
    min_size=1,
    max_size=12,
    unique=True,
)
numbers_of = st.floats(-1e6, 1e6, width=32)


@settings(max_examples=60, deadline=None)
@given(words=words_of, dim=st.integers(2, 5), data=st.data())
def test_word2vec_text_round_trip(words, dim, data):
    matrix = data.draw(hnp.arrays(np.float32, (len(words), dim), elements=numbers_of))
    dataset = read(as_text(words, matrix, header=True))
    assert dataset.ids == tuple(words)
    assert (dataset.items == matrix).all()


@settings(max_examples=60, deadline=None)
@given(words=words_of, dim=st.integers(1, 5), data=st.data())
def test_word2vec_binary_round_trip(words, dim, data):
    matrix = data.draw(hnp.arrays(np.float32, (len(words), dim), elements=numbers_of))
    from ingest.limits import DEFAULT_LIMITS
    from ingest.word2vec_binary import read_word2vec_binary

    raw = read_word2vec_binary(source(as_binary(words, matrix, line_ends=True)), DEFAULT_LIMITS)
    assert raw.ids == words
    assert (raw.matrix == matrix).all()


def test_duplicate_words_keep_the_first_and_are_listed():
    dataset = read(as_text(["a", "b", "a"], MATRIX[:3], header=True))
    assert dataset.ids == ("a", "b")
    assert (dataset.items == MATRIX[:2]).all()
    assert [(d.where, d.reason) for d in dataset.dropped] == [("a", "repeats an earlier id")]


def test_count_that_differs_from_the_header_is_noted():
    text = as_text(["a", "b"], MATRIX[:2], header=True).replace(b"2 16", b"9 16", 1)
    dataset = read(text)
    assert len(dataset) == 2
    assert any("promises 9 vectors" in note for note in dataset.notes)


def test_rows_with_nan_or_infinity_are_dropped_and_listed():
    text = as_text(WORDS, MATRIX, header=True).decode().splitlines()
    text[2] = "queen " + " ".join(["nan"] * 16)
    text[3] = "männlich inf" + " 1.5" * 15
    dataset = read("\n".join(text))
    assert dataset.ids == ("king", "New York", "🙂")
    assert (dataset.items == MATRIX[[0, 3, 4]]).all()
    assert {d.where for d in dataset.dropped} == {"queen", "männlich"}


def test_cut_last_line_is_listed_and_the_rest_loads():
    dataset = read(as_text(WORDS, MATRIX, header=True)[:-40])
    assert dataset.ids == tuple(WORDS[:4])
    assert dataset.n_dropped == 1
    assert "16 numbers" in dataset.dropped[0].reason


@pytest.mark.parametrize("cut", [3, 70, 150])
def test_truncated_binary_is_refused_with_the_place(cut):
    data = as_binary(["a", "b", "c"], MATRIX[:3], line_ends=True)
    with pytest.raises(UnreadableSource, match=r"cut off or damaged after \d of 3 vectors"):
        read(data[:-cut], "w.bin")


def test_header_that_promises_too_much_is_refused_before_memory_is_taken():
    with pytest.raises(TooLarge, match="max_vector_mb"):
        read(b"999999999 1000\na " + bytes(4000), "w.bin")


def test_bytes_that_are_no_utf8_are_replaced_and_counted():
    dataset = read(b"2 3\nm\xfcll 1 2 3\nok 4 5 6\n")
    assert dataset.ids == ("m�ll", "ok")
    assert any("1 word" in note and "UTF-8" in note for note in dataset.notes)


def test_numbers_as_words_are_words_where_the_header_says_so():
    dataset = read("3 2\n1 0.5 0.25\n2 1.5 0.5\n10 2.5 1.0\n")
    assert dataset.ids == ("1", "2", "10")
    assert dataset.items.shape == (3, 2)


def test_gzip_is_read_transparently():
    assert read(gzip.compress(as_text(WORDS, MATRIX, header=False)), "g.txt.gz").ids == tuple(WORDS)


def test_blocks_of_a_larger_file_join_up(monkeypatch):
    monkeypatch.setattr("ingest.word_vector_formats._BLOCK", 1000)
    matrix = RNG.normal(size=(200, 8)).astype(np.float32)
    words = [f"w{i}" if i % 17 else f"two words {i}" for i in range(200)]
    dataset = read(as_text(words, matrix, header=False))
    assert dataset.ids == tuple(words)
    assert (dataset.items == matrix).all()


@pytest.mark.parametrize(
    ("name", "shape", "first"),
    [
        ("EN.1-10.cbow1_wind5_hs0_neg10_size300_smpl1e-05.txt", (20, 300), "one"),
        ("crime-and-punishment.vec", (291, 5), "и"),
        ("lee_fasttext.vec", (1762, 10), "the"),
        ("test_glove.txt", (76, 50), "the"),
        ("toy-model.vec", (22, 5), "the"),
        ("word2vec_pre_kv_c", (1750, 10), "the"),
        ("euclidean_vectors.bin", (2747, 10), "the"),
        ("high_precision.kv.bin", (2, 2), "kangaroo.n.01"),
        ("high_precision.kv.txt", (2, 2), "kangaroo.n.01"),
    ],
)
def test_real_word_vectors_have_the_promised_size(name, shape, first):
    sources = real("vector_files_gensim", name)
    assert READER.recognise(sources).certainty >= Certainty.LIKELY
    dataset = READER.read(sources, ReadOptions())
    assert dataset.items.shape == shape
    assert dataset.ids[0] == first
    assert dataset.n_dropped == 0


def test_text_and_binary_of_the_same_vectors_agree():
    text, binary = (
        READER.read(real("vector_files_gensim", f"high_precision.kv.{end}"), ReadOptions())
        for end in ("txt", "bin")
    )
    assert text.ids == binary.ids
    assert np.allclose(text.items, binary.items, rtol=5e-4)  # its writer kept 11 bits


@pytest.mark.parametrize(
    "name",
    ["crime-and-punishment.bin", "lee_fasttext.bin", "non_ascii_fasttext.bin", "toy-model.bin"],
)
def test_fasttext_models_are_refused_naming_the_vec_file(name):
    sources = real("vector_files_gensim", name)
    assert READER.recognise(sources).format == "fastText model"
    with pytest.raises(UnreadableSource, match=r"\.vec file"):
        READER.read(sources, ReadOptions())


# arrays ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int32, ">f4"])
def test_npy_of_any_number_becomes_float32(kind):
    array = np.arange(12).reshape(4, 3).astype(kind)
    dataset = read(npy(array), "a.npy")
    assert dataset.ids == ("1", "2", "3", "4")
    assert dataset.items.dtype == np.float32
    assert (dataset.items == np.arange(12).reshape(4, 3)).all()


def test_fortran_order_is_understood():
    assert (read(npy(np.asfortranarray(MATRIX)), "a.npy").items == MATRIX).all()


def test_object_array_is_refused_without_unpickling(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    for data, name in (
        (npy(np.array([Bomb()], object), allow_pickle=True), "a.npy"),
        (npz(vectors_of_mine=np.array([Bomb()], object)), "a.npz"),
    ):
        with pytest.raises(UnsafeSource, match="Python objects"):
            read(data, name)
    assert not (tmp_path / "ran").exists()


def test_npz_with_an_object_array_names_it():
    sources = real("pickle_and_corrupt", "CORD19-subset-field_of_study.npz")
    with pytest.raises(UnsafeSource, match="array 'arr_0'"):
        READER.read(sources, ReadOptions())


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4), (0, 3), (3, 0), ()])
def test_other_shapes_are_refused(shape):
    with pytest.raises(UnreadableSource, match="two dimensions"):
        read(npy(np.zeros(shape, np.float32)), "a.npy")


def test_truncated_npy_is_refused():
    with pytest.raises(UnreadableSource, match="cut off"):
        read(npy(MATRIX)[:-10], "a.npy")


def test_npy_header_that_promises_too_much_is_refused():
    data = npy(MATRIX).replace(b"(5, 16)", b"(999999999, 16)")
    with pytest.raises((TooLarge, UnreadableSource), match=r"max_vector_mb|header"):
        read(data, "a.npy")


def test_npz_takes_the_matrix_with_ids_and_labels_beside_it():
    data = npz(
        small=np.zeros((2, 2)), emb=MATRIX, words=np.array(WORDS), y=np.array([0, 1, 0, 1, 1])
    )
    dataset = read(data, "a.npz")
    assert dataset.ids == tuple(WORDS)
    assert (dataset.items == MATRIX).all()
    assert dataset.columns["y"].astype(str).tolist() == ["0", "1", "0", "1", "1"]
    assert any("small" in note for note in dataset.notes)


def test_sparse_npz_is_made_dense():
    matrix = sparse.random(20, 30, 0.2, format="csr", random_state=0, dtype=np.float32)
    out = io.BytesIO()
    sparse.save_npz(out, matrix)
    assert (read(out.getvalue(), "a.npz").items == matrix.toarray()).all()


def test_sparse_npz_with_indices_out_of_bounds_is_refused():
    bad = npz(
        data=np.ones(1, np.float32),
        indices=np.array([10**6], np.int32),
        indptr=np.array([0, 1], np.int32),
        shape=np.array([1, 3]),
    )
    with pytest.raises(UnreadableSource, match="do not fit together"):
        read(bad, "a.npz")


def test_size_of_the_matrix_is_limited():
    with pytest.raises(TooLarge, match="max_vector_mb"):
        read(npy(np.zeros((1024, 1024), np.int8)), "a.npy", limits=Limits(max_vector_mb=3))


def test_pickle_is_not_claimed():
    assert claim(pickle.dumps(MATRIX), "a.model") is None


# metadata ----------------------------------------------------------------------------------------


def test_two_models_of_the_same_proteins_take_ids_and_labels_from_the_table():
    for name, dim in (("ESMC.npy", 960), ("ProtT5.npy", 1024)):
        sources = real("protein_two_models", name, "features.csv")
        assert READER.recognise(sources).certainty is Certainty.CERTAIN
        dataset = READER.read(sources, ReadOptions())
        assert dataset.items.shape == (446, dim)
        assert dataset.ids[0] == "mAimeC"
        assert dataset.label == "enzyme_class"
        assert dataset.roles["seq_length"] == "numeric"


def test_metadata_of_words_is_joined_by_word_in_any_order():
    table = source("word\tcount\nqueen\t5\nking\t7\nother\t1\n", "meta.tsv")
    dataset = read(as_text(["king", "queen", "x"], MATRIX[:3], header=True), "w.txt", table)
    counts = dataset.columns["count"]
    assert counts[:2].tolist() == [7, 5]
    assert np.isnan(counts[2])


def test_labels_without_a_header_are_joined_row_by_row():
    labels = source("a\nb\na\nb\nb\n", "labels.tsv")
    dataset = read(npy(MATRIX), "a.npy", labels)
    assert dataset.columns.iloc[:, 0].tolist() == ["a", "b", "a", "b", "b"]
    assert dataset.label is not None


def test_metadata_follows_its_vectors_when_rows_are_dropped():
    array = MATRIX.copy()
    array[1, 3] = np.nan
    dataset = read(npy(array), "a.npy", source("name,k\na,1\nb,2\nc,3\nd,4\ne,5\n", "m.csv"))
    assert dataset.ids == ("a", "c", "d", "e")
    assert dataset.columns["k"].tolist() == [1, 3, 4, 5]
    assert dataset.dropped[0].where == "b"


def test_metadata_with_another_number_of_rows_is_refused_with_both_counts():
    table = source("kind,k\nx,1\nx,2\n", "m.csv")
    with pytest.raises(UnreadableSource, match=r"2 rows for 5 vectors"):
        read(npy(MATRIX), "a.npy", table)


def test_said_id_column_names_the_vectors():
    table = source("a,b\nx,1\ny,2\nx,3\nz,4\nw,5\n", "m.csv")
    assert read(npy(MATRIX), "a.npy", table, id="a").ids == ("x", "y", "x (2)", "z", "w")
    with pytest.raises(ParameterError, match="no such column"):
        read(npy(MATRIX), "a.npy", table, id="c")


# projector files ---------------------------------------------------------------------------------

CONFIG = {"embeddings": [{"tensorPath": "data/t.bytes", "tensorShape": [5, 16]}]}


@pytest.mark.parametrize("names", [
    ("iris_tensors.bytes", "iris_labels.tsv"),
    ("iris_tensors.bytes", "iris_labels.tsv", "oss_demo_projector_config.json"),
])  # fmt: skip
def test_projector_iris_has_its_shape_and_classes(names):
    sources = real("projector_files", *names)
    assert READER.recognise(sources).certainty is Certainty.CERTAIN
    dataset = READER.read(sources, ReadOptions())
    assert dataset.items.shape == (150, 4)
    assert dataset.label == "class"
    features = dataset.columns[["sepal-length", "sepal-width", "petal-length", "petal-width"]]
    assert np.allclose(dataset.items, features.to_numpy())


def test_raw_tensor_takes_its_shape_from_the_config_or_from_dim():
    data = MATRIX.tobytes()
    config = source(json.dumps(CONFIG), "config.json")
    assert (read(data, "t.bytes", config).items == MATRIX).all()
    assert (read(data, "t.bytes", dim=16).items == MATRIX).all()


def test_raw_tensor_without_a_shape_is_refused_naming_what_helps():
    with pytest.raises(UnreadableSource, match=r"metadata or config.*dim"):
        read(MATRIX.tobytes(), "t.bytes")


def test_raw_tensor_that_does_not_fit_is_refused():
    with pytest.raises(ParameterError, match="dim=7"):
        read(MATRIX.tobytes(), "t.bytes", dim=7)
    with pytest.raises(UnreadableSource, match="config says shape"):
        read(MATRIX[:4].tobytes(), "t.bytes", source(json.dumps(CONFIG), "config.json"))
    with pytest.raises(UnreadableSource, match="no whole float32"):
        read(b"12345", "t.bytes")


def test_projector_tsv_with_metadata():
    rows = "".join("\t".join(f"{x:.6f}" for x in row) + "\n" for row in MATRIX)
    meta = source('word\tgroup\n"\tx\nb\ty\nc\tx\nd\ty\ne\ty\n', "metadata.tsv")
    assert claim(rows, "vectors.tsv", meta) >= Certainty.LIKELY
    dataset = read(rows, "vectors.tsv", meta)
    assert np.allclose(dataset.items, MATRIX, atol=1e-6)
    assert dataset.ids == ('"', "b", "c", "d", "e")
    assert dataset.columns["group"].tolist() == ["x", "y", "x", "y", "y"]


# columns of tables -------------------------------------------------------------------------------


def frame() -> pd.DataFrame:
    return pd.DataFrame({"id": list("abcde"), "topic": list("xyxyy"), "embedding": list(MATRIX)})


def table_bytes(form: str) -> bytes:
    out = io.BytesIO()
    if form == "parquet":
        frame().to_parquet(out)
    elif form == "feather":
        frame().to_feather(out)
    else:
        rows = frame().assign(embedding=[[float(x) for x in row] for row in MATRIX])
        if form == "jsonl":
            return rows.to_json(orient="records", lines=True, double_precision=15).encode()
        return rows.to_csv(index=False).encode()
    return out.getvalue()


@pytest.mark.parametrize("form", ["parquet", "feather", "jsonl", "csv"])
def test_column_of_lists_gives_vectors_ids_and_labels(form):
    data = table_bytes(form)
    assert claim(data, f"t.{form}") is Certainty.LIKELY
    dataset = read(data, f"t.{form}")
    assert dataset.ids == tuple("abcde")
    assert np.allclose(dataset.items, MATRIX, atol=1e-6)
    assert dataset.columns["topic"].tolist() == list("xyxyy")


def test_lists_of_another_length_are_listed():
    lines = [json.dumps({"id": i, "v": [1.5] * (8 if i != 2 else 7)}) for i in range(4)]
    lines.append(json.dumps({"id": 9, "v": None}))
    dataset = read("\n".join(lines), "t.jsonl")
    assert dataset.ids == ("0", "1", "3")
    assert [(d.where, d.reason) for d in dataset.dropped] == [
        ("row 3", "7 numbers instead of 8"),
        ("row 5", "no vector"),
    ]


def test_short_lists_beside_other_columns_are_no_first_guess():
    sources = real("columnar_samples", "multimodal-random-small.parquet")
    assert READER.recognise(sources).certainty is Certainty.POSSIBLE


def test_numbered_columns_are_a_vector_and_the_rest_stays_beside():
    table = pd.DataFrame(MATRIX, columns=[f"dim_{i}" for i in range(16)])
    data = table.assign(year=range(5), label=list("xyxyy")).to_csv(index=False)
    assert claim(data, "t.csv") is Certainty.LIKELY
    dataset = read(data, "t.csv")
    assert np.allclose(dataset.items, MATRIX)
    assert list(dataset.columns) == ["year", "label"]


def test_any_numeric_columns_are_vectors_when_the_user_says_so():
    data = "name,a,b,label\nx,1,2,u\ny,3,4,v\nz,5,7,u\n"
    assert claim(data, "t.csv") is Certainty.POSSIBLE
    dataset = read(data, "t.csv", kind=Modality.VECTORS)
    assert dataset.ids == ("x", "y", "z")
    assert dataset.items.tolist() == [[1, 2], [3, 4], [5, 7]]
    assert read(data, "t.csv", columns={"a": "ignored"}).items.shape == (3, 1)


def test_headerless_numbers_are_all_used():
    text = "\n".join(",".join(f"{x:.5f}" for x in row) for row in MATRIX)
    assert np.allclose(read(text, "t.csv").items, MATRIX, atol=1e-5)


def test_map_of_papers_can_be_read_as_two_dimensional_vectors():
    sources = real("map_arxiv_ml", "map.tsv.gz")
    dataset = READER.read(sources, ReadOptions(kind=Modality.VECTORS))
    assert dataset.items.shape == (39_198, 2)
    assert dataset.label == "label"
    assert np.allclose(dataset.items[0], [6.2239, 4.5588])


def test_text_without_numbers_is_refused():
    with pytest.raises(UnreadableSource, match="holds no vectors"):
        read("a,b\nx,y\nz,w\n", "t.csv")


# recognition -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("the cat sat on the mat\nand the dog ran away\n", "a.txt"),
        ("id,age,city\n1,30,Ulm\n2,41,Bonn\n", "a.csv"),
        ("a b\nb c\n", "a.edges"),
        ("", "a.txt"),
        (b"\x89PNG\r\n\x1a\n", "a.png"),
    ],
)
def test_other_files_are_not_likely_vectors(data, name):
    found = claim(data, name)
    assert found is None or found is Certainty.POSSIBLE


def test_two_matrices_are_not_vectors_with_metadata():
    assert claim(npy(MATRIX), "a.npy", source(npy(MATRIX), "b.npy")) is None


def test_preview_tells_size_words_and_columns():
    preview = READER.inspect(real("protein_two_models", "ESMC.npy", "features.csv"), ReadOptions())
    assert preview.format == "NumPy array, float32, 446 × 960"
    assert preview.n_items == 446
    assert preview.rows["id"][0] == "mAimeC"
    assert ("enzyme_class", "label") in [(c.name, c.role) for c in preview.columns]


def test_preview_of_a_large_text_reads_only_its_head(monkeypatch):
    monkeypatch.setattr("ingest.vector_files._WHOLE_PREVIEW", 100)
    preview = READER.inspect([source(as_text(WORDS, MATRIX, header=True))], ReadOptions())
    assert preview.n_items == 5
    assert preview.format == "word2vec text, 5 × 16"


def test_items_cannot_be_changed():
    dataset = read(npy(MATRIX), "a.npy")
    with pytest.raises(ValueError, match="read-only"):
        dataset.items[0, 0] = 1


def test_front_door_reads_vectors_with_metadata_and_graphs_with_nodes():
    vectors = read_dataset(real("protein_two_models", "ESMC.npy", "features.csv"))
    assert (vectors.modality, vectors.label) == (Modality.VECTORS, "enzyme_class")
    graph = read_dataset(real("cora", "nodes.tsv", "edges.tsv"))
    assert (graph.modality, graph.label) == (Modality.GRAPH, "label")


def test_front_door_takes_glove_text_for_vectors_and_prose_for_text():
    assert read_dataset(("g.txt", as_text(WORDS, MATRIX, header=False))).modality == "vectors"
    assert read_dataset(("t.txt", b"It rained 3 days.\nThen 4 more.\n")).modality == "text"
