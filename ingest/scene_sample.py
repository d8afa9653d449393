"""The scenes of the bundled sample: some asked for in advance, their near misses, and others."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd

from ingest.dataset import Role
from ingest.scene_captions import describe
from ingest.scenes import TEXTURES, Group, Scene, almost, draw, is_held_out, random_scene

N_SCENES = 400
SIDE = 96
SEED = 11
NEVER_TRAINED = "never trained on"

_RED_ABOVE_BLUE = Scene(Group(2, "circle", "red"), Group(1, "square", "blue"), "above")
_N_THEMES = 12
_MISSES_PER_THEME = 4
_PART_HELD_OUT = 0.25


@lru_cache(maxsize=1)
def sample_scenes() -> tuple[Scene, ...]:
    """Return the scenes of the sample, the same on every call.

    Twelve themes, the first "two red circles above a blue square", come in six versions of other
    sizes and textures and with four near misses; the rest is random. A quarter of the random ones
    hold a combination that the bundled CLIP model never saw (``is_held_out``).
    """
    rng = np.random.default_rng(SEED)
    themes = [_RED_ABOVE_BLUE]
    while len(themes) < _N_THEMES:
        scene = random_scene(rng)
        if max(group.count for group in scene.groups) < 4:  # so that it may be large as well
            themes.append(scene)
    scenes: list[Scene] = []
    for theme in themes:
        scenes += _versions(theme, rng)
        scenes += [almost(theme, rng) for _ in range(_MISSES_PER_THEME)]
    while len(scenes) < N_SCENES:
        scenes.append(random_scene(rng, held_out=rng.random() < _PART_HELD_OUT))
    return tuple(scenes[i] for i in rng.permutation(N_SCENES))


def _versions(theme: Scene, rng: np.random.Generator) -> list[Scene]:
    """Return a theme in four pairs of sizes, plain, and twice in other textures."""
    looks = [("plain", "plain", a, b) for a in ("small", "large") for b in ("small", "large")]
    for a, b in (("striped", "plain"), ("dotted", str(rng.choice(TEXTURES)))):
        looks.append((a, b, "large", "large"))
    versions = []
    for first_texture, second_texture, first_size, second_size in looks:
        first = replace(theme.first, texture=first_texture, size=first_size)
        second = theme.second and replace(theme.second, texture=second_texture, size=second_size)
        versions.append(replace(theme, first=first, second=second))
    return versions


@lru_cache(maxsize=1)
def sample_pictures() -> tuple[bytes, ...]:
    """Return the PNG of every scene of the sample."""
    pictures = []
    for row, scene in enumerate(sample_scenes()):
        stream = io.BytesIO()
        draw(scene, SEED + row, side=SIDE).save(stream, "PNG")
        pictures.append(stream.getvalue())
    return tuple(pictures)


def sample_columns() -> tuple[pd.DataFrame, dict[str, Role]]:
    """Return what is in each picture, and the roles of those columns; missing: no second group."""
    scenes = sample_scenes()
    columns = pd.DataFrame(
        {
            "caption": [describe(scene) for scene in scenes],
            "shape": [scene.first.shape for scene in scenes],
            "colour": [scene.first.colour for scene in scenes],
            "count": [scene.first.count for scene in scenes],
            "texture": [scene.first.texture for scene in scenes],
            "size": [scene.first.size for scene in scenes],
            "where": [scene.relation or scene.place for scene in scenes],
            "second shape": [scene.second and scene.second.shape for scene in scenes],
            "second colour": [scene.second and scene.second.colour for scene in scenes],
            "second count": [
                float(scene.second.count) if scene.second else np.nan for scene in scenes
            ],
            "CLIP": [
                NEVER_TRAINED if any(map(is_held_out, scene.groups)) else "trained on the like"
                for scene in scenes
            ],
        }
    )
    roles: dict[str, Role] = {str(name): "categorical" for name in columns}
    return columns, {
        **roles,
        "caption": "text",
        "colour": "label",  # of the first group: what most pictures show most of
        "count": "numeric",
        "second count": "numeric",
    }
