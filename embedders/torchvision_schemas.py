"""Lets torchvision be imported beside a torch that it was not built for.

torchvision registers shape rules for two operators, ``nms`` and ``qnms``, that its compiled part
declares. A torchvision built for CUDA cannot load that part where torch has no CUDA; the rules
then name operators nobody declared, and the import fails ("operator torchvision::nms does not
exist"). With it fail open_clip, timm, transformers and sentence_transformers, which import
torchvision for their image transforms and never call these operators. Declaring the two (their
names and arguments, no code) is enough for the import.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}

# A declaration is withdrawn when the library object that made it is collected.
_declared: list[Any] = []


@lru_cache(maxsize=1)
def declare_missing() -> tuple[str, ...]:
    """Declare those operators that torchvision's own compiled part does not; return their names.

    Call it before importing open_clip, timm, torchvision, sentence_transformers or the parts of
    transformers that load images. Repeated calls do nothing. Where torchvision is not installed,
    or is whole, nothing is declared: a second declaration of a name would be refused.
    """
    if find_spec("torchvision") is None:
        return ()
    import torch

    _load_compiled_part()
    missing = [name for name in SCHEMAS if not _is_declared(name)]
    if missing:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in missing:
            library.define(SCHEMAS[name])
        _declared.append(library)
    return tuple(missing)


def _load_compiled_part() -> None:
    """Load what torchvision would load itself on import, so that it declares what it can."""
    import torch

    spec = find_spec("torchvision")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        for path in sorted([*Path(folder).glob("_C*.so"), *Path(folder).glob("_C*.pyd")]):
            try:
                torch.ops.load_library(str(path))
            except (OSError, ImportError):
                continue  # built for another torch: exactly the case that is cured here


def _is_declared(name: str) -> bool:
    import torch

    return bool(torch._C._jit_get_schemas_for_operator(f"torchvision::{name}"))
