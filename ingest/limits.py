"""How much one source may hold. One place, so that the app can show and change it."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import TooLarge

MB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds that every reader keeps; crossing one is refused with a sentence, never truncated.

    Attributes
    ----------
    max_file_mb : int
        Size of one file, before anything is unpacked.
    max_rows : int
        Rows of a table, lines of a text, nodes of a graph.
    max_columns : int
        Columns of a table (a numeric matrix read as vectors is not bound by it).
    max_cell_chars : int
        Length of one field; longer ones come from a quote that never closes.
    max_text_chars : int
        Length of one text item.
    max_json_mb : int
        Size of a JSON array, which cannot be read in parts (JSON lines can).
    max_images : int
        Images in one dataset.
    max_image_mb : int
        Size of one encoded image.
    max_image_pixels : int
        Width times height of one image, before it is decoded.
    max_zip_members : int
        Entries of an archive.
    max_unpacked_mb : int
        Sum of the unpacked entries, counted while unpacking (headers may lie).
    max_zip_ratio : int
        Unpacked over packed size of one entry larger than 1 MB.
    max_edges : int
        Edges of a graph.
    max_vector_mb : int
        Size of the float32 matrix that a vector file would need.
    """

    max_file_mb: int = 1024
    max_rows: int = 2_000_000
    max_columns: int = 20_000
    max_cell_chars: int = 8_000_000
    max_text_chars: int = 8_000_000
    max_json_mb: int = 256
    max_images: int = 200_000
    max_image_mb: int = 64
    max_image_pixels: int = 100_000_000
    max_zip_members: int = 250_000
    max_unpacked_mb: int = 4096
    max_zip_ratio: int = 200
    max_edges: int = 20_000_000
    max_vector_mb: int = 4096


DEFAULT_LIMITS = Limits()


def check_limit(value: int, limit: int, *, what: str, name: str, advice: str) -> None:
    """Refuse ``value`` above ``limit``.

    ``what`` names the source with its unit placed at ``{}``: ``"reviews.csv has {} rows"``.

    Raises
    ------
    TooLarge
    """
    if value > limit:
        raise TooLarge(
            f"{what.format(f'{value:,}')}; at most {limit:,} are allowed ({name}). {advice}"
        )
