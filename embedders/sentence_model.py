"""Text models loaded through sentence_transformers: a saved sentence model or a plain transformer.

Encoders (BERT and kin), encoders of T5 with a dense layer, decoders with last-token pooling: their
transformer runs on our own batches of token ids, the modules behind it (pooling, dense, layer
norm) are the library's. A model that begins with something else (static word vectors, a router)
is run whole, text by text. Nothing is fetched, no code of a model is run, pickles are not opened
(``weights_only``), and weights that leave a part of the network without values are refused.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from core.errors import EmbedderUnavailable, EmbedscopeError, ParameterError
from embedders.model_files import TEXT_FILES, stamp
from embedders.text_model import (
    UNLIMITED,
    Pooling,
    TextModel,
    Tokens,
    chosen_layer,
    padded,
    without_surrogates,
)
from embedders.torchvision_schemas import declare_missing

NEEDED = ("torch", "transformers", "sentence_transformers", "tokenizers", "safetensors")
_HEADS = {"Pooling", "Dense", "Normalize", "LayerNorm", "Dropout"}
"""Modules that take a text's tokens one by one or its vector alone: any batch of ids will do."""
_OUR_NAMES: dict[Any, Pooling] = {
    "mean": "mean",
    "cls": "cls",
    "max": "max",
    "lasttoken": "last",
}
_LIBRARY_NAMES: dict[Any, str] = {ours: theirs for theirs, ours in _OUR_NAMES.items()}
_IN_WORDS = {
    "mean": "mean of all tokens",
    "cls": "first token",
    "max": "maximum over tokens",
    "lasttoken": "last token",
    "weightedmean": "mean of all tokens, later ones weighted more",
    "mean_sqrt_len_tokens": "sum of all tokens over the root of their number",
}
_HUGE = 1_000_000
"""A tokenizer that names no limit states a number with thirty digits."""


def missing_packages() -> list[str]:
    """Return which of the packages that such a model needs are not installed."""
    return [name for name in NEEDED if find_spec(name) is None]


def load(folder: Path, name: str, layer: int = -1, *, shared: bool = True) -> TextModel:
    """Return the model in ``folder``, its vectors taken after ``layer`` (-1: the last).

    ``shared`` gives the one that was loaded last, if it is the same; another caller may hold it.

    Raises
    ------
    EmbedderUnavailable
        If a package is missing, or the folder holds no model that can be loaded.
    ParameterError
        If there is no such layer.
    """
    if missing := missing_packages():
        raise EmbedderUnavailable(
            f"{name} needs {', '.join(missing)}, which is not installed. "
            "Install what requirements.txt lists, or choose LSA or Word2Vec."
        )
    if not shared:
        return _loaded(folder, name, layer)
    return _shared(folder, name, layer, stamp(folder, TEXT_FILES))


@lru_cache(maxsize=1)
def _shared(folder: Path, name: str, layer: int, version: object) -> TextModel:  # noqa: ARG001
    return _loaded(folder, name, layer)


def _loaded(folder: Path, name: str, layer: int) -> TextModel:
    _refuse_foreign_modules(folder, name)
    declare_missing()
    with _quiet():
        try:
            model = _sentence_transformer(folder)
        except EmbedscopeError:
            raise
        except Exception as error:  # whatever three libraries raise on files of any kind
            raise EmbedderUnavailable(
                f"The model {name} cannot be loaded: {_reason(error)} "
                "Check that its folder is whole, or choose another model."
            ) from error
    _refuse_missing_weights(model, name)
    model.eval()
    if _takes_ids(model):
        return TransformerModel(model, name, layer)
    return WholeModel(model, name, layer)


