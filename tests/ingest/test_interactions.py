"""Users and items: ratings, counts and times, and the tables that describe either side."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pandas as pd
import pytest

from core.errors import UnreadableSource
from core.modality import Modality
from ingest import inspect_source, read_dataset
from tests.conftest import shared_data


def csv(*lines: str, name: str = "ratings.csv") -> tuple[str, bytes]:
    return name, "\n".join(lines).encode()


def triples(data):
    """Return user, item and weight of each edge, in order."""
    return [
        (data.ids[a], data.ids[b], float(w))
        for a, b, w in zip(data.edges.source, data.edges.target, data.edges.weight, strict=True)
    ]


RATINGS = csv(
    "user_id,movie_id,rating,timestamp",
    "ann,m1,4,300",
    "bob,m1,2,100",
    "ann,m2,5,200",
    "bob,m3,3.5,400",
)
MOVIES = csv(
    "movie_id,title,genre",
    "m3,Third,drama",
    "m1,First,comedy",
    "m2,Second,drama",
    "m9,Unseen,comedy",
    name="movies.csv",
)


def test_columns_called_user_and_movie_are_interactions():
    preview = inspect_source(RATINGS)
    assert preview.kind is Modality.INTERACTIONS
    assert {c.name: c.role for c in preview.columns} == {
        "user_id": "user",
        "movie_id": "item",
        "rating": "weight",
        "timestamp": "time",
    }
    assert Modality.TABLE in preview.other_kinds
    data = read_dataset(RATINGS)
    assert data.sides.names == ("user", "item")
    assert data.sides.modalities == (None, None)
    assert data.items is None
    assert data.ids == ("ann", "bob", "m1", "m2", "m3")


def test_interactions_stand_in_the_order_of_time():
    assert triples(read_dataset(RATINGS)) == [
        ("bob", "m1", 2),
        ("ann", "m2", 5),
        ("ann", "m1", 4),
        ("bob", "m3", 3.5),
    ]


def test_dates_order_like_numbers():
    dated = csv("user,item,date", "a,x,2024-03-01", "b,x,2023-01-31", "a,y,2024-01-05")
    assert [t[:2] for t in triples(read_dataset(dated, kind="interactions"))] == [
        ("b", "x"),
        ("a", "y"),
        ("a", "x"),
    ]


def test_a_table_of_items_is_joined_by_id_and_names_them():
    data = read_dataset([RATINGS, MOVIES])
    items = data.columns[data.columns["side"] == "item"]
    assert items["title"].tolist() == ["First", "Second", "Third"]
    assert data.columns["title"].isna().tolist() == [True, True, False, False, False]
    assert data.roles["title"] == "text"
    assert any("3 of 3 items have a row; 1 row left out" in note for note in data.notes)
    again = read_dataset([MOVIES, RATINGS])
    assert again.fingerprint == data.fingerprint


def test_tables_of_users_and_of_items_are_both_joined():
    users = csv("user_id,town,age", "bob,Ulm,40", "ann,Bern,31", name="users.csv")
    data = read_dataset([RATINGS, MOVIES, users])
    assert data.columns["town"].tolist()[:2] == ["Bern", "Ulm"]
    assert data.columns["age"].tolist()[:2] == [31, 40]
    assert data.columns["title"].tolist()[2:] == ["First", "Second", "Third"]


def test_columns_of_the_same_name_on_both_sides_do_not_mix():
    users = csv("user_id,genre", "ann,7", "bob,8", name="users.csv")
    data = read_dataset([RATINGS, MOVIES, users])
    genres = [name for name in data.columns if "genre" in name]
    assert len(genres) == 2
    for name in genres:
        is_user = (data.columns["side"] == "user").to_numpy()
        known = data.columns[name].notna().to_numpy()
        assert (known == is_user).all() or (known == ~is_user).all()


def test_a_column_of_the_ratings_that_tells_of_the_item_is_kept():
    data = read_dataset(
        csv("user,song,artist_name,plays", "a,s1,Abba,3", "b,s1,Abba,1", "a,s2,Blur,2")
    )
    assert data.columns["artist_name"].tolist()[2:] == ["Abba", "Blur"]


def test_ids_that_stand_on_both_sides_are_called_by_their_side():
    data = read_dataset(csv("userId,movieId,rating", "1,1,5", "2,1,3", "1,7,4"))
    assert data.ids == ("user 1", "user 2", "item 1", "item 7")
    assert any("stand on both sides" in note for note in data.notes)


def test_a_rating_given_again_replaces_the_first_and_counts_are_added_up():
    rated = read_dataset(csv("user,item,rating,time", "a,x,1,300", "a,x,5,100", "b,x,2,200"))
    assert triples(rated) == [("b", "x", 2), ("a", "x", 1)]
    unordered = read_dataset(csv("user,item,rating", "a,x,1", "b,x,2", "a,x,5"))
    assert triples(unordered) == [("b", "x", 2), ("a", "x", 5)]
    played = read_dataset(csv("user,item,plays", "a,x,1", "b,x,2", "a,x,5"))
    assert triples(played) == [("a", "x", 6), ("b", "x", 2)]
    bare = read_dataset(csv("user,item", "a,x", "b,x", "a,x"))
    assert triples(bare) == [("a", "x", 2), ("b", "x", 1)]


@pytest.mark.parametrize(
    ("column", "kind"),
    [("plays", "count"), ("stars", "rating"), ("when_heard", "count"), ("warmth", "")],
)
def test_the_name_of_the_weights_says_whether_they_are_ratings_or_counts(column, kind):
    """Without weights rows are counted; a name that says nothing is told by the values."""
    weight = None if column == "when_heard" else column
    rows = csv(f"user,item,{column}", "a,x,1", "b,x,2")
    data = read_dataset(rows, kind="interactions", weight=weight)
    assert data.weight_kind == kind


def test_rows_without_user_item_or_a_positive_weight_are_listed():
    lines = [f"u{i % 5},i{i % 7},{1 + i % 5}" for i in range(60)]
    odd = ["u1,,3", ",i1,3", "u1,i1,", "gone,i2,0", "u2,i3,-4"]
    data = read_dataset(csv("user,item,plays", *lines, *odd))
    assert [(d.where, d.reason) for d in data.dropped] == [
        ("row 61", "no item"),
        ("row 62", "no user"),
        ("row 63", "no weight"),
        ("row 64", "a weight of 0 or less"),
        ("row 65", "a weight of 0 or less"),
    ]
    assert "gone" not in data.ids
    assert (data.edges.weight > 0).all()


@pytest.mark.parametrize("column", ["rating", "warmth"])
def test_ratings_of_zero_and_less_are_kept_as_they_are(column):
    """Negative weights are ratings, whatever they are called; bad ones say what is known."""
    table = csv(f"user,item,{column}", "ann,x,-2", "ann,y,2", "bob,x,0", "bob,y,1", "bob,z,")
    preview = inspect_source(table, kind="interactions", weight=column)
    assert any(note.startswith("2 ratings of 0 or less kept") for note in preview.notes)
    data = read_dataset(table, kind="interactions", weight=column)
    assert triples(data) == [("ann", "x", -2), ("ann", "y", 2), ("bob", "x", 0), ("bob", "y", 1)]
    assert data.weight_kind == "rating"
    assert [(d.where, d.reason) for d in data.dropped] == [("row 5", "no weight")]
    assert any("2 ratings of 0 or less kept" in note for note in data.notes)


def test_a_zero_among_ratings_of_which_none_is_negative_is_no_rating():
    table = csv("user,item,rating", "ann,x,0", "ann,y,5", "bob,x,3")
    data = read_dataset(table, kind="interactions")
    assert triples(data) == [("ann", "y", 5), ("bob", "x", 3)]
    assert data.weight_kind == "rating"
    assert [d.reason for d in data.dropped] == ["a weight of 0 or less"]


def bought(n, name, value):
    """Return rows of 12 users and 9 items, each with a number."""
    rows = [f"u{i % 12},i{i * 7 % 9},{value(i % 12, i * 7 % 9, i)}" for i in range(n)]
    return csv(f"user,item,{name}", *rows)


def often(user, item, row):
    return 1 + (row * row) % 5


def weight_of(table):
    return next((c.name for c in inspect_source(table).columns if c.role == "weight"), None)


def test_the_only_positive_whole_numbers_beside_users_and_items_are_their_weights():
    assert weight_of(bought(99, "times_bought", often)) == "times_bought"
    assert read_dataset(bought(99, "times_bought", often)).weight_kind == "count"
    table = bought(99, "taken", often)
    assert weight_of(table) == "taken"
    assert read_dataset(table).weight_kind == "", "a rating or a count: the values will tell"
    for name, value in {
        "age": often,  # by its name
        "shoe": lambda user, item, row: 36 + user % 4,  # of the user
        "weeks_old": lambda user, item, row: 1 + item % 4,  # of the item
        "taken_from": lambda user, item, row: row,  # different ones, as ids are
        "shift": lambda user, item, row: row % 3 - 1,
        "share": lambda user, item, row: (row % 5) / 4 + 0.5,
    }.items():
        assert weight_of(bought(99, name, value)) is None, name


def test_a_table_whose_names_say_nothing_is_offered_as_interactions():
    rows = [f"{i},w{i * 7 % 12},{i * i % 11},{1 + i % 5}" for i in range(40)]
    table = csv("line,who,what,score", *rows)
    preview = inspect_source(table)
    assert preview.kind is Modality.TABLE
    assert Modality.INTERACTIONS in preview.other_kinds
    asked = inspect_source(table, kind="interactions")
    assert [c.role for c in asked.columns] == ["numeric", "user", "item", "weight"]
    swapped = {"line": "ignored", "who": "item", "what": "user", "score": "weight"}
    data = read_dataset(table, kind="interactions", columns=swapped)
    assert data.weight_kind == "rating"
    assert data.ids[0] == "0"


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("sex,town,score", lambda i: f"{'mf'[i % 2]},{'abc'[i % 3]},{i}"),  # few combinations
        ("name,town,score", lambda i: f"n{i},{'abc'[i % 3]},{i}"),  # one row each
        ("length,width,kind", lambda i: f"{i / 7:.2f},{i / 3:.2f},{'abc'[i % 3]}"),
        ("who,what", lambda i: f"{i % 5},{i % 7}"),
        ("a,b,c,d,e,f,g,h,i", lambda i: ",".join(str(i % k) for k in range(5, 14))),
    ],
)
def test_other_tables_are_not_offered_as_interactions(header, row):
    table = csv(header, *[row(i) for i in range(40)])
    assert Modality.INTERACTIONS not in inspect_source(table).other_kinds


def test_a_weight_of_zero_that_nothing_calls_a_rating_is_no_interaction():
    data = read_dataset(
        csv("user,item,taken", "ann,x,0", "ann,y,1", "bob,x,1"),
        kind="interactions",
        weight="taken",
    )
    assert triples(data) == [("ann", "y", 1), ("bob", "x", 1)]


def test_a_file_without_a_header_is_read_when_asked():
    data = read_dataset(
        csv("1,10,5,900", "1,11,3,901", "2,10,4,902", "2,12,1,903"), kind="interactions"
    )
    assert (data.sides.n_left, len(data) - data.sides.n_left) == (2, 3)
    assert data.edges.weight.tolist() == [5, 3, 4, 1]


def test_columns_can_be_said():
    table = csv("who,what,n,kind", "a,x,2,k", "b,y,3,k", "a,y,1,k")
    data = read_dataset(table, kind="interactions", user="who", item="what", weight="n")
    assert triples(data) == [("a", "x", 2), ("b", "y", 3), ("a", "y", 1)]
    roles = {"who": "item", "what": "user", "n": "ignored", "kind": "ignored"}
    swapped = read_dataset(table, kind="interactions", columns=roles)
    assert swapped.ids == ("x", "y", "a", "b")
    assert swapped.edges.weight.tolist() == [1, 1, 1]


def test_reviews_with_long_texts_stay_texts():
    rows = [
        f"u{i % 3},p{i % 4},this is review number {i} and it says a lot about the product"
        for i in range(12)
    ]
    preview = inspect_source(csv("user_id,product_id,review", *rows))
    assert preview.kind is Modality.TEXT
    assert Modality.INTERACTIONS in preview.other_kinds


NUMBERED = csv(
    "user_id,item_id,rating", *[f"{u},{i},{1 + u % 5}" for u in range(1, 41) for i in range(1, 31)]
)


@pytest.mark.parametrize(("name", "side"), [("users.csv", 0), ("item_facts.csv", 1)])
def test_a_table_of_plain_ids_is_joined_to_the_side_its_file_is_called_by(name, side):
    n = 40 if side == 0 else 30
    about = csv("id,shade", *[f"{i},s{i % 3}" for i in range(1, n + 1)], name=name)
    data = read_dataset([NUMBERED, about], kind="interactions")
    known = data.columns["shade"].notna().to_numpy()
    assert (known == (data.sides.is_left(len(data)) == (side == 0))).all()


def test_a_table_whose_ids_fit_one_side_better_is_joined_to_it():
    about = csv("id,town", *[f"{i},t{i % 3}" for i in range(1, 41)], name="more.csv")
    data = read_dataset([NUMBERED, about], kind="interactions")
    assert data.columns["town"].notna().tolist() == [True] * 40 + [False] * 30


def test_a_table_whose_ids_fit_both_sides_is_left_out_and_says_what_to_do():
    lines = [f"{u},{i}" for u in range(1, 31) for i in range(1, 31)]
    about = csv("id,town", *[f"{i},t{i % 3}" for i in range(1, 31)], name="more.csv")
    data = read_dataset([csv("user_id,item_id", *lines), about], kind="interactions")
    assert "town" not in data.columns
    assert any("fit users and items alike; call that column 'user_id'" in n for n in data.notes)


def test_a_table_with_several_rows_per_item_is_not_cut_to_the_first():
    tags = [f"{u},{i},tag {u}" for u in range(1, 5) for i in range(1, 31)]
    data = read_dataset([NUMBERED, csv("user_id,item_id,tag", *tags, name="tags.csv")])
    assert list(data.columns) == ["side"]
    assert any("tags.csv was left out: it has several rows for one item" in n for n in data.notes)
    twice = csv("item_id,title", *[f"{i},T{i}" for i in range(1, 31)], "7,Other", name="items.csv")
    data = read_dataset([NUMBERED, twice])
    assert data.columns["title"][data.ids.index("item 7")] == "T7"
    assert any("1 row with an id met before left out" in note for note in data.notes)


def test_a_table_beside_that_names_nobody_is_left_out_and_said_so():
    other = csv("planet,moons", "Mars,2", "Venus,0", name="planets.csv")
    data = read_dataset([RATINGS, other], kind="interactions")
    assert any("planets.csv was left out" in note for note in data.notes)


def test_nothing_that_counts_is_refused_in_one_sentence():
    with pytest.raises(UnreadableSource, match="positive weight"):
        read_dataset(csv("user,item,plays", "a,x,0", "b,x,0", "a,y,-1"), kind="interactions")
    with pytest.raises(UnreadableSource, match="an item and a rating"):
        read_dataset(csv("user,item,rating", "a,,3", ",x,2"), kind="interactions")


def test_ids_that_are_floats_as_some_are_missing_are_whole_numbers():
    frame = pd.DataFrame({"user_id": [1.0, 2.0, 1.0, None], "item_id": ["x", "y", "y", "x"]})
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    data = read_dataset(("r.parquet", buffer.getvalue()))
    assert data.ids == ("1", "2", "x", "y")
    assert [(d.where, d.reason) for d in data.dropped] == [("row 4", "no user")]


@pytest.mark.parametrize("header", ["author,book,year", "player,place,goals"])
def test_tables_of_books_and_of_races_stay_tables(header):
    table = csv(header, *[f"name {i % 7},{i},{i % 20}" for i in range(60)])
    preview = inspect_source(table)
    assert preview.kind is Modality.TABLE
    assert Modality.INTERACTIONS in preview.other_kinds


def test_an_archive_of_tables_is_read_like_the_tables():
    tags = csv("user_id,movie_id,tag", *[f"ann,m1,t{i}" for i in range(9)], name="tags.csv")
    links = csv("movie_id,imdb", "m1,7", "m2,8", "m3,9", name="links.csv")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in (RATINGS, MOVIES, tags, links, ("README.txt", b"About")):
            archive.writestr(f"ml/{name}", content)
    packed = read_dataset(("ml.zip", buffer.getvalue()))
    assert packed.modality is Modality.INTERACTIONS
    assert packed.columns["title"].tolist()[2:] == ["First", "Second", "Third"]
    assert packed.columns["imdb"].tolist()[2:] == [7, 8, 9]
    assert any("tags.csv was left out" in note for note in packed.notes)


def test_baskets_are_the_items_in_them():
    lines = ['{"user": "ann", "items": ["x", "y"]}', '{"user": "bob", "items": ["x"]}']
    data = read_dataset(("b.jsonl", "\n".join(lines).encode()), user="user", item="items")
    assert triples(data) == [("ann", "x", 1), ("ann", "y", 1), ("bob", "x", 1)]


def test_movies_alone_are_not_offered_as_interactions():
    assert Modality.INTERACTIONS not in inspect_source(MOVIES).other_kinds


def test_one_row_and_any_script():
    one = read_dataset(csv("user,item", "é,日本"), kind="interactions")
    assert one.ids == ("é", "日本")
    assert len(one.edges) == 1


def test_many_interactions_are_merged_as_one_by_one():
    rng = np.random.default_rng(0)
    rows = np.column_stack(
        [rng.integers(0, 40, 3000), rng.integers(0, 30, 3000), rng.integers(1, 6, 3000)]
    )
    lines = [f"u{u},i{i},{r}" for u, i, r in rows]
    data = read_dataset(csv("user,item,rating", *lines))
    expected = {(f"u{u}", f"i{i}"): float(r) for u, i, r in rows}
    assert {(u, i): w for u, i, w in triples(data)} == expected


def test_movielens():
    folder = shared_data("movielens_small")
    data = read_dataset([folder / "ratings.csv", folder / "movies.csv"])
    assert (data.sides.n_left, len(data) - 610, len(data.edges)) == (610, 9724, 100_836)
    toy = data.ids.index("item 1")
    assert data.columns["title"][toy] == "Toy Story (1995)"
    assert data.n_dropped == 0
    assert any("18 rows left out" in note for note in data.notes)
