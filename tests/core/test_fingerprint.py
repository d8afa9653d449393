"""Equal content gives equal fingerprints; everything else differs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fingerprint import fingerprint

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        ((1,), (1.0,)),
        ((1,), (True,)),
        ((1,), ("1",)),
        (("a",), (b"a",)),
        (([],), ({},)),
        ((None,), ("",)),
        (([1, [2]],), ([[1], 2],)),
    ],
)
def test_values_that_look_alike_differ(one, other):
    assert fingerprint(*one) != fingerprint(*other)


def test_arrays_differ_by_dtype_shape_and_content():
    base = np.arange(6, dtype=np.float32)
    seen = {fingerprint(a) for a in (base, base.reshape(2, 3), base.astype("f8"), base + 1)}
    assert len(seen) == 4


def test_byte_order_and_memory_layout_do_not_matter():
    base = np.arange(6, dtype="<f4").reshape(2, 3)
    assert fingerprint(base) == fingerprint(base.astype(">f4"))
    assert fingerprint(base) == fingerprint(np.asfortranarray(base))


def test_the_order_of_a_mapping_does_not_matter():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})


def test_objects_without_a_canonical_form_are_refused():
    with pytest.raises(TypeError):
        fingerprint(np.array([object()]))


@given(PLAIN)
def test_a_fingerprint_is_a_function_of_its_value(value):
    assert fingerprint(value) == fingerprint(value)
    assert fingerprint(value) != fingerprint([value])
