"""How well methods tell images apart that they never saw the labels of: kNN in their space.

    python benchmarks/image_models.py [--data ../shared/data] [--set cifar10|mnist|digits]
                                      [--share 1.0] [--epochs 40]
    python benchmarks/image_models.py --known      what is said of timm's models, against timm

A fifth of the images loses its labels before anything is fitted; the five nearest of the others
(by the method's own metric) name the class of each. The network that is trained here holds out a
part of its own besides, on which it chooses its epoch; that accuracy is printed beside.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.modality import Modality  # noqa: E402
from embedders import get_embedder  # noqa: E402
from ingest.dataset import Dataset  # noqa: E402

METHODS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("pixels", {"side": 32}),
    ("pixels", {}),
    ("pca", {"dim": 50}),
    ("colour_histogram", {}),
    ("hog", {}),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--set", choices=("cifar10", "mnist", "digits"), default="cifar10")
    parser.add_argument("--share", type=float, default=1.0, help="share of the images to use")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--architecture", choices=("cnn", "vit"), default="cnn")
    parser.add_argument("--known", action="store_true")
    given = parser.parse_args()
    if given.known:
        check_known()
        return
    data, labels = read(given.set, given.data)
    rng = np.random.default_rng(0)
    rows = np.sort(rng.permutation(len(data))[: round(given.share * len(data))])
    data, labels = data.subset(rows), labels[rows]
    unseen = np.zeros(len(data), np.bool_)
    unseen[rng.permutation(len(data))[: len(data) // 5]] = True
    column = data.label or "folder"
    hidden = data.columns.assign(**{column: data.columns[column].astype(object).mask(unseen)})
    data = dataclasses.replace(data, columns=hidden)
    print(f"{given.set}: {len(data):,} images, {unseen.sum():,} of them without their label")
    print(f"{'method':44} {'d':>5} {'5-NN':>6} {'CPU s':>7}")
    own = {"epochs": given.epochs, "label": column, "architecture": given.architecture}
    for name, params in (*METHODS, ("own_image_network", own)):
        start = time.process_time()
        vectors = get_embedder(name, **params).fit(data).vectors(data)
        seconds = time.process_time() - start
        score = nearest(vectors, labels, unseen)
        shown = f"{name} {params or ''}"[:44]
        print(f"{shown:44} {vectors.dim:5} {score:6.3f} {seconds:7.1f}", flush=True)
        for note in vectors.provenance["notes"] if name.startswith("own") else ():
            print(f"    {note}")


def read(name: str, folder: Path) -> tuple[Dataset, np.ndarray]:
    """Return a dataset of images with its labels."""
    if name == "cifar10":
        from ingest.read import read_dataset

        data = read_dataset(folder / "cifar10_4000" / "cifar10_4000.zip")
        return data, data.columns[data.label or "folder"].astype(str).to_numpy()
    if name == "digits":
        from ingest.samples import load_sample

        data = load_sample("digits")
        return data, data.columns["digit"].astype(str).to_numpy()
    return tiles(folder / "mnist_sprite_10k")


def tiles(folder: Path) -> tuple[Dataset, np.ndarray]:
    """Return the tiles of the sprite, cut out row by row."""
    import pandas as pd
    from PIL import Image

    from ingest.images import encode_png

    sheet = np.asarray(Image.open(folder / "mnist_10k_sprite.png").convert("L"))
    cut = sheet.reshape(100, 28, 100, 28).swapaxes(1, 2).reshape(-1, 28, 28)
    text = (folder / "mnist_10k_784d_labels.tsv").read_text(encoding="utf-8").split("\n")
    labels = np.array([line.split("\t")[0] for line in text if line][: len(cut)])
    files = [encode_png(tile) for tile in cut]
    columns = pd.DataFrame({"digit": labels})
    ids = tuple(map(str, range(len(files))))
    return Dataset("mnist", Modality.IMAGE, ids, files, columns, {"digit": "label"}), labels


def nearest(vectors: Any, labels: np.ndarray, unseen: np.ndarray) -> float:
    from sklearn.neighbors import KNeighborsClassifier

    judge = KNeighborsClassifier(5, metric=vectors.metric, algorithm="brute")
    judge.fit(vectors.matrix[~unseen], labels[~unseen])
    return float(judge.score(vectors.matrix[unseen], labels[unseen]))


def check_known() -> None:
    """Print size, length of vectors, side and licence of the listed models, as timm has them."""
    from embedders.image_model_list import KNOWN
    from embedders.torchvision_schemas import declare_missing

    declare_missing()
    import timm
    import torch
    from timm.models import get_pretrained_cfg

    for model in KNOWN:
        config = get_pretrained_cfg(model.name)
        with torch.device("meta"):
            network = timm.create_model(model.name)
        mb = round(sum(t.numel() * t.element_size() for t in network.state_dict().values()) / 1e6)
        dim = getattr(network, "head_hidden_size", None) or network.num_features
        theirs = (mb, dim, config.input_size[1], config.license)
        ours = (model.mb, model.dim, model.side, model.licence.lower())
        print(f"{model.name:44} {theirs} {'as listed' if theirs == ours else f'LISTED {ours}'}")


if __name__ == "__main__":
    main()