def _sentence_transformer(folder: Path) -> Any:
    """Return the model as the library builds it, its transformer telling what it did not find."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling as PoolingModule

    class Checked(Transformer):  # type: ignore[misc]
        def _load_model(self, *args: Any, **given: Any) -> Any:
            network, self.loading = super()._load_model(*args, **given, output_loading_info=True)
            return network

    weights = {"dtype": torch.float32}
    kind = _json(folder / "config_sentence_transformers.json").get("model_type")
    if (folder / "modules.json").is_file() and kind in {None, "SentenceTransformer"}:
        types = {module["type"] for module in _json(folder / "modules.json")}
        transformers = {t: Checked for t in types if t.rpartition(".")[2] == "Transformer"}
        return SentenceTransformer._load_with_module_classes(
            str(folder),
            transformers,
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs=weights,
        )
    local = {"local_files_only": True, "trust_remote_code": False}
    modalities, output = Transformer._get_default_modality_config({})
    network = Checked(
        str(folder),
        model_kwargs={**local, **weights},
        processor_kwargs=dict(local),
        config_kwargs=dict(local),
        modality_config=modalities,  # a chat template of a decoder is not for embedding
        module_output_name=output,
    )
    # The library's rule for models that say nothing of pooling.
    written = (getattr(network.config, "architectures", None) or [""])[0]
    is_decoder = written.endswith("ForCausalLM") and getattr(network.config, "is_causal", True)
    pooling = PoolingModule(
        network.get_embedding_dimension(), "lasttoken" if is_decoder else "mean"
    )
    return SentenceTransformer(modules=[network, pooling], device="cpu")


def _takes_ids(model: Any) -> bool:
    """Tell whether the model is a transformer over token ids with simple modules behind it."""
    first, *others = model
    if not hasattr(first, "loading") or not {type(m).__name__ for m in others} <= _HEADS:
        return False
    told = first.modality_config.get("text", {})
    plain = {
        "method": told.get("method"),
        "output": told.get("method_output_name"),
        "expansion": first.query_expansion,
    }
    return (
        plain == {"method": "forward", "output": "last_hidden_state", "expansion": None}
        and "message" not in first.modality_config
        and first.module_output_name == "token_embeddings"
        and first.tokenizer is not None
        and not any(first.tokenizer("a").get("token_type_ids", ()))
        and any(hasattr(module, "pooling_mode") for module in others)
    )


class _Library(TextModel):
    """What both ways of running a model of sentence_transformers share."""

    def __init__(self, model: Any, name: str) -> None:
        self.name = name
        self._model = model
        self.prompts = _prompts(model)
        self.dim = model.truncate_dim
        notes = []
        if self.dim is not None:
            notes.append(f"The model itself keeps the first {self.dim} numbers of its vectors.")
        if model.similarity_fn_name == "dot":
            notes.append(
                "The model was trained for the dot product of vectors of any length: for that, "
                "leave their length as it comes."
            )
        self.notes = tuple(notes)

    def _texts_vectors(self, features: dict[str, Any]) -> Any:
        vectors = features["sentence_embedding"].float()
        return vectors if self.dim is None else vectors[:, : self.dim]

    def to_bfloat16(self) -> TextModel:
        """Return the model with a transformer of 16-bit weights; pooling and heads stay exact."""
        import torch

        self._model[0].to(torch.bfloat16)
        return self


class TransformerModel(_Library):
    """A transformer, run on batches of token ids, and the library's modules behind it."""

    def __init__(self, model: Any, name: str, layer: int) -> None:
        super().__init__(model, name)
        first, *others = model
        self._network, self._tokenizer = first.model, first.tokenizer
        self.n_layers = int(getattr(first.config.get_text_config(), "num_hidden_layers", 0))
        self.layer = chosen_layer(layer, self.n_layers, name)
        _shorten(self._network, self.layer, self.n_layers)
        # Scaling to length 1 comes last and is a setting of its own.
        while others and type(others[-1]).__name__ == "Normalize":
            others.pop()
        self._heads = others
        self._pooling = next(m for m in others if hasattr(m, "pooling_mode"))
        self.behind = ", ".join(type(m).__name__ for m in others if m is not self._pooling)
        self.own_pooling = _OUR_NAMES.get(self._pooling.pooling_mode)
        self.recipe = self.own_pooling or _in_words(self._pooling.pooling_mode)
        self._leaves_prompt_out = not self._pooling.include_prompt
        self.most, self.length = _lengths(first)
        if self.length is None:
            self.length = UNLIMITED if self.most is None else min(UNLIMITED, self.most)
            self.notes += (f"The model names no limit of its own: {self.length} tokens are used.",)
        marks = (self._tokenizer.pad_token_id, self._tokenizer.eos_token_id, 0)
        self._pad = next(int(i) for i in marks if i is not None)
        self._head, self._tail = _added(self._tokenizer)
        if self._tokenizer.is_fast:
            backend = self._tokenizer.backend_tokenizer
            backend.no_truncation()
            backend.no_padding()

    def tokens(self, texts: Sequence[str], prompt: str = "") -> list[Tokens]:
        """Return the tokens of each text behind ``prompt``, uncut."""
        clean = without_surrogates([prompt + text for text in texts] if prompt else texts)
        n_prompt = 0
        if prompt and self._leaves_prompt_out:
            n_prompt = len(self._ids([prompt])[0]) - len(self._tail)
        return [Tokens(tuple(ids), n_prompt) for ids in self._ids(clean)]

    def _ids(self, texts: list[str]) -> list[list[int]]:
        if self._tokenizer.is_fast:
            encoded = self._tokenizer.backend_tokenizer.encode_batch_fast(texts)
            return [each.ids for each in encoded]
        with _quiet():  # it warns of long texts, which are cut here
            read: list[list[int]] = self._tokenizer(texts)["input_ids"]
        return read

    def cut(self, tokens: Tokens, most: int) -> Tokens:
        """Return ``most`` tokens of the side that the tokenizer keeps, with its own at the ends."""
        ids = tokens.ids
        if len(ids) <= most:
            return tokens
        head, tail = len(self._head), len(self._tail)
        if self._tokenizer.truncation_side == "left":
            kept = (*ids[:head], *ids[len(ids) - most + head :])
        else:
            kept = (*ids[: most - tail], *ids[len(ids) - tail :])
        return Tokens(kept[:most], tokens.n_prompt)

    def run(self, items: Sequence[Tokens], pooling: Pooling | None) -> tuple[Any, Any]:
        """Return the states of the tokens and the vectors that the modules make of them."""
        ids, real = padded(items, self._pad)
        inner = self.layer < self.n_layers
        out = self._network(
            input_ids=ids,
            attention_mask=None if real.all() else real.long(),
            **({"output_hidden_states": True} if inner else {}),
        )
        states = (out.hidden_states[self.layer] if inner else out.last_hidden_state).float()
        counted = real.clone()
        for row, item in enumerate(items):
            if item.n_prompt < len(item):  # a text that is all prompt keeps it
                counted[row, : item.n_prompt] = False
        features = {"token_embeddings": states, "attention_mask": counted.long(), "input_ids": ids}
        for module in self._heads:
            chosen = module is self._pooling and pooling is not None
            features = (self._other_pooling(pooling) if chosen else module)(features)
        return states, self._texts_vectors(features)

    def _other_pooling(self, pooling: Pooling | None) -> Any:
        ours, width = self._pooling, self._pooling.embedding_dimension
        other = type(ours)(width, _LIBRARY_NAMES[pooling], ours.include_prompt)
        if other.pooling_output_dimension != ours.pooling_output_dimension and len(self._heads) > 1:
            raise ParameterError(
                f"{self.name} joins several kinds of pooling for the layer behind it: "
                "leave its pooling as the model asks."
            )
        return other

    def token_text(self, id: int) -> str:
        """Return how a token is written."""
        return str(self._tokenizer.convert_ids_to_tokens(id))

    def marks(self) -> dict[int, str]:
        """Return what tokens without a text of their own stand for."""
        t = self._tokenizer
        told = {t.unk_token_id: "not in the vocabulary", t.mask_token_id: "a gap"}
        told |= dict.fromkeys(self._tail, "end of the text")
        told |= dict.fromkeys(self._head, "start of the text")
        return {int(i): what for i, what in told.items() if i is not None}


