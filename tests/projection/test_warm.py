from tests.conftest import run_python


def test_projection_is_imported_without_umap_or_numba():
    heavy = "('umap', 'numba', 'sklearn')"
    code = f"import sys, projection; print([m for m in {heavy} if m in sys.modules])"
    assert run_python(code) == ["[]"]


def test_umap_is_loaded_with_its_functions_cached_and_numba_left_as_it_was():
    code = (
        "from projection.warm import load_umap\n"
        "import numba\n"
        "before = numba.njit, numba.jit\n"
        "umap = load_umap()\n"
        "print(type(umap.smooth_knn_dist._cache).__name__, before == (numba.njit, numba.jit))"
    )
    assert run_python(code) == ["FunctionCache", "True"]
