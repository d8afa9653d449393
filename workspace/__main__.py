"""``python -m workspace RECIPE``: build a comparison again from the command line.

Writes ``report.html``, ``items.csv``, ``items.parquet`` and ``recipe.json`` into a folder.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, TextIO

from core.errors import EmbedscopeError, ParameterError
from ingest import read_dataset
from ingest.dataset import Dataset
from ingest.samples import list_samples, load_sample
from workspace.jobs import Job
from workspace.portable import check_same, placed, portable_recipe, read_recipe
from workspace.runner import JobRunner
from workspace.settings import settings
from workspace.workspace import Workspace

_WRITTEN = ("report.html", "items.csv", "items.parquet", "recipe.json")


def main(arguments: list[str] | None = None) -> int:
    """Build the comparison of a recipe; return 0, or 1 after telling what is wrong."""
    given = _parser().parse_args(arguments)
    runner = JobRunner(settings())
    try:
        _build(given, runner)
    except EmbedscopeError as error:
        _say(f"error: {error}", sys.stderr)
        return 1
    except OSError as error:
        _say(f"error: {error.filename}: {error.strerror}", sys.stderr)
        return 1
    finally:
        runner.shutdown()
    return 0


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
        help="the file of the recipe's data; with several data sets once for each, by its name",
    )
    parser.add_argument("--out", type=Path, default=Path("comparison"), help="folder to write to")
    parser.add_argument("--classes", help="column whose values are the classes")
    parser.add_argument("--other-data", action="store_true", help="take data that is not the same")
    for role in ("text", "label", "id"):
        parser.add_argument(f"--{role}", help=f"column of the data that is the {role}")
    return parser


def _build(given: argparse.Namespace, runner: JobRunner) -> None:
    from comparison.report import render
    from workspace.reporting import item_table, report_content
    from workspace.table_files import to_csv, to_parquet

    recipe, told = read_recipe(given.recipe.read_text(encoding="utf-8"))
    workspace = Workspace.create(runner)
    ids, files = {}, _files(given.data, list(told))
    for name, about in told.items():
        data = _found(name, about, files, given)
        if not given.other_data:
            check_same(data, about)
        ids[name] = workspace.add_dataset(data, about["name"]).id
    job = _waited(runner, workspace.compare(placed(recipe, ids)))
    stored = workspace.comparison(job.result["comparison"])
    k, out = stored.comparison.k, given.out
    data = workspace.dataset(stored.info.recipe.dataset)
    content = report_content(workspace, stored, k=k, column=given.classes or data.label)
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.html").write_text(render(content), encoding="utf-8")
    table = item_table(stored, data, k)
    (out / "items.csv").write_bytes(to_csv(table))
    (out / "items.parquet").write_bytes(to_parquet(table))
    plain = portable_recipe(workspace, stored.info)
    (out / "recipe.json").write_text(json.dumps(plain, indent=2), encoding="utf-8")
    _say("\n".join(content.verdict), sys.stdout)
    written = ", ".join(str(out / name) for name in _WRITTEN)
    _say(f"\nWritten: {written}", sys.stdout)


def _files(data: list[str], names: list[str]) -> dict[str, Path]:
    """Return the file of each data set; a file without a name is that of the next in order."""
    files: dict[str, Path] = {}
    for one in data:
        name, equals, path = one.partition("=")
        if equals and name in names:
            files[name] = Path(path)
            continue
        free = [other for other in names if other not in files]
        if not free:
            raise ParameterError(f"--data {one}: the recipe has only {len(names)} data sets.")
        files[free[0]] = Path(one)
    return files


def _found(
    name: str, about: dict[str, Any], files: dict[str, Path], given: argparse.Namespace
) -> Dataset:
    if name in files:
        roles = {r: v for r in ("text", "label", "id") if (v := getattr(given, r)) is not None}
        return read_dataset(files[name], kind=about["kind"], **roles)
    for sample in list_samples():
        if sample.title == about["name"]:
            return load_sample(sample.id)
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
