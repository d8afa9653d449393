"""What is compiled, when and to where."""

from __future__ import annotations

import sys

from small_datasets import small

from core.modality import Modality
from embedders import get_embedder
from embedders.warm import COMPILED, warm_up
from tests.conftest import run_python


def compiled_functions():
    """Return the compiled functions of this package, with how many signatures each knows."""
    from numba.core.registry import CPUDispatcher

    return {
        (name, key): len(value.signatures)
        for name, module in sys.modules.items()
        if name.startswith("embedders.")
        for key, value in vars(module).items()
        if isinstance(value, CPUDispatcher)
    }


def test_after_the_warm_up_training_compiles_nothing():
    warm_up()
    warm = compiled_functions()
    assert {module for module, _ in warm} >= {
        "embedders.biased_walks",
        "embedders.cooccurrence_counts",
        "embedders.weighted_least_squares",
    }
    for method, _ in COMPILED:
        for settings in ({"dim": 5, "epochs": 2}, {"dim": 20, "epochs": 1}):
            embedder = get_embedder(method, seed=2**32 - 1, **settings)
            embedder.fit(small(sorted(embedder.accepts)[0]))
    get_embedder("node2vec", p=0.5, q=2.0, walks=1, epochs=1).fit(small(Modality.GRAPH))
    assert compiled_functions() == warm


def test_the_cache_goes_to_a_private_folder_where_the_program_cannot_be_written(tmp_path):
    code = (
        "import os, numba, core.compile_cache as cache\n"
        "cache.os.access = lambda path, mode: 'numba' in str(path)\n"
        "cache.choose_cache_folder('/program')\n"
        "print(numba.config.CACHE_DIR, oct(os.stat(numba.config.CACHE_DIR).st_mode & 0o777))"
    )
    folder, mode = run_python(code, XDG_CACHE_HOME=str(tmp_path), NUMBA_CACHE_DIR="")
    assert folder == str(tmp_path / "embedscope" / "numba")
    assert mode == "0o700"


def test_the_cache_stays_beside_the_program_where_that_can_be_written(tmp_path):
    code = (
        "import numba, core.compile_cache as cache\n"
        f"cache.choose_cache_folder({str(tmp_path)!r})\n"
        "print(repr(numba.config.CACHE_DIR))"
    )
    assert run_python(code, NUMBA_CACHE_DIR="") == ["''"]
