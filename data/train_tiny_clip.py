"""Trains the bundled small CLIP model and writes ``data/tiny_clip``.

    python data/train_tiny_clip.py            # the bundled model, minutes on one core
    python data/train_tiny_clip.py --steps 50 --out FOLDER
    python data/train_tiny_clip.py --judge    # measure what is there again, train nothing

The model, its two towers, its tokenizer and its loss are open_clip's. Images: scenes that
``ingest.scenes`` draws, with captions of ``ingest.scene_captions``, and scikit-learn's handwritten
digits. Nearly half of each batch are pairs of scenes that differ in one thing only and are
captioned in full.

1. Captions. The text tower learns with CLIP's loss to tell to which scene a caption belongs; the
   scene is given as facts (what stands where), turned by a fixed random matrix so that all facts
   are equally far apart. Were it trained as well, both would settle on what is there and leave out
   where: measured, no better than chance after 450 steps, here .93 of near misses after 300.
   Words: a frozen table of word pieces, MiniLM's, seen through a linear map, so that a word that no
   caption holds is near words that some do; the map is multiplied into the table at the end.
2. Pictures. The text tower is locked (Zhai et al. 2022, "LiT", with the towers exchanged), and the
   image tower learns to match pictures to captions.

Trained together from scratch for as long, the towers tell colours and counts but not who stands
above whom: neither can learn it before the other has.

Every seed is fixed and one thread computes, so that the same machine makes the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from embedders import minilm, tiny_clip  # noqa: E402
from embedders.torchvision_schemas import declare_missing  # noqa: E402
from ingest import scenes  # noqa: E402
from ingest.scene_captions import DIGITS, caption, caption_digit  # noqa: E402

BATCH = {"captions": 192, "pictures": 128}
PAIRS = {"captions": 56, "pictures": 40}  # of scenes that differ in one thing, per batch
SEED, TEST_SEED = 0, 1_000_003
N_TEST = 500
# Facts of a scene: each of these at each place.
PROPERTIES = (
    *scenes.COUNTS,
    *scenes.SHAPES,
    *scenes.COLOURS,
    *scenes.TEXTURES,
    *scenes.SIZES,
)
N_FACTS = len(scenes.PLACES) * len(PROPERTIES) + len(DIGITS)
FIGURES = "training.json"
STRAY_WORDS = 0.12  # of the captions get a word that says nothing about the picture
TEST_DIGITS = 5  # every fifth digit is never trained on

CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 128,
        "custom_text": True,  # open_clip's name for a text tower in a module of its own
        "vision_cfg": {
            "layers": [1, 1, 1, 1],
            "width": 16,
            "head_width": 32,
            "image_size": scenes.SIDE,
        },
        "text_cfg": {
            "context_length": 24,
            "vocab_size": 30_522,
            "width": 96,
            "heads": 4,
            "layers": 3,
            "pool_type": "eos",
            "eos_id": 102,
            "hf_tokenizer_name": "bundled",
        },
    },
    "preprocess_cfg": {
        "mean": [0.5, 0.5, 0.5],
        "std": [0.25, 0.25, 0.25],
        "interpolation": "bicubic",
        "resize_mode": "squash",
    },
}


class Batch(NamedTuple):
    """Scenes and pictures of digits; the facts and a caption of each."""

    subjects: list[Any]
    facts: Any
    captions: list[str]


class Digits(NamedTuple):
    """Handwritten digits as pictures of a scene's size, and what they are."""

    pixels: Any
    values: Any


