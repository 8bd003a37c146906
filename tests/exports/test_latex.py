"""LaTeX of a run compiles, whatever its texts are, and typesets what they say."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siuo_async.engine.run_directory import RunDirectory
from siuo_async.errors import ConfigError
from siuo_async.report.bibtex import references
from siuo_async.report.dossier import Dossier
from siuo_async.report.exports import export_run
from siuo_async.report.latex import categories, leaderboard, pairs
from siuo_async.report.latex_text import escaped, in_comment
from siuo_async.report.text import in_line
from tests.exports.conftest import LATEX, Hostile, texts

COMMAND = re.compile(
    r"\\(?:textbackslash|textbraceleft|textbraceright|textasciicircum|textasciitilde|textasciigrave|textless|textgreater|textbar"
    r"|char34|ldots|cdot|times|pm|leq|geq|to|mu|circ|siuoother|S|ss|ae|AE|oe|OE|o|O|aa|AA|l|L|i|j|[`'^~=.\"uvHrc$&#%_])"
)
COMPILER = shutil.which("pdflatex")
needs_latex = pytest.mark.skipif(COMPILER is None, reason="there is no LaTeX here")


def compiled(folder: Path, document: str) -> str:
    """What the compiler said of a document, which must be without an error."""
    assert COMPILER is not None
    command = [COMPILER, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", document]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=100)
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 0, said[-3000:]
    return said


@settings(max_examples=40)
@given(st.text(max_size=20))
def test_nothing_but_our_own_commands_stands_in_escaped_text(text: str) -> None:
    left = re.sub(r"\\siuoother\{.\}\{U\+[0-9A-F]{4,6}\}", "", escaped(text))
    left = COMMAND.sub("", left)
    assert "\\" not in left
    assert not re.search(r"[#%&^_|\"<>`]", left.replace("``", "").replace("!`", "").replace("?`", "").replace("`", ""))
    assert "\n" not in left


@settings(max_examples=40)
@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_braces_are_in_pairs(text: str) -> None:
    assert escaped(text).count("{") == escaped(text).count("}")


@pytest.mark.parametrize("plain", ["GPT-4o mini", "openai/gpt-4.1", "claude-sonnet-4-6 (2)", "a, b; c: d."])
def test_ordinary_names_stay_readable(plain: str) -> None:
    assert escaped(plain) == plain


def test_what_luatex_takes_for_broken_input_is_a_question_mark() -> None:
    """Characters that change a text's direction become U+FFFD before."""
    assert escaped("a\u202eb\ufffdc") == "a?b?c"


def test_hyphens_stay_hyphens() -> None:
    assert escaped("a--b---c") == "a-{}-b-{}-{}-c"


def test_a_comment_is_one_line() -> None:
    assert "\n" not in in_comment("a\nb\r\\end{document}\u2028c\x85d")


@needs_latex
def test_hostile_text_compiles_and_runs_nothing(tmp_path: Path) -> None:
    rows = " \\\\\n".join(f"{escaped(text[:500])} & {escaped(text[:500])}" for text in texts())
    document = (
        "\\documentclass{article}\n\\newcommand{\\siuoother}[2]{[#2]}\n\\begin{document}\n"
        f"{in_comment(LATEX[3])}\n\\begin{{tabular}}{{p{{5cm}}p{{5cm}}}}\n{rows}\n\\end{{tabular}}\n\\end{{document}}\n"
    )
    (tmp_path / "t.tex").write_text(document, encoding="utf-8")
    compiled(tmp_path, "t.tex")
    assert not (tmp_path / "owned").exists()


@needs_latex
def test_the_paper_of_a_run_compiles_with_its_references(demo: RunDirectory, tmp_path: Path) -> None:
    export_run(demo, form="latex", folder=tmp_path)
    document = next(tmp_path.glob("*-paper-*.tex")).name
    compiled(tmp_path, document)
    cited = subprocess.run(["bibtex", document.removesuffix(".tex")], cwd=tmp_path, capture_output=True, check=False)
    assert cited.returncode == 0, cited.stdout
    assert b"Warning" not in cited.stdout
    assert "undefined" not in compiled(tmp_path, document)