class WholeModel(_Library):
    """A model that reads texts by itself: static word vectors, a router, a bag of words."""

    n_layers = layer = 0
    length = most = None
    recipe = "as the model's modules do it"
    shows_tokens = False

    def __init__(self, model: Any, name: str, layer: int) -> None:
        super().__init__(model, name)
        chosen_layer(layer, 0, name)
        names = ", ".join(type(module).__name__ for module in model)
        self.notes += (f"The model runs whole ({names}): how much of a text it reads is its own.",)
        self._modules = [m for m in model if type(m).__name__ != "Normalize"]
        self._texts: dict[int, str] = {}

    def tokens(self, texts: Sequence[str], prompt: str = "") -> list[Tokens]:
        """Return the characters of each text behind ``prompt``: its tokens are the model's own."""
        return [Tokens(tuple(map(ord, prompt + text))) for text in without_surrogates(texts)]

    def cut(self, tokens: Tokens, most: int) -> Tokens:  # noqa: ARG002
        """Return ``tokens``: nothing is known of how the model counts."""
        return tokens

    def run(self, items: Sequence[Tokens], pooling: Pooling | None) -> tuple[Any, Any]:
        """Return nothing of tokens, and the vectors of the texts."""
        if pooling is not None:
            raise ParameterError(
                f"{self.name} pools in a way of its own: leave its pooling as the model asks."
            )
        features = self._model.preprocess(["".join(map(chr, item.ids)) for item in items])
        for module in self._modules:
            features = module(features)
        return None, self._texts_vectors(features)

    def token_text(self, id: int) -> str:
        """Return a character."""
        return chr(id)

    def marks(self) -> dict[int, str]:
        """Return nothing."""
        return {}


