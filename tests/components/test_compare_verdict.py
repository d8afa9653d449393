"""What the overview says beside the verdict."""

from components.compare_verdict import copies_words


def test_copies_are_spoken_of_where_they_are_many():
    assert copies_words(5, 100, "texts") == ()
    assert copies_words(0, 3, "texts") == ()
    (told,) = copies_words(1_200, 2_000, "texts")
    assert told.startswith("1,200 of these 2,000 texts have an exact copy among them.")
