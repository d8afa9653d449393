"""Tiny image models of timm with random weights, saved as the hub serves them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

VIT = {
    "architecture": "vit_tiny_patch16_224",
    "num_classes": 0,
    "model_args": {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 1, "num_heads": 2},
    "pretrained_cfg": {
        "input_size": [3, 32, 32],
        "interpolation": "bicubic",
        "crop_pct": 0.9,
        "crop_mode": "center",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "num_classes": 5,
    },
}
DIM = 16


def save_small_vit(folder: Path) -> Path:
    """Write a vision transformer of one block; neither torch nor timm is loaded for it."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    shapes = {
        "cls_token": (1, 1, DIM),
        "pos_embed": (1, 17, DIM),
        "patch_embed.proj.weight": (DIM, 3, 8, 8),
        "patch_embed.proj.bias": (DIM,),
        "blocks.0.attn.qkv.weight": (3 * DIM, DIM),
        "blocks.0.attn.qkv.bias": (3 * DIM,),
        "blocks.0.attn.proj.weight": (DIM, DIM),
        "blocks.0.attn.proj.bias": (DIM,),
        "blocks.0.mlp.fc1.weight": (4 * DIM, DIM),
        "blocks.0.mlp.fc1.bias": (4 * DIM,),
        "blocks.0.mlp.fc2.weight": (DIM, 4 * DIM),
        "blocks.0.mlp.fc2.bias": (DIM,),
        "head.weight": (5, DIM),
        "head.bias": (5,),
    }
    weights = {n: rng.normal(0, 0.2, s).astype(np.float32) for n, s in shapes.items()}
    for norm in ("blocks.0.norm1", "blocks.0.norm2", "norm"):
        weights[f"{norm}.weight"] = np.ones(DIM, np.float32)
        weights[f"{norm}.bias"] = np.zeros(DIM, np.float32)
    return _save(folder, VIT, lambda path: save_file(weights, path))


def save_small_cnn(folder: Path, architecture: str = "test_resnet") -> Path:
    """Write one of the small networks that timm has for tests."""
    from embedders.torchvision_schemas import declare_missing

    declare_missing()
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    network = timm.create_model(architecture, num_classes=7)
    config = {
        "architecture": architecture,
        "num_classes": 7,
        "pretrained_cfg": {
            "input_size": [3, 64, 64],
            "interpolation": "bilinear",
            "crop_pct": 1.0,
            "crop_mode": "center",
            "mean": [0.4, 0.5, 0.6],
            "std": [0.2, 0.25, 0.3],
        },
    }
    return _save(folder, config, lambda path: save_file(network.state_dict(), path))


def _save(folder: Path, config: dict[str, Any], save: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    save(str(folder / "model.safetensors"))
    return folder
