"""What `siuo label` does and says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from siuo_async.analysis.drawing import Draw, draw
from siuo_async.analysis.gathered import gather
from siuo_async.analysis.label_key import FOLDER, Key, new_key, read_keys, same_draw, write_key
from siuo_async.analysis.people import people
from siuo_async.analysis.questions import sheet_of
from siuo_async.analysis.units import by_name, units_of
from siuo_async.cli.finding import find_run
from siuo_async.cli.output import console, print_json, say
from siuo_async.engine.durable import make_folder
from siuo_async.engine.run_directory import RunDirectory, write_bytes
from siuo_async.errors import ConfigError
from siuo_async.exchange.label_files import read_labels
from siuo_async.report.label_page import in_order, label_page
from siuo_async.report.people import people_as_json, people_to_markdown, people_to_terminal


def labelled(run: str, results: Path, *, n: int, annotators: int, overlap: float, whole: bool, seed: int, folder: Path | None) -> None:
    """Draws, writes the key and the pages, says where they are.

    Raises:
        ConfigError: there is nothing to draw from, or the folder cannot be made.
        StoppedEarly: the disk would not take a file.
    """
    directory = RunDirectory(find_run(run, results))
    gathered = gather(directory)
    sheet = sheet_of(gathered)
    units = units_of(gathered, sheet, whole=whole)
    drawn = draw(units, sheet, n, seed, whole=whole)
    asked = {"n": n, "annotators": annotators, "overlap": overlap, "whole": whole, "seed": seed}
    named = by_name(units)
    key = same_draw(read_keys(directory), drawn, named, asked) or new_key(drawn, named, asked)
    simulated = bool(gathered.summary.get("simulated"))
    pages = {number: label_page(key, named, sheet, number, simulated=simulated) for number in range(1, annotators + 1)}
    kept = write_key(directory, key)
    place = folder or directory.path / FOLDER / f"pages-{key.token}"
    try:
        make_folder(place)
    except OSError as error:
        raise ConfigError(f"--to {place}: the folder cannot be made ({error.strerror}); name another one") from error
    say(str(gathered.summary["protocol_line"]), to_stderr=False)
    _tell(drawn, key, whole=whole)
    for number, page in pages.items():
        file = place / f"label-{key.token}-{number}.html"
        write_bytes(file, page.encode())
        say(f"annotator {number}: {file} ({len(in_order(key, number))} answers)", to_stderr=False)
    say(f"the key, which says whose answers they are, stays in {kept}; do not give it to whoever labels", to_stderr=False)
    say(f"then: siuo report {directory.path} --labels labels-{key.token}-1.csv ...", to_stderr=False)


def _tell(drawn: Draw, key: Key, *, whole: bool) -> None:
    units = "samples" if whole else "answers"
    told = f", {len(key.items)} answers" if whole else ""
    say(f"{len(drawn.drawn)} of {len(drawn.places)} {units} drawn{told}, by what they have in common:", to_stderr=False)
    for stratum in drawn.strata:
        say(f"  {stratum.words}: {stratum.drawn} of {stratum.size}", to_stderr=False)


_TABLES = (".csv", ".xlsx")


def labels_reported(named: Sequence[str], results: Path, form: str, files: Sequence[Path]) -> int:
    """Prints what labels say of a run; the exit code.

    Args:
        named: the run; tables named behind it are files of labels too, so that a pattern of the shell may name many.

    Raises:
        ConfigError: no run or several, or an unknown format.
        DataError: a file of labels is wrong.
    """
    runs = [each for each in named if not (each.lower().endswith(_TABLES) and Path(each).is_file())]
    paths = [*files, *(Path(each) for each in named if each not in runs)]
    if len(runs) != 1:
        raise ConfigError(f"--labels goes with one run, but {len(runs)} are named; report them one by one")
    if form not in ("terminal", "markdown", "json"):
        raise ConfigError(f"there is no format '{form}'; choose terminal, markdown, json")
    directory = RunDirectory(find_run(runs[0], results))
    gathered = gather(directory)
    sheet = sheet_of(gathered)
    labels = read_labels(paths, read_keys(directory), sheet, str(directory.path))
    found = people(gathered, sheet, labels.key, labels.given)
    line = str(gathered.summary["protocol_line"])
    if form == "json":
        print_json({"run": str(directory.path), "protocol_line": line, "people": people_as_json(found)})
    elif form == "markdown":
        console().file.write(people_to_markdown(line, found))
    else:
        people_to_terminal(console(), line, found, simulated=bool(gathered.summary.get("simulated")))
    return 0
