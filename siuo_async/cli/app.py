"""The typer application: which commands there are. Heavy imports wait until a command runs."""

from __future__ import annotations

import typer

from siuo_async import __version__
from siuo_async.cli import data_commands, exchange_commands, labelling, run_commands, see_commands, tool_commands

app = typer.Typer(
    name="siuo",
    help="Evaluate multimodal model APIs on cross-modality safety benchmarks: concurrent, resumable, never paid twice.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"siuo {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version and exit."),
) -> None:
    """Evaluate multimodal model APIs on cross-modality safety benchmarks."""


for run_command in (run_commands.demo, run_commands.run, run_commands.resume, run_commands.judge):
    app.command()(run_command)
for see_command in (see_commands.score, see_commands.report, see_commands.compare, see_commands.check):
    app.command()(see_command)
app.command("ls")(see_commands.list_runs)
for tool_command in (tool_commands.providers, tool_commands.simulator, tool_commands.init):
    app.command()(tool_command)
app.command("import")(exchange_commands.import_)
app.command()(exchange_commands.export)
app.command()(labelling.label)
app.add_typer(data_commands.app, name="data")