@needs_latex
def test_the_paper_of_hostile_texts_compiles(hostile: Hostile, tmp_path: Path) -> None:
    export_run(hostile.directory, form="latex", folder=tmp_path)
    document = next(tmp_path.glob("*-paper*.tex")).name
    compiled(tmp_path, document)
    cited = subprocess.run(["bibtex", document.removesuffix(".tex")], cwd=tmp_path, capture_output=True, check=False)
    assert cited.returncode == 0, cited.stdout
    compiled(tmp_path, document)


def test_the_leaderboard_has_every_model_with_its_figure_and_interval(reported: Dossier) -> None:
    summary, metrics = reported.run.summary, reported.run.plan.benchmark.metrics
    text = leaderboard(summary, metrics, reported.comparison)
    for model in summary["models"]:
        (row,) = [line for line in text.splitlines() if line.startswith(model["label"])]
        for metric in metrics:
            rate = model["metrics"][metric]
            assert f"{rate['value']:.1f} {{\\footnotesize[{rate['low']:.1f}, {rate['high']:.1f}]}}" in row
    assert text.count("\\toprule") == text.count("\\bottomrule") == 1


def test_bounds_stand_in_the_place_of_a_figure_with_too_many_undecided(reported: Dossier) -> None:
    """As on the screen and on the page: what is not known must not look sure in a paper alone."""
    summary, metrics = reported.run.summary, reported.run.plan.benchmark.metrics
    first = summary["models"][0]
    silent = {"value": 75.0, "low": 40.0, "high": 92.0, "k": 6, "n": 8, "total": 9, "worst": 66.7, "best": 77.8}
    models = [{**first, "metrics": {**first["metrics"], summary["primary"]: silent}}, *summary["models"][1:]]
    text = leaderboard({**summary, "models": models}, metrics, reported.comparison)
    (row,) = [line for line in text.splitlines() if line.startswith(first["label"])]
    assert r"\textbf{66.7--77.8} {\footnotesize 75.0} {\scriptsize(6/8 of 9)}" in row
    assert "40.0" not in row
    assert r"More than 2\% are undecided where a range stands in bold" in text
    assert "in bold" not in leaderboard(summary, metrics, reported.comparison)


def test_models_stand_in_the_order_of_the_comparison(reported: Dossier) -> None:
    assert reported.comparison is not None
    text = leaderboard(reported.run.summary, reported.run.plan.benchmark.metrics, reported.comparison)
    places = [text.index(f"\n{standing.label} &") for standing in reported.comparison.primary.standings]
    assert places == sorted(places)


def test_every_category_is_in_the_table_of_categories(reported: Dossier) -> None:
    text = categories(reported.run.summary, reported.run.plan.benchmark.metrics, reported.comparison)
    for name in reported.run.summary["models"][0]["categories"]:
        assert f"\n{escaped(name)} &" in text


def test_every_tested_pair_is_there_with_its_p_value(reported: Dossier) -> None:
    assert reported.comparison is not None
    text = pairs(reported.run.summary, reported.comparison)
    for pair in reported.comparison.primary.pairs:
        (row,) = [line for line in text.splitlines() if line.startswith(f"{pair.a} / {pair.b}")]
        assert pair.difference.value is not None
        assert f"${pair.difference.value:+.1f}$" in row
        assert str(pair.n) in row


def test_every_file_begins_with_the_protocol_line_and_says_simulated(demo: RunDirectory, reported: Dossier, tmp_path: Path) -> None:
    for file in export_run(demo, form="latex", folder=tmp_path).files:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".tex":
            assert text.startswith(f"% {in_line(reported.run.summary['protocol_line'])}\n")
        assert "SIMULATED" in file.name


def test_references_name_the_program_the_models_and_the_judge_once(reported: Dossier) -> None:
    keys = re.findall(r"^@\w+\{([^,]+),$", references(reported), re.MULTILINE)
    assert len(keys) == len(set(keys))
    assert {"siuo-async", "sim-openai-careful", "sim-openai-judge-odd", "wilson1927"} <= set(keys)


def test_a_paper_compares_all_models(demo: RunDirectory, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="compares all models"):
        export_run(demo, form="latex", labels=["gemini-terse"], folder=tmp_path)
