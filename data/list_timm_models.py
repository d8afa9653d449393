"""Writes ``data/timm_models.txt``: which pretrained models timm lists under its name on the hub.

    python data/list_timm_models.py

One architecture per line, then the tags of its checkpoints, the one that timm takes by default
first. The app reads the list where it must not load timm itself (naming a download, near misses).
A test compares the list with the installed timm: run this again after timm was upgraded.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from embedders.torchvision_schemas import declare_missing  # noqa: E402

OUT = ROOT / "data" / "timm_models.txt"


def lines() -> list[str]:
    """Return the lines of the list, sorted."""
    declare_missing()
    import timm
    from timm.models import get_arch_pretrained_cfgs

    made = []
    for architecture in sorted(timm.list_models()):
        configs = get_arch_pretrained_cfgs(architecture)
        tags = [
            name.partition(".")[2]
            for name, config in configs.items()
            if config.hf_hub_id == f"timm/{name}"
        ]
        if tags:
            made.append(" ".join([architecture, *tags]))
    return made


if __name__ == "__main__":
    OUT.write_text("\n".join(lines()) + "\n", encoding="utf-8")
