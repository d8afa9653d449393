"""CLIP models worth knowing: what each costs, may be used for, and is good at."""

from __future__ import annotations

from typing import NamedTuple

from core.params import Suggestion

BUNDLED = "tiny_clip"


class KnownClip(NamedTuple):
    """Facts of one architecture with its default checkpoint, from its model card.

    Attributes
    ----------
    name : str
        open_clip's.
    mb : int
        Megabytes to download, roughly: four bytes per parameter.
    dim : int
        Numbers per vector.
    licence : str
    about : str
        A sentence on what it is good at.
    """

    name: str
    mb: int
    dim: int
    licence: str
    about: str


KNOWN = (
    KnownClip("ViT-B-32", 605, 512, "MIT", "The quick all-rounder for photographs and English."),
    KnownClip("ViT-B-16", 598, 512, "MIT", "Sees finer detail, for four times the work."),
    KnownClip("ViT-L-14", 1_710, 768, "MIT", "Better, for 18 times the work of ViT-B-32."),
    KnownClip(
        "ViT-B-16-SigLIP", 813, 768, "Apache-2.0", "Sigmoid loss: better than CLIP of its size."
    ),
    KnownClip("ViT-B-16-SigLIP2", 1_501, 768, "Apache-2.0", "SigLIP 2: many languages."),
    KnownClip(
        "ViT-SO400M-14-SigLIP-384", 3_512, 1_152, "Apache-2.0", "Among the best, for more than "
        "100 times the work of ViT-B-32: wants a graphics card.",
    ),
    KnownClip("coca_ViT-B-32", 1_014, 512, "MIT", "CoCa, trained to caption too: its two towers."),
    KnownClip("coca_ViT-L-14", 2_554, 768, "MIT", "The larger CoCa."),
    KnownClip(
        "xlm-roberta-base-ViT-B-32", 1_464, 512, "MIT", "Photographs, and texts in 100 languages."
    ),
    KnownClip("RN50", 408, 1_024, "MIT", "OpenAI's first, with a convolutional network."),
)  # fmt: skip


def download_mb(name: str) -> int | None:
    """Return roughly how large the weights of an architecture are, None where it is not listed."""
    return next((one.mb for one in KNOWN if one.name == name), None)


def suggestions() -> tuple[Suggestion, ...]:
    """Return what the form offers: the bundled model first."""
    from embedders.clip_checkpoints import resolve
    from embedders.hub_model import at_hand

    bundled = Suggestion(
        BUNDLED,
        f"{BUNDLED} · bundled, ready",
        "Trained by this project on drawn scenes and digits only: it knows shapes, colours, counts "
        "and positions, and nothing of photographs.",
    )
    offered = [bundled]
    for one in KNOWN:
        source = resolve(one.name).source
        here = source is not None and at_hand(source) is not None
        state = "ready" if here else f"{one.mb:,} MB"
        told = f"{one.about} {one.dim:,} numbers per vector, licence {one.licence}."
        offered.append(Suggestion(one.name, f"{one.name} · {state}", told))
    return tuple(offered)
