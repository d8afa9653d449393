"""Small CLIP models with random weights, saved as open_clip saves them; one per family."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from embedders.torchvision_schemas import declare_missing

SIDE = 32
_VISION = {"image_size": SIDE, "layers": 1, "width": 16, "patch_size": 8, "head_width": 8}
_TEXT = {"context_length": 12, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
WORDS = ["red", "green", "blue", "circle", "square", "two", "a", "of", "above", "cat", "dog"]

CONFIGS: dict[str, dict[str, Any]] = {
    "clip": {"embed_dim": 12, "vision_cfg": _VISION, "text_cfg": _TEXT},
    "siglip": {
        "embed_dim": 12,
        "init_logit_bias": -10,
        "custom_text": True,
        "vision_cfg": {
            "image_size": 160,
            "timm_model_name": "test_vit",
            "timm_model_pretrained": False,
            "timm_pool": "avg",
            "timm_proj": "linear",
        },
        "text_cfg": {
            **_TEXT,
            "vocab_size": len(WORDS) + 3,
            "hf_tokenizer_name": "small/words",
            "tokenizer_kwargs": {"clean": "canonicalize"},
            "no_causal_mask": True,
            "proj_bias": True,
            "pool_type": "last",
        },
    },
    "coca": {
        "embed_dim": 12,
        "custom_text": True,
        "vision_cfg": {
            **_VISION, "attentional_pool": True, "attn_pooler_heads": 2, "output_tokens": True,
        },
        "text_cfg": {**_TEXT, "embed_cls": True, "output_tokens": True},
        "multimodal_cfg": {**_TEXT, "attn_pooler_heads": 2},
    },
    "roberta": {
        "embed_dim": 12,
        "custom_text": True,
        "vision_cfg": _VISION,
        "text_cfg": {
            "context_length": 12,
            "hf_model_name": "small/roberta",
            "hf_tokenizer_name": "small/roberta",
            "hf_pooler_type": "mean_pooler",
            "hf_proj_type": "mlp",
        },
    },
}  # fmt: skip
TRANSFORMS: dict[str, dict[str, Any]] = {
    "clip": {},
    "siglip": {"mean": [0.5] * 3, "std": [0.5] * 3, "resize_mode": "squash"},
    "coca": {"interpolation": "bilinear"},
    "roberta": {"resize_mode": "longest", "fill_color": 255},
}
ROBERTA = {
    "model_type": "roberta",
    "vocab_size": len(WORDS) + 3,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 40,
    "pad_token_id": 0,
}


def save_small_clip(folder: Path, family: str, *, seed: int = 0) -> Path:
    """Save a model of ``family`` into ``folder`` with configuration and tokenizer."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    told = {"model_cfg": CONFIGS[family], "preprocess_cfg": TRANSFORMS[family]}
    (folder / "open_clip_config.json").write_text(json.dumps(told))
    if "hf_tokenizer_name" in CONFIGS[family]["text_cfg"]:
        save_words(folder)
    network = small_network(family, seed)
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder


@lru_cache
def small_network(family: str, seed: int = 0) -> Any:
    """Return open_clip's own network of a family, with random weights."""
    declare_missing()
    import torch
    from open_clip.coca_model import CoCa
    from open_clip.model import CLIP, CustomTextCLIP

    config = dict(CONFIGS[family])
    if family == "roberta":
        return _small_roberta(config, seed)
    kind = {"clip": CLIP, "coca": CoCa, "siglip": CustomTextCLIP}[family]
    config.pop("custom_text", None)
    torch.manual_seed(seed)
    return kind(**config).eval()


def _small_roberta(config: dict[str, Any], seed: int) -> Any:
    import tempfile

    import torch
    from open_clip.model import CustomTextCLIP

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(ROBERTA))
        config.pop("custom_text")
        tower = {"hf_model_name": folder, "hf_model_pretrained": False}
        torch.manual_seed(seed)
        return CustomTextCLIP(**{**config, "text_cfg": {**config["text_cfg"], **tower}}).eval()


def save_words(folder: Path) -> Path:
    """Save a tokenizer that knows ``WORDS`` into ``folder``, as a model on the hub has one."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    folder.mkdir(parents=True, exist_ok=True)
    known = {w: i for i, w in enumerate(["<pad>", "</s>", "<unk>", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(known, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>"}
    settings |= {"eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder
