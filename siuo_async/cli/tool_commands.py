"""`siuo providers`, `simulator`, `init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def providers() -> None:
    """List known providers, their variables, and whether a key is set."""
    from rich.table import Table

    from siuo_async.cli.output import console, say
    from siuo_async.cli.preparing import environment
    from siuo_async.providers.presets import load_presets, shown

    surroundings = environment()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("Provider", "Dialect", "Base URL", "Key variable", "Key"):
        table.add_column(heading, overflow="fold")
    for name, preset in load_presets().items():
        url = (
            (preset.base_url_env and surroundings.variables.get(preset.base_url_env))
            or preset.base_url
            or f"{preset.base_url_env} is not set"
        )
        found = next((variable for variable in preset.key_env if surroundings.key(variable)), None)
        state = f"set ({found})" if found else "needed" if preset.key_required else "not needed"
        table.add_row(name, preset.dialect or "by model name", shown(url), " or ".join(preset.key_env), state)
    console().print(table)
    say(
        "Any server that speaks one of these dialects can be added under `providers:` in the config file (`siuo init`).",
        to_stderr=False,
    )


def simulator(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = 0,
    latency: Annotated[float, typer.Option(min=0, help="Median seconds to a reply.")] = 0.25,
    rpm: Annotated[int, typer.Option(help="Requests a minute and model; 0: no limit.")] = 0,
    tpm: Annotated[int, typer.Option(help="Tokens a minute and model; 0: no limit.")] = 0,
    rpd: Annotated[int, typer.Option(help="Requests a day and model; 0: no limit.")] = 0,
    concurrency: Annotated[int, typer.Option(help="Requests in flight; 0: no limit.")] = 0,
    limiter: Annotated[str, typer.Option(help="How they are counted: in fixed windows, a sliding one, or a bucket.")] = "sliding",
    burst: Annotated[int, typer.Option(help="What a bucket holds, in requests; 0: as many as a minute.")] = 0,
    limits_at: Annotated[str, typer.Option(help="40=0.3,80=1: from 40 s on 0.3 of the limits, from 80 s on all of them.")] = "",
    hints: Annotated[str, typer.Option(help="What is told of the limits: full, retry-after, body or none.")] = "full",
    knee: Annotated[int, typer.Option(help="Requests in flight above which replies take longer; 0: never.")] = 0,
    seed: Annotated[int, typer.Option(help="Equal seeds and requests give equal replies.")] = 0,
) -> None:
    """Serve simulated OpenAI, Anthropic and Gemini models on this machine until Ctrl-C."""
    import asyncio

    from siuo_async.cli.output import say
    from siuo_async.errors import ConfigError
    from siuo_async.simulator import PERSONAS, Hints, Limiter, Settings
    from siuo_async.simulator.__main__ import serve_until_told
    from siuo_async.simulator.settings import one_of, schedule

    try:
        settings = Settings(
            port=port,
            latency_s=latency,
            rpm=rpm,
            tpm=tpm,
            rpd=rpd,
            concurrency=concurrency,
            limiter=one_of(Limiter, limiter, "--limiter"),
            burst=burst,
            limits_at=schedule(limits_at),
            hints=one_of(Hints, hints, "--hints"),
            knee=knee,
            seed=seed,
        )
    except ValueError as error:
        raise ConfigError(str(error)) from None
    say(f"models: sim/openai-NAME, sim/anthropic-NAME, sim/gemini-NAME; NAME is one of {', '.join(sorted(PERSONAS))}")
    say("a judge of known error: judge-errs_10_5 calls 10% of what is good bad, and 5% of what is bad good")
    say("use them with SIUO_SIM_URL set to the address below; everything they say is made up")
    try:
        asyncio.run(serve_until_told(settings))
    except OSError as error:
        raise ConfigError(f"the simulator cannot listen on port {port} ({error.strerror}); choose another --port, or 0") from error


def init(
    path: Annotated[Path, typer.Argument(help="The file to write.")] = Path("siuo.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Write a configuration file to start from."""
    from importlib.resources import files

    from siuo_async.cli.output import say
    from siuo_async.errors import ConfigError

    if path.exists() and not force:
        raise ConfigError(f"{path} is there already; name another file, or add --force")
    try:
        path.write_text((files("siuo_async.cli") / "starter.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror}); name another file") from error
    say(f"wrote {path}; edit it, then: siuo run -c {path}", to_stderr=False)