def main() -> None:
    """Train, judge and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, nargs=2, default=(900, 1_000))
    parser.add_argument("--rates", type=float, nargs=2, default=(2e-3, 1.5e-3))
    parser.add_argument("--out", type=Path, default=tiny_clip.FOLDER)
    parser.add_argument("--judge", action="store_true")
    options = parser.parse_args()
    declare_missing()
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)
    known, tested = digits()
    if options.judge:
        about = json.loads((options.out / FIGURES).read_text(encoding="utf-8"))
    else:
        model, word_map = new_model()
        began, wall = time.process_time(), time.perf_counter()
        stages = (learn_captions, learn_pictures)
        losses = [
            stage(model, known, steps, rate)
            for stage, steps, rate in zip(stages, options.steps, options.rates, strict=True)
        ]
        about = {
            "steps": dict(zip(("captions", "pictures"), options.steps, strict=True)),
            "learning_rates": dict(zip(("captions", "pictures"), options.rates, strict=True)),
            "batch": BATCH,
            "pictures_seen": options.steps[1] * BATCH["pictures"],
            "seed": SEED,
            "cpu_seconds": round(time.process_time() - began),
            "wall_seconds": round(time.perf_counter() - wall),
            "threads": 1,
            "torch": torch.__version__,
            "final_losses": [round(float(np.mean(each[-50:])), 4) for each in losses],
        }
        about["weights_sha256"] = write(options.out, model, word_map)
    # Judged as it is shipped: in float16, with the map multiplied into the table of words.
    shipped = tiny_clip.load_folder(options.out, about["weights_sha256"])
    about["held_out"] = judge(shipped.model, shipped.tokenize, tested)
    text = json.dumps(about, indent=2)
    (options.out / FIGURES).write_text(text + "\n", encoding="utf-8")
    say(text)


def new_model() -> tuple[Any, Any]:
    """Return an untrained model and the module that maps MiniLM's word vectors to its width."""
    import torch

    model = tiny_clip.new_model(CONFIG)
    model.visual.to(memory_format=torch.channels_last)
    words = minilm.load(0).model.embeddings.word_embeddings.weight.detach()
    words = (words - words.mean(0)) / words.std()
    width = CONFIG["model_cfg"]["text_cfg"]["width"]
    frozen = torch.nn.Embedding.from_pretrained(words, freeze=True)
    word_map = torch.nn.Linear(words.shape[1], width, bias=False)
    torch.nn.init.normal_(word_map.weight, std=0.2 / math.sqrt(words.shape[1]))
    model.text.token_embedding = torch.nn.Sequential(frozen, word_map)
    # As strong as what stands there: with open_clip's start, made for long training, places drown.
    with torch.no_grad():
        model.text.positional_embedding.copy_(waves(*model.text.positional_embedding.shape))
        model.visual.attnpool.positional_embedding.normal_(std=0.5)
    return model, word_map