def _shorten(network: Any, layer: int, n_layers: int) -> None:
    """Take off layers that are not needed; one above stays, since after the last comes a norm.

    What stands between layers (``hidden_states[layer]``) is what goes into the next one; behind
    the last layer some models put a norm that belongs to no layer.
    """
    import torch

    lists = [
        (name.count("."), name)
        for name, part in network.named_modules()
        if isinstance(part, torch.nn.ModuleList)
        and len(part) == n_layers
        and len({type(layer) for layer in part}) == 1
    ]
    # Layers may hold lists of as many parts themselves (heads, experts): theirs lie deeper.
    outer = [name for depth, name in lists if depth == min(lists)[0]]
    if len(outer) == 1 and n_layers > layer + 1:
        owner, _, name = outer[0].rpartition(".")
        parent = network.get_submodule(owner)
        setattr(parent, name, getattr(parent, name)[: layer + 1])


def _prompts(model: Any) -> tuple[str, str]:
    """Return what the model asks to be put before documents and before queries.

    The library gives every model an empty prompt for "query" and "document", behind which its own
    for "passage" or its default one would never come to light: only a prompt with words counts.
    """
    told = {name: prompt for name, prompt in model.prompts.items() if prompt}
    usual = told.get(model.default_prompt_name, "")
    document = [told[name] for name in ("document", "passage", "corpus") if name in told]
    return (document or [usual])[0], told.get("query", usual)


def _lengths(transformer: Any) -> tuple[int | None, int | None]:
    """Return the most tokens that have positions, and how many the model asks for."""
    most = getattr(transformer.config.get_text_config(), "max_position_embeddings", None)
    if not isinstance(most, int) or most <= 0:
        most = None
    else:
        most -= transformer._infer_flatten_position_offset()
    asked = transformer.max_seq_length
    if asked is None or asked > _HUGE:
        return most, most
    return most, asked if most is None else min(int(asked), most)


def _added(tokenizer: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the tokens that the tokenizer puts before and behind every text."""
    inside = tokenizer("a", add_special_tokens=False)["input_ids"]
    whole = tokenizer("a")["input_ids"]
    for start in range(len(whole) - len(inside) + 1):
        if inside and whole[start : start + len(inside)] == inside:
            return tuple(whole[:start]), tuple(whole[start + len(inside) :])
    return (), ()


def _in_words(modes: str | Sequence[str]) -> str:
    return " and ".join(_IN_WORDS[m] for m in ((modes,) if isinstance(modes, str) else modes))


def _refuse_foreign_modules(folder: Path, name: str) -> None:
    modules = _json(folder / "modules.json") if (folder / "modules.json").is_file() else []
    try:
        types = [str(module["type"]) for module in modules]
    except (LookupError, TypeError) as error:
        raise EmbedderUnavailable(
            f"The modules.json of {name} is not that of a sentence model. Choose another model."
        ) from error
    foreign = [t for t in types if not t.startswith("sentence_transformers.")]
    if foreign:
        raise EmbedderUnavailable(
            f"{name} brings code of its own ({foreign[0]}), which is never run here. "
            "Choose a model that the libraries know."
        )


def _refuse_missing_weights(model: Any, name: str) -> None:
    told = getattr(model[0], "loading", None) or {}
    # A pooler behind the last layer is not used: vectors come from the states of tokens.
    lacking = sorted(k for k in told.get("missing_keys", ()) if "pooler." not in k)
    if lacking:
        raise EmbedderUnavailable(
            f"The weights of {name} do not fit its config.json: {len(lacking):,} parts have none, "
            f"first {lacking[0]}. Check that its folder is whole, or choose another model."
        )


def _reason(error: Exception) -> str:
    """Return one sentence of what a library said, without its advice and its paths."""
    text = " ".join(str(error).split())
    if "trust_remote_code" in text or "execute the configuration file" in text:
        return "it brings code of its own, which is never run here."
    if "ignore_mismatched_sizes" in text or "size mismatch" in text:
        return "its weights do not fit its config.json."
    if isinstance(error, ImportError | ModuleNotFoundError):
        wanted = getattr(error, "name", None) or "a package"
        return f"it needs {wanted}, which is not installed."
    if "does not recognize this architecture" in text or "Unrecognized model" in text:
        return "its architecture is unknown to the installed transformers package."
    if "tokenizer" in text.lower():
        return "its tokenizer cannot be read."
    if isinstance(error, OSError):
        return "a file of it is missing or broken."
    return f"its files are not what they should be ({type(error).__name__})."


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise EmbedderUnavailable(
            f"{path.name} of the model cannot be read as JSON. Its folder is not whole."
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' advice and progress bars from the terminal for a while."""
    from transformers.utils import logging as told

    level, bars = told.get_verbosity(), told.is_progress_bar_enabled()
    library = logging.getLogger("sentence_transformers")
    before = library.level
    told.set_verbosity(logging.CRITICAL)
    told.disable_progress_bar()
    library.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        told.set_verbosity(level)
        library.setLevel(before)
        if bars:
            told.enable_progress_bar()
