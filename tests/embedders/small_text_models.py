"""Tiny text models with random weights, saved as their families are published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from embedders.torchvision_schemas import declare_missing

WORDS = "the a bank river loan money rate team goal match player query passage : . , ? é 東 京"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def seeded(model: Any) -> Any:
    """Give every weight a fixed random value, wide enough that texts differ clearly."""
    import torch

    rng = np.random.default_rng(0)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            scale = 0.3 if weight.dim() > 1 else 0.1
            is_gain = weight.dim() == 1 and name.endswith("weight")
            values = rng.normal(0, scale, weight.shape) + is_gain
            weight.copy_(torch.from_numpy(np.asarray(values, np.float32)))
    return model.eval()


def word_tokenizer(folder: Path, first: str = "[CLS]", last: str = "[SEP]", **told: Any) -> Any:
    """Save a tokenizer of whole words and letters that puts ``first`` and ``last`` at the ends."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "</s>", "<eos>"]
    pieces = [*marks, *WORDS.split(), *LETTERS, *("##" + c for c in LETTERS)]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    raw = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    raw.normalizer = normalizers.BertNormalizer(lowercase=True)
    raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [mark for mark in (first, last) if mark]
    raw.post_processor = processors.TemplateProcessing(
        single=" ".join(part for part in (first, "$A", last) if part),
        special_tokens=[(mark, vocabulary[mark]) for mark in ends],
    )
    named = {"pad_token": "[PAD]", "unk_token": "[UNK]", **told}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, **named)
    tokenizer.save_pretrained(folder)
    return tokenizer


def n_pieces() -> int:
    return 7 + len(set(WORDS.split())) + 2 * len(LETTERS)


def save_modules(folder: Path, *modules: Any, **config: Any) -> None:
    """Save what stands behind a transformer as sentence_transformers does."""
    listed = [{"idx": 0, "name": "0", "path": "", "type": _type("Transformer")}]
    for i, module in enumerate(modules, 1):
        name = type(module).__name__
        (folder / f"{i}_{name}").mkdir()
        module.save(str(folder / f"{i}_{name}"))
        entry = {"idx": i, "name": str(i), "path": f"{i}_{name}", "type": _type(name)}
        listed.append(entry)
    (folder / "modules.json").write_text(json.dumps(listed))
    if config:
        (folder / "config_sentence_transformers.json").write_text(json.dumps(config))


def _type(name: str) -> str:
    return f"sentence_transformers.models.{name}"


def bert(folder: Path, **config: Any) -> Path:
    """Save a plain BERT of three layers."""
    declare_missing()
    from transformers import BertConfig, BertModel

    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "vocab_size": n_pieces(),
        "hidden_size": 16,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "intermediate_size": 24,
        "max_position_embeddings": 64,
    }
    seeded(BertModel(BertConfig(**{**settings, **config}))).save_pretrained(folder)
    word_tokenizer(folder, cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")
    return folder


def sentence_bert(
    folder: Path, pooling: Any = "cls", include_prompt: bool = True, **config: Any
) -> Path:
    """Save a BERT with pooling and scaling to length 1, as BGE is published."""
    bert(folder)
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    (folder / "sentence_bert_config.json").write_text(
        json.dumps({"max_seq_length": 32, "do_lower_case": False})
    )
    save_modules(folder, Pooling(16, pooling, include_prompt), Normalize(), **config)
    return folder


def sentence_t5(folder: Path) -> Path:
    """Save an encoder of T5 with mean pooling, a dense layer and scaling, as GTR is published."""
    declare_missing()
    import torch
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling
    from transformers import T5Config, T5EncoderModel

    folder.mkdir(parents=True, exist_ok=True)
    config = T5Config(vocab_size=n_pieces(), d_model=16, d_kv=8, d_ff=24, num_layers=2, num_heads=2)
    seeded(T5EncoderModel(config)).save_pretrained(folder)
    word_tokenizer(folder, "", "</s>", eos_token="</s>")
    dense = seeded(Dense(16, 12, bias=False, activation_function=torch.nn.Identity()))
    save_modules(folder, Pooling(16, "mean"), dense, Normalize())
    return folder


def gpt2(folder: Path) -> Path:
    """Save a plain GPT-2, whose tokenizer adds nothing and names no padding."""
    declare_missing()
    from transformers import GPT2Config, GPT2Model

    folder.mkdir(parents=True, exist_ok=True)
    config = GPT2Config(
        vocab_size=n_pieces(), n_embd=16, n_layer=2, n_head=2, n_positions=40, bos_token_id=6
    )
    seeded(GPT2Model(config)).save_pretrained(folder)
    word_tokenizer(folder, "", "", eos_token="<eos>", pad_token=None)
    return folder


def qwen(folder: Path) -> Path:
    """Save a decoder with last-token pooling, padding on the left and an appended end token."""
    declare_missing()
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
    from transformers import Qwen3Config, Qwen3Model

    folder.mkdir(parents=True, exist_ok=True)
    config = Qwen3Config(
        vocab_size=n_pieces(),
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=64,
    )
    seeded(Qwen3Model(config)).save_pretrained(folder)
    word_tokenizer(folder, "", "<eos>", eos_token="<eos>", padding_side="left")
    prompts = {"query": "query : ", "document": ""}
    save_modules(folder, Pooling(16, "lasttoken"), Normalize(), prompts=prompts)
    return folder


def static(folder: Path) -> Path:
    """Save static vectors of tokens, as static-retrieval is published."""
    declare_missing()
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = word_tokenizer(folder / "tokenizer", "", "")
    weights = np.random.default_rng(0).normal(size=(n_pieces(), 16)).astype(np.float32)
    module = StaticEmbedding(tokenizer, embedding_weights=weights)
    SentenceTransformer(modules=[module], device="cpu").save(str(folder))
    return folder


MAKERS = {
    "bert": bert,
    "sentence_bert": sentence_bert,
    "sentence_t5": sentence_t5,
    "gpt2": gpt2,
    "qwen": qwen,
    "static": static,
}