def waves(length: int, width: int) -> Any:
    """Return slow to quick sine and cosine waves over positions, ``(length, width) float32``.

    With the slowest, half a wave long, "before" and "after" can be told by one comparison.
    """
    import torch

    octaves = 5 * torch.arange(width // 2) / (width // 2 - 1)
    angles = torch.arange(length)[:, None] * (math.pi / (2 * length)) * 2**octaves
    return 0.3 * torch.cat([angles.sin(), angles.cos()], dim=1)


def new_tokenizer() -> Any:
    """Return a function from texts to ``(n, context_length) int64`` word pieces."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(minilm.model_folder() / "tokenizer.json"))
    return tiny_clip.tokenize_with(tokenizer, CONFIG["model_cfg"]["text_cfg"]["context_length"])


def digits() -> tuple[Digits, Digits]:
    """Return scikit-learn's digits, dark on white: those to train on and those held out."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    side = (scenes.SIDE, scenes.SIDE)
    pixels = np.stack(
        [
            np.asarray(Image.fromarray(ink).resize(side, Image.Resampling.BICUBIC).convert("RGB"))
            for ink in (255 - 15 * bunch.images).astype(np.uint8)
        ]
    )
    held_out = np.arange(len(pixels)) % TEST_DIGITS == 0
    return (
        Digits(pixels[~held_out], bunch.target[~held_out]),
        Digits(pixels[held_out], bunch.target[held_out]),
    )


def learn_captions(model: Any, known: Digits, steps: int, rate: float) -> list[float]:
    """Train the text tower against the facts of scenes; return the loss of every step."""
    import torch

    rng = np.random.default_rng(SEED)
    tokenize, strays = new_tokenizer(), stray_words()
    width = CONFIG["model_cfg"]["embed_dim"]
    turn = torch.nn.init.orthogonal_(torch.empty(width, N_FACTS)).T

    def next_features() -> tuple[Any, Any]:
        batch = next_batch(rng, known, strays, "captions")
        given = torch.nn.functional.normalize(torch.from_numpy(batch.facts) @ turn, dim=1)
        return given, model.encode_text(tokenize(batch.captions), normalize=True)

    return descend(model, model.text, next_features, "captions", steps, rate)


def learn_pictures(model: Any, known: Digits, steps: int, rate: float) -> list[float]:
    """Train the image tower against the locked text tower; return the loss of every step."""
    import torch

    rng = np.random.default_rng([SEED, 1])
    tokenize, strays = new_tokenizer(), stray_words()
    model.train()

    def next_features() -> tuple[Any, Any]:
        batch = next_batch(rng, known, strays, "pictures")
        with torch.no_grad():
            texts = model.encode_text(tokenize(batch.captions), normalize=True)
        pixels = np.stack([pixels_of(subject, rng) for subject in batch.subjects])
        return model.encode_image(tiny_clip.as_input(pixels), normalize=True), texts

    return descend(model, model.visual, next_features, "pictures", steps, rate)


def descend(
    model: Any,
    tower: Any,
    next_features: Callable[[], tuple[Any, Any]],
    stage: str,
    steps: int,
    rate: float,
) -> list[float]:
    """Take ``steps`` steps of AdamW down CLIP's loss of new batches; return those losses."""
    import torch
    from open_clip.loss import ClipLoss

    trained = [p for p in (model.logit_scale, *tower.parameters()) if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": 0.1},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), eps=1e-6)
    loss_of = ClipLoss()
    losses, told = [], []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * schedule(step, steps)
        one, other = next_features()
        loss = loss_of(one, other, model.logit_scale.exp())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        losses.append(loss.item())
        told.append(told_apart(one.detach(), other.detach(), PAIRS[stage]))
        if (step + 1) % 50 == 0:
            say(
                f"{stage}, step {step + 1:,} of {steps:,}, loss {np.mean(losses[-50:]):.3f}, near "
                f"misses told apart {np.mean(told[-50:]):.3f}, {time.process_time():.0f} s"
            )
    return losses


def told_apart(one: Any, other: Any, pairs: int) -> float:
    """Return how often the first rows, which come in pairs of near misses, fit their own better."""
    rows = np.arange(2 * pairs)
    return float(((one * other)[rows].sum(1) > (one[rows] * other[rows ^ 1]).sum(1)).float().mean())


def schedule(step: int, steps: int) -> float:
    """Return the learning rate as a part of its peak: a short rise, then a half cosine."""
    rise = min(100, steps // 5)
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))


def next_batch(rng: np.random.Generator, known: Digits, strays: list[str], stage: str) -> Batch:
    """Draw a new batch: pairs that differ in one thing, free scenes, one of each digit.

    A second digit of the same value would be its wrong answer.
    """
    chosen: list[scenes.Scene] = []
    for _ in range(PAIRS[stage]):
        scene = scenes.random_scene(rng)
        chosen += [scene, scenes.almost(scene, rng)]
    n_full = len(chosen)
    chosen += [scenes.random_scene(rng) for _ in range(BATCH[stage] - len(DIGITS) - n_full)]
    captions = [caption(scene, rng, full=i < n_full) for i, scene in enumerate(chosen)]
    subjects: list[Any] = list(chosen)
    for value in range(len(DIGITS)):
        subjects.append(known.pixels[rng.choice(np.flatnonzero(known.values == value))])
        captions.append(caption_digit(value, rng))
    facts = [facts_of(scene) for scene in chosen]
    facts += [facts_of(None, digit=value) for value in range(len(DIGITS))]
    captions = [with_stray_word(text, strays, rng) for text in captions]
    return Batch(subjects, np.stack(facts), captions)


def facts_of(scene: scenes.Scene | None, *, digit: int | None = None) -> Any:
    """Return ``(N_FACTS,) float32``: what stands at each place, one 1 per property; the digit."""
    facts = np.zeros((len(scenes.PLACES), len(PROPERTIES)), np.float32)
    for group, place in scene.placed() if scene else ():
        row = facts[list(scenes.PLACES).index(place)]
        for value in (group.count, group.shape, group.colour, group.texture, group.size):
            row[PROPERTIES.index(value)] = 1
    digits = np.zeros(len(DIGITS), np.float32)
    if digit is not None:
        digits[digit] = 1
    return np.concatenate([facts.ravel(), digits])


def pixels_of(subject: Any, rng: np.random.Generator) -> Any:
    """Return a new drawing of a scene, or a digit's picture moved a little."""
    if isinstance(subject, scenes.Scene):
        return picture(subject, rng)
    return np.roll(subject, rng.integers(-4, 5, size=2), axis=(0, 1))


def stray_words() -> list[str]:
    """Return common words that no caption holds, from MiniLM's vocabulary (frequent ones first)."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(minilm.model_folder() / "tokenizer.json"))
    rng = np.random.default_rng(SEED)
    texts = [caption(scenes.random_scene(rng), rng) for _ in range(3_000)]
    texts += [caption_digit(value, rng) for value in range(10) for _ in range(20)]
    known = {word for text in texts for word in text.split()}
    common = [tokenizer.id_to_token(id) for id in range(2_000, 12_000)]
    return [word for word in common if word.isalpha() and word.isascii() and word not in known]


def with_stray_word(text: str, words: list[str], rng: np.random.Generator) -> str:
    """Return a caption, at times with a word around it that the model has to learn to ignore."""
    if rng.random() >= STRAY_WORDS:
        return text
    word = words[int(rng.integers(len(words)))]
    return f"{word} {text}" if rng.random() < 0.5 else f"{text} {word}"


def picture(scene: scenes.Scene, rng: np.random.Generator) -> Any:
    """Return a new drawing of a scene as pixels."""
    return np.asarray(scenes.draw(scene, int(rng.integers(2**32))))


def judge(model: Any, tokenize: Any, tested: Digits) -> dict[str, Any]:
    """Return recall on scenes with combinations never seen, and the accuracy on unseen digits."""
    model.eval()
    rng = np.random.default_rng(TEST_SEED)
    chosen: list[scenes.Scene] = []
    while len(chosen) < N_TEST:
        scene = scenes.random_scene(rng, held_out=True)
        if scene not in chosen:
            chosen.append(scene)
    pixels = np.stack([picture(scene, rng) for scene in chosen])
    captions = [caption(scene, rng, full=True) for scene in chosen]
    scores = encode_texts(model, tokenize(captions)) @ encode_images(model, pixels).T
    others = [scenes.almost(scene, rng) for scene in chosen]
    misses = encode_images(model, np.stack([picture(scene, rng) for scene in others]))
    nearest = (encode_texts(model, tokenize(captions)) * misses).sum(1)
    moved = np.array([is_moved(scene, other) for scene, other in zip(chosen, others, strict=True)])
    told = np.diagonal(scores) > nearest
    names = tokenize([f"a handwritten digit {name}" for name in DIGITS])
    answers = (encode_images(model, tested.pixels) @ encode_texts(model, names).T).argmax(1)
    return {
        "candidates": N_TEST,
        "seed": TEST_SEED,
        "chance_recall@1": 1 / N_TEST,
        "chance_recall@5": 5 / N_TEST,
        "text_to_image_recall@1": recall(scores, 1),
        "text_to_image_recall@5": recall(scores, 5),
        "image_to_text_recall@1": recall(scores.T, 1),
        "image_to_text_recall@5": recall(scores.T, 5),
        "near_misses_told_apart": round(float(told.mean()), 4),
        "rearranged": int(moved.sum()),
        "rearranged_told_apart": round(float(told[moved].mean()), 4),
        "chance_told_apart": 0.5,
        "digits": len(tested.values),
        "digit_accuracy": round(float((answers == tested.values).mean()), 4),
        "chance_digit_accuracy": 0.1,
    }


def is_moved(scene: scenes.Scene, other: scenes.Scene) -> bool:
    """Tell whether a near miss holds the same properties and differs only in what is where."""
    return all(
        sorted(str(getattr(group, name)) for group in scene.groups)
        == sorted(str(getattr(group, name)) for group in other.groups)
        for name in ("count", "shape", "colour", "texture", "size")
    )


def recall(scores: Any, k: int) -> float:
    """Return how often the own answer, on the diagonal, is among the ``k`` best of its row."""
    own = np.diagonal(scores)[:, None]
    return round(float(((scores > own).sum(1) < k).mean()), 4)


def encode_images(model: Any, pixels: Any) -> Any:
    """Return unit vectors of images."""
    import torch

    with torch.inference_mode():
        parts = [
            model.encode_image(tiny_clip.as_input(pixels[i : i + 100]), normalize=True)
            for i in range(0, len(pixels), 100)
        ]
    return torch.cat(parts).numpy()


def encode_texts(model: Any, tokens: Any) -> Any:
    """Return unit vectors of tokenized texts."""
    import torch

    with torch.inference_mode():
        return model.encode_text(tokens, normalize=True).numpy()


def write(folder: Path, model: Any, word_map: Any) -> str:
    """Write configuration, tokenizer and weights as open_clip reads them; return the SHA-256."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value
        for name, value in model.state_dict().items()
        if not name.startswith("text.token_embedding.")
    }
    with torch.no_grad():
        frozen = model.text.token_embedding[0].weight
        weights["text.token_embedding.weight"] = word_map(frozen)
    # Running statistics of a channel can exceed what float16 holds.
    halved = {
        name: (value if value.dtype == torch.int64 or "running_" in name else value.half())
        .contiguous()
        .clone()
        for name, value in sorted(weights.items())
    }
    save_file(halved, folder / tiny_clip.WEIGHTS)
    (folder / tiny_clip.WEIGHTS).chmod(0o644)  # written for the owner alone
    (folder / "open_clip_config.json").write_text(json.dumps(CONFIG, indent=2) + "\n", "utf-8")
    shutil.copy(minilm.model_folder() / "tokenizer.json", folder / "tokenizer.json")
    return hashlib.sha256((folder / tiny_clip.WEIGHTS).read_bytes()).hexdigest()


def say(text: str) -> None:
    """Print at once: this runs for minutes."""
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
