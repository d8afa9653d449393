"""``python -m workspace RECIPE``: build a comparison again from the command line.

Writes ``report.html``, ``items.csv``, ``items.parquet`` and ``recipe.json`` into a folder.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from core.errors import EmbedscopeError, ParameterError
from ingest import read_dataset
from ingest.dataset import Dataset
from ingest.samples import list_samples, load_sample
from ingest.source import Source, as_source
from workspace.jobs import Job
from workspace.portable import check_same, options_of, placed, portable_recipe, read_recipe
from workspace.recipes import Recipe
from workspace.records import HowRead
from workspace.runner import JobRunner
from workspace.settings import settings
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from workspace.stored_comparison import StoredComparison

_WRITTEN = ("report.html", "items.csv", "items.parquet", "recipe.json")
_STOPPED = 130  # what shells expect of a command that Ctrl-C ended


def main(arguments: list[str] | None = None) -> int:
    """Build the comparison of a recipe.

    Returns
    -------
    int
        0; 1 after telling what is wrong; 130 after Ctrl-C.
    """
    given = _parser().parse_args(arguments)
    runner = None
    try:
        recipe, told = read_recipe(_text(given.recipe))
        _make_folder(given.out)
        runner = JobRunner(settings())
        _build(recipe, told, given, runner)
    except EmbedscopeError as error:
        return _failed(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _failed(f"{where}{error.strerror or error}")
    except KeyboardInterrupt:
        _say("\nStopped. Finished parts are kept: the same command goes on from there.", sys.stderr)
        return _STOPPED
    finally:
        if runner is not None:
            runner.shutdown()
    return 0


def _failed(why: str) -> int:
    _say(f"error: {why}", sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m workspace", description="Build a comparison from a recipe file."
    )
    parser.add_argument("recipe", type=Path, help="the JSON file that the Report view gives")
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="[NAME=]FILE",
        help="a file, a zip or a folder of images with the recipe's data; again for each further "
        "file, with the name of its data set where the recipe has several: 'data 2=nodes.csv'",
    )
    parser.add_argument("--out", type=Path, default=Path("comparison"), help="folder to write to")
    parser.add_argument("--classes", help="column whose values are the classes")
    parser.add_argument("--other-data", action="store_true", help="take data that is not the same")
    for role in ("text", "label", "id"):
        parser.add_argument(f"--{role}", help=f"column that is the {role}, not that of the recipe")
    return parser


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParameterError(
            f"{path} is no UTF-8 text. Give the recipe.json that the Report view has written."
        ) from error


def _make_folder(out: Path) -> None:
    """Make the folder of the results before the work that they take."""
    out.mkdir(parents=True, exist_ok=True)
    if not os.access(out, os.W_OK):
        raise ParameterError(f"{out} may not be written to. Give another folder with --out.")


def _build(
    recipe: Recipe, told: dict[str, dict[str, Any]], given: argparse.Namespace, runner: JobRunner
) -> None:
    from comparison.class_labels import labels_of

    workspace = Workspace.create(runner)
    ids, files = {}, _files(given.data, list(told))
    for name, about in told.items():
        data, how = _found(name, about, files.get(name, []), given)
        if not given.other_data:
            check_same(data, about)
        if given.classes and name == recipe.dataset:
            labels_of(data, given.classes, ())  # refuses a column that is not there
        ids[name] = workspace.add_dataset(data, about["name"], how=how).id
    job = _waited(runner, workspace.compare(placed(recipe, ids)))
    _write(workspace, workspace.comparison(job.result["comparison"]), given)


def _write(workspace: Workspace, stored: StoredComparison, given: argparse.Namespace) -> None:
    from comparison.report import render
    from workspace.reporting import item_table, report_content
    from workspace.stored_comparison import refused_told
    from workspace.table_files import to_csv, to_parquet

    k, out = stored.comparison.k, given.out
    data = workspace.dataset(stored.info.recipe.dataset)
    content = report_content(workspace, stored, k=k, column=given.classes or data.label)
    (out / "report.html").write_text(render(content), encoding="utf-8")
    table = item_table(stored, data, k)
    (out / "items.csv").write_bytes(to_csv(table))
    (out / "items.parquet").write_bytes(to_parquet(table))
    plain = portable_recipe(workspace, stored.info)
    (out / "recipe.json").write_text(json.dumps(plain, indent=2), encoding="utf-8")
    for line in refused_told(stored.info).splitlines():
        _say(f"warning: {line}", sys.stderr)
    _say("\n".join(content.verdict), sys.stdout)
    written = ", ".join(str(out / name) for name in _WRITTEN)
    _say(f"\nWritten: {written}", sys.stdout)


def _files(data: list[str], names: list[str]) -> dict[str, list[Path]]:
    """Return the files of each data set.

    Those without a name belong to the only data set, or each to the next in order that has none.
    """
    files: dict[str, list[Path]] = {}
    for one in data:
        name, equals, path = one.partition("=")
        if equals and name in names:
            files.setdefault(name, []).append(Path(path))
            continue
        if equals and not Path(one).exists():
            known = ", ".join(repr(other) for other in names)
            raise ParameterError(
                f"--data {one}: there is no such file, and the recipe has no data set {name!r}; "
                f"it has {known}."
            )
        free = names if len(names) == 1 else [other for other in names if other not in files]
        if not free:
            raise ParameterError(
                f"--data {one}: every data set has a file already. Where one is made of several "
                f"files, name it: --data '{names[0]}={one}'."
            )
        files.setdefault(free[0], []).append(Path(one))
    return files


def _sources(paths: list[Path]) -> list[Source]:
    """Return files as sources, and those in folders under their path in the folder."""
    sources = []
    for path in paths:
        if not path.is_dir():
            sources.append(as_source(path))
            continue
        inside = sorted(each for each in path.rglob("*") if each.is_file())
        names = [each.relative_to(path) for each in inside]
        sources += [
            Source(name.as_posix(), path=each)
            for name, each in zip(names, inside, strict=True)
            if not any(part.startswith(".") for part in name.parts)
        ]
    return sources


def _found(
    name: str, about: dict[str, Any], files: list[Path], given: argparse.Namespace
) -> tuple[Dataset, HowRead | None]:
    """Return data and how they were read: as the recipe says, and the command before it."""
    if files:
        said = {r: v for r in ("text", "label", "id") if (v := getattr(given, r)) is not None}
        options = options_of(about, said)
        data = read_dataset(_sources(files), kind=about["kind"], **options)
        return data, HowRead(tuple(path.name for path in files), options)
    for sample in list_samples():
        if sample.title == about["name"]:
            return load_sample(sample.id), None
    raise ParameterError(
        f"The recipe needs {name}, {about['name']} ({about['items']:,} items). "
        f"Say where it lies: --data '{name}=FILE'."
    )


def _waited(runner: JobRunner, job: Job) -> Job:
    """Wait for a job, telling its stages; raise what it failed with."""
    last = ""
    while True:
        now = runner.wait(job.id, 1.0)
        line = f"{100 * now.fraction:3.0f} %  {now.text}"
        if line != last:
            _say(line, sys.stderr)
            last = line
        if not now.active:
            break
    if now.state != "done":
        raise ParameterError(now.message or now.state)
    return now


def _say(text: str, stream: TextIO) -> None:
    stream.write(text + "\n")
    stream.flush()


if __name__ == "__main__":
    sys.exit(main())
