"""Encoded images to pixels: one place that knows orientations, palettes, depths and bombs."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import UnreadableSource, UnsafeSource
from ingest.limits import DEFAULT_LIMITS

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
FORMAT_NAMES = "PNG, JPEG, WebP, GIF, BMP or TIFF"

PixelMode = Literal["RGB", "RGBA", "L"]

# What Pillow's decoders raise on broken files, by its own fuzz findings.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    RuntimeError,
    MemoryError,
    AssertionError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True)
class ImageFacts:
    """What a check of an encoded image found.

    Attributes
    ----------
    format : str
        "PNG", "JPEG", …
    width, height : int
        In pixels, as shown (after the EXIF orientation).
    has_more_frames : bool
        Whether there are further frames or pages, which are not used.
    """

    format: str
    width: int
    height: int
    has_more_frames: bool


def looks_like_image(head: bytes) -> bool:
    """Tell whether ``head`` starts with the magic bytes of a format that is read."""
    return (
        head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a"))
        or head[:4] in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or (head[:2] == b"BM" and len(head) > 25 and head[6:10] == b"\0\0\0\0")
    )


def check_image(data: bytes, *, max_pixels: int = DEFAULT_LIMITS.max_image_pixels) -> ImageFacts:
    """Decode an image once, as cheaply as its format allows, and return what it is.

    Raises
    ------
    UnsafeSource
        If it has more than ``max_pixels``; nothing is decoded then.
    UnreadableSource
        If it is broken or in no known format. The text is a reason of a few words.
    """
    with _opened(data, max_pixels) as image:
        several = bool(getattr(image, "is_animated", False))
        kind = "JPEG" if image.format == "MPO" else str(image.format)
        width, height = image.size
        if image.format in {"JPEG", "MPO"}:
            image.draft(None, (1, 1))  # decodes an eighth of the resolution: all data is visited
        image.seek(0)
        image.load()
        if _orientation(image) >= 5:
            width, height = height, width
        return ImageFacts(kind, width, height, several)


def decode(
    data: bytes, *, mode: PixelMode = "RGB", size: tuple[int, int] | None = None
) -> NDArray[np.uint8]:
    """Return the pixels of the first frame, upright.

    Parameters
    ----------
    data : bytes
        An encoded image.
    mode : {"RGB", "RGBA", "L"}
        Transparent parts become white, unless the mode keeps alpha. Images of 16 bit or floats
        are brought to 8 bit (see Notes).
    size : (width, height), optional
        Resize to exactly this (bilinear with antialiasing); the aspect ratio is not kept.

    Returns
    -------
    (height, width, 3) uint8 for RGB, (height, width, 4) for RGBA, (height, width) for L

    Raises
    ------
    UnreadableSource, UnsafeSource
        If it is broken, or has more pixels than ``Limits.max_image_pixels``.

    Notes
    -----
    Unsigned integers are scaled from 16 bit, or from 12 or 8 where no pixel is larger (cameras and
    scanners store 12 bits in 16). Floats within [0, 1] are scaled by 255; other floats, and
    integers that are negative or larger, are stretched from their minimum to their maximum.
    """
    with _opened(data, DEFAULT_LIMITS.max_image_pixels) as image:
        if size is not None:
            image.draft(None, size)  # JPEG: decode at a coarser scale that is still large enough
        upright = _upright(image, mode)
        if size is not None:
            upright = upright.resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
        return np.asarray(upright, dtype=np.uint8)


def thumbnail(data: bytes, side: int = 64, *, format: Literal["PNG", "WEBP"] = "PNG") -> bytes:
    """Return a small upright copy that fits into ``side`` times ``side`` pixels; alpha is kept.

    Images that already fit are not enlarged. WebP takes about a third of the bytes of PNG.

    Raises
    ------
    UnreadableSource, UnsafeSource
    """
    with _opened(data, DEFAULT_LIMITS.max_image_pixels) as image:
        image.draft(None, (2 * side, 2 * side))
        has_alpha = image.has_transparency_data
        small = _upright(image, "RGBA" if has_alpha else "RGB")
        small.thumbnail((side, side), Image.Resampling.BILINEAR)
        out = io.BytesIO()
        small.save(out, format, quality=80) if format == "WEBP" else small.save(out, format)
        return out.getvalue()


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return ``(h, w)``, ``(h, w, 3)`` or ``(h, w, 4) uint8`` pixels as a PNG file."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


@contextmanager
def _opened(data: bytes, max_pixels: int) -> Iterator[Any]:
    """Open ``data``; whatever a decoder raises inside becomes one of our errors."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd EXIF, large sizes: checked here
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _check_pixels(image.size, max_pixels)
                yield image
    except (UnsafeSource, UnreadableSource):
        raise
    except Image.DecompressionBombError as error:
        raise UnsafeSource(f"more than the {max_pixels:,} pixels that are allowed") from error
    except Image.UnidentifiedImageError as error:
        reason = "broken" if looks_like_image(data[:32]) else f"not {FORMAT_NAMES}"
        raise UnreadableSource(reason) from error
    except _BROKEN as error:
        raise UnreadableSource(_reason(error)) from error


def _check_pixels(size: tuple[int, int], max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise UnsafeSource(
            f"{size[0]:,} × {size[1]:,} pixels, more than the {max_pixels:,} that are allowed"
        )


def _reason(error: Exception) -> str:
    said = str(error).splitlines()[0].strip() if str(error) else ""
    if "truncated" in said.lower() or isinstance(error, EOFError | struct.error):
        return "truncated"
    return f"broken ({said[:80]})" if said and "<" not in said else "broken"


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 (upright) where there is none or EXIF is broken."""
    try:
        value = image.getexif().get(0x0112, 1)
    except _BROKEN:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(image: Image.Image, mode: PixelMode) -> Image.Image:
    image.seek(0)
    image.load()
    turn = _TRANSPOSE.get(_orientation(image))
    eight_bit = _eight_bit(image)
    upright = eight_bit if turn is None else eight_bit.transpose(turn)
    if mode == "RGBA":
        return upright.convert("RGBA")
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        white = Image.new("RGBA", upright.size, (255, 255, 255, 255))
        upright = Image.alpha_composite(white, upright)
    return upright.convert(mode)


# EXIF 2.32, tag 0x0112: what undoes each orientation.
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _eight_bit(image: Image.Image) -> Image.Image:
    if not (image.mode.startswith("I") or image.mode == "F"):
        return image
    values = np.asarray(image).astype(np.float64)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if image.mode != "F" and low >= 0 and high <= 65_535:
        low, high = 0.0, next(top for top in (255.0, 4_095.0, 65_535.0) if high <= top)
    elif image.mode == "F" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    scaled = np.nan_to_num((values - low) / max(high - low, 1e-12), nan=0.0, posinf=1.0)
    return Image.fromarray(np.clip(scaled * 255 + 0.5, 0, 255).astype(np.uint8))
