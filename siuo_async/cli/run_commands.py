"""`siuo demo`, `run`, `resume`, `judge`: whatever sends calls."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

if TYPE_CHECKING:
    from siuo_async.config import RunConfig

Models = Annotated[list[str], typer.Option("-m", "--model", help="PROVIDER/MODEL[@REVISION]; as many as wanted.")]
Json = Annotated[bool, typer.Option("--json", help="The summary as JSON on stdout; everything else goes to stderr.")]
Results = Annotated[Path, typer.Option(help="The folder of runs.")]

Rpm = Annotated[list[str], typer.Option("--rpm", help="[PROVIDER=]N calls a minute at most.")]
Tpm = Annotated[list[str], typer.Option("--tpm", help="[PROVIDER=]N tokens a minute at most.")]
Concurrency = Annotated[list[str], typer.Option("--concurrency", help="[PROVIDER=]N calls at once at most.")]
Budget = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(help="The most that the whole run may cost in USD, earlier sessions and judging included."),
]

StandIn = Annotated[Optional[str], typer.Option("--stand-in-judge", help="Asked only where the judge gave no verdict.")]  # noqa: UP045
Check = Annotated[Optional[str], typer.Option("--check-judge", help="MODEL[:SHARE], a second opinion on 1/3, 30% or all samples.")]  # noqa: UP045
Panel = Annotated[Optional[str], typer.Option("--panel", help="A,B,C: an odd number of judges that vote, in place of one.")]  # noqa: UP045
Retest = Annotated[Optional[str], typer.Option("--test-retest", help="SHARE of samples on which the judge is asked once more.")]  # noqa: UP045

DEMO_MODELS = ("sim/openai-careful", "sim/anthropic-blunt", "sim/gemini-terse")
DEMO_JUDGE = "sim/openai-judge-odd"
DEMO_LATENCY_S = 0.25


def demo(
    as_json: Json = False,
    limit: Annotated[Optional[int], typer.Option(min=1, help="Only so many of the 27 samples.")] = None,  # noqa: UP045
    results: Results = Path("results"),
) -> None:
    """The bundled samples on three simulated models; no key, no network."""
    from siuo_async.cli.output import say
    from siuo_async.cli.preparing import environment, prepared
    from siuo_async.cli.running import execute
    from siuo_async.config import make
    from siuo_async.engine.run_directory import all_runs, finished_at
    from siuo_async.simulator import Settings, SimulatorProcess

    settings = {"benchmark": "demo", "models": list(DEMO_MODELS), "judge": DEMO_JUDGE, "results": results, "limit": limit}
    config = make({key: value for key, value in settings.items() if value is not None})
    earlier = [run for run, manifest in all_runs(results) if manifest.get("name") == "demo"]
    fresh = (
        bool(earlier) and finished_at(earlier[0]) is not None
    )  # a demonstration that was stopped goes on, a finished one is shown anew
    say("SIMULATED: answers and verdicts come from a simulator on this machine; nothing here is a provider's", to_stderr=True)
    with SimulatorProcess(Settings(latency_s=DEMO_LATENCY_S)) as url:
        jobs = prepared([config], environment({"SIUO_SIM_URL": url}), path=None, fresh=fresh)
        code = execute(jobs, as_json=as_json)
    raise typer.Exit(code)


def run(  # one parameter per flag is what a command line is
    benchmark: Annotated[list[str], typer.Argument(help="One or more (`siuo data list`); may stand in the config file.")] = [],  # noqa: B006
    model: Models = [],  # noqa: B006
    judge: Annotated[Optional[str], typer.Option(help="PROVIDER/MODEL that judges; it sees the picture.")] = None,  # noqa: UP045
    stand_in_judge: StandIn = None,
    check_judge: Check = None,
    panel: Panel = None,
    test_retest: Retest = None,
    no_judge: Annotated[bool, typer.Option("--no-judge", help="Answers now, verdicts later with `siuo judge`.")] = False,
    config: Annotated[Optional[Path], typer.Option("-c", "--config", help="YAML file; flags win over it.")] = None,  # noqa: UP045
    data: Annotated[Optional[Path], typer.Option(help="Folder of the benchmark's data.")] = None,  # noqa: UP045
    images: Annotated[Optional[Path], typer.Option(help="Folder of the pictures, where it is not beside the data.")] = None,  # noqa: UP045
    missing_images: Annotated[Optional[str], typer.Option(help="error or skip (default: skip for USB, else error).")] = None,  # noqa: UP045
    category: Annotated[list[str], typer.Option(help="Only this category; may be repeated.")] = [],  # noqa: B006
    limit: Annotated[Optional[int], typer.Option(min=1, help="The first N of a balanced order.")] = None,  # noqa: UP045
    in_file_order: Annotated[bool, typer.Option("--in-file-order", help="Ask in the order of the file.")] = False,
    answers: Annotated[Optional[int], typer.Option(min=1, max=64, help="Answers per sample.")] = None,  # noqa: UP045
    language: Annotated[Optional[str], typer.Option(help="en (default) or zh, where the data have both.")] = None,  # noqa: UP045
    combination: Annotated[list[str], typer.Option(help="USB: only RIRT, SIRT, RIST or SIST; may be repeated.")] = [],  # noqa: B006
    usage: Annotated[list[str], typer.Option(help="USB: only vulnerability or overrefusal.")] = [],  # noqa: B006
    option_seed: Annotated[Optional[int], typer.Option(min=0, help="Shuffles the options of multiple choice (default 0).")] = None,  # noqa: UP045
    confidence: Annotated[Optional[str], typer.Option(help="Chinese SafetyQA: logprobs or stated.")] = None,  # noqa: UP045
    search: Annotated[Optional[str], typer.Option(help="Chinese SafetyQA: none (default), passive or active.")] = None,  # noqa: UP045
    search_url: Annotated[Optional[str], typer.Option(help="Search endpoint, a template with {query}.")] = None,  # noqa: UP045
    search_corpus: Annotated[Optional[Path], typer.Option(help="Folder of texts to search.")] = None,  # noqa: UP045
    search_function: Annotated[Optional[str], typer.Option(help="module:function or file.py:function that searches.")] = None,  # noqa: UP045
    search_key_env: Annotated[Optional[str], typer.Option(help="Variable that holds the search endpoint's key.")] = None,  # noqa: UP045
    search_chars: Annotated[Optional[int], typer.Option(help="Characters of a search result that are used (default 30000).")] = None,  # noqa: UP045
    protocol: Annotated[Optional[str], typer.Option(help="corrected (default) or released.")] = None,  # noqa: UP045
    prompts: Annotated[Optional[str], typer.Option(help="own or released (default once imported).")] = None,  # noqa: UP045
    max_tokens: Annotated[Optional[int], typer.Option(min=1, help="Cap on the visible answer.")] = None,  # noqa: UP045
    thinking_tokens: Annotated[Optional[int], typer.Option(min=0, help="Room for thinking on top of the cap.")] = None,  # noqa: UP045
    temperature: Annotated[Optional[float], typer.Option(min=0)] = None,  # noqa: UP045
    top_p: Annotated[Optional[float], typer.Option(min=0, max=1)] = None,  # noqa: UP045
    seed: Annotated[Optional[int], typer.Option()] = None,  # noqa: UP045
    system: Annotated[Optional[str], typer.Option(help="A system turn before each question.")] = None,  # noqa: UP045
    param: Annotated[list[str], typer.Option(help="K=V, a provider's own field; V is JSON where it can be.")] = [],  # noqa: B006
    safety_filters: Annotated[Optional[str], typer.Option(help="as-shipped or off, where a provider lets one set them.")] = None,  # noqa: UP045
    rpm: Rpm = [],  # noqa: B006
    tpm: Tpm = [],  # noqa: B006
    concurrency: Concurrency = [],  # noqa: B006
    budget: Budget = None,
    timeout: Annotated[Optional[float], typer.Option(help="Seconds for one try, after the upload.")] = None,  # noqa: UP045
    max_wait: Annotated[Optional[float], typer.Option(help="A longer wait asked for by a server stops it.")] = None,  # noqa: UP045
    grace: Annotated[Optional[float], typer.Option(help="Seconds for calls on the wire after Ctrl-C.")] = None,  # noqa: UP045
    offline_wait: Annotated[Optional[float], typer.Option(help="Seconds to wait for a lost network.")] = None,  # noqa: UP045
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Ask rejected samples and failed searches again too.")] = False,
    accept_served: Annotated[bool, typer.Option("--accept-served", help="Go on when the served model changes.")] = False,
    name: Annotated[Optional[str], typer.Option(help="Name of the run (default: the benchmark).")] = None,  # noqa: UP045
    run: Annotated[Optional[Path], typer.Option("--run", help="The run's directory.")] = None,  # noqa: UP045
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure again, into a new directory.")] = False,
    reuse: Annotated[list[Path], typer.Option(help="Another run whose calls may be used.")] = [],  # noqa: B006
    results: Annotated[Optional[Path], typer.Option(help="The folder of runs (default: results).")] = None,  # noqa: UP045
    fsync: Annotated[Optional[str], typer.Option(help="group (default), always or off.")] = None,  # noqa: UP045
    like: Annotated[Optional[str], typer.Option(help="Copy every setting of a run; -m names other models.")] = None,  # noqa: UP045
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many calls it would take.")] = False,
    as_json: Json = False,
) -> None:
    """Ask models, judge their answers. Typed again, it continues; nothing finished is paid twice."""
    flags: dict[str, Any] = dict(locals())
    from siuo_async.cli.preparing import environment, prepared
    from siuo_async.cli.running import execute

    jobs = prepared(_asked_for(flags), environment(), path=run, fresh=fresh)
    if like is not None:
        from siuo_async.cli.like import must_be_alike

        must_be_alike(like, results or Path("results"), jobs[0])
    if dry_run:
        from siuo_async.cli.dry_run import tell

        tell(jobs, as_json=as_json)
        return
    raise typer.Exit(execute(jobs, as_json=as_json))


def _asked_for(flags: dict[str, Any]) -> list[RunConfig]:
    """The configuration of each run that the flags of `run` ask for."""
    from siuo_async.cli.settings import members, merged, parameters, per_provider
    from siuo_async.errors import ConfigError

    config, run, like = flags.pop("config"), flags.pop("run"), flags.pop("like")
    for own in ("fresh", "dry_run", "as_json"):
        flags.pop(own)
    flags |= {"models": flags.pop("model"), "categories": flags.pop("category"), "params": parameters(flags.pop("param"))}
    flags |= {"combinations": flags.pop("combination"), "usages": flags.pop("usage"), "panel": members(flags["panel"])}
    flags |= {name: per_provider(flags[name], f"--{name}") for name in ("rpm", "tpm", "concurrency")}
    if like is not None:
        from siuo_async.cli.like import configs_like

        return configs_like(like, config, flags)
    every = merged(config, flags)
    if run is not None and len(every) > 1:
        raise ConfigError("--run names the directory of one run, but several benchmarks are named; use --results or --name")
    return every


def plan(uplink: float | None = None, **flags: Any) -> None:
    """What a run would take: calls, tokens, money, time, precision. The same words as `siuo run`; nothing is sent, no key is needed."""
    from siuo_async.cli.planning import tell_plans

    told = {name: flags[name] for name in ("run", "fresh", "as_json", "like")}
    tell_plans(_asked_for(flags | {"dry_run": True}), uplink_mbit=uplink, **told)


_UPLINK = Annotated[Optional[float], typer.Option("--uplink", min=0.001, help="Mbit/s that can be sent, for the time of the upload.")]  # noqa: UP045
_ONLY_WHILE_RUNNING = frozenset({"dry_run", "timeout", "max_wait", "grace", "offline_wait", "accept_served", "fsync"})
"""Flags of `run` that change neither what is asked nor what it costs."""


def _takes_the_flags_of_run() -> None:
    """Whatever `run` takes `plan` takes too, so that a command becomes its own plan by one word."""
    asked = inspect.signature(run, eval_str=True)
    parameters = [each for name, each in asked.parameters.items() if name not in _ONLY_WHILE_RUNNING]
    uplink = inspect.Parameter("uplink", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=_UPLINK)
    plan.__signature__ = asked.replace(parameters=[*parameters[:-1], uplink, parameters[-1]])  # type: ignore[attr-defined]
    plan.__annotations__ = {**run.__annotations__, "uplink": _UPLINK}


_takes_the_flags_of_run()


def resume(
    run: Annotated[Optional[str], typer.Argument(help="A run; default: the newest unfinished one here.")] = None,  # noqa: UP045
    rpm: Rpm = [],  # noqa: B006
    tpm: Tpm = [],  # noqa: B006
    concurrency: Concurrency = [],  # noqa: B006
    budget: Budget = None,
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Continue a run with the settings it has; --rpm, --tpm and --concurrency hold for this time alone."""
    from siuo_async.cli.finding import find_run, newest_unfinished
    from siuo_async.cli.preparing import environment, remembered, with_budget
    from siuo_async.cli.running import execute
    from siuo_async.cli.simulated import simulator_for

    path = find_run(run, results) if run else newest_unfinished(results)
    surroundings = environment()
    with simulator_for(path, surroundings) as extra:
        job = remembered(path, environment(extra) if extra else surroundings)
        job = with_budget(job, budget)
        ceilings = {"rpm": rpm, "tpm": tpm, "concurrency": concurrency}
        raise typer.Exit(execute([job], as_json=as_json, generate=not job.plan.imported, typed=ceilings))


def judge(
    run: Annotated[str, typer.Argument(help="A run, by path or by name.")],
    judge: Annotated[Optional[str], typer.Option("--judge", help="PROVIDER/MODEL that judges; it sees the picture.")] = None,  # noqa: UP045
    stand_in_judge: StandIn = None,
    check_judge: Check = None,
    panel: Panel = None,
    test_retest: Retest = None,
    config: Annotated[Optional[Path], typer.Option("-c", "--config", help="YAML file that names providers and prices.")] = None,  # noqa: UP045
    rpm: Rpm = [],  # noqa: B006
    tpm: Tpm = [],  # noqa: B006
    concurrency: Concurrency = [],  # noqa: B006
    budget: Budget = None,
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Judge the answers of a run, judge them anew, or ask for second opinions; pays only for verdicts."""
    from siuo_async.cli.finding import find_run
    from siuo_async.cli.judging import judged_again
    from siuo_async.cli.preparing import environment, with_budget
    from siuo_async.cli.running import execute
    from siuo_async.cli.settings import members
    from siuo_async.cli.simulated import simulator_for

    path = find_run(run, results)
    named = {"judge": judge, "stand_in_judge": stand_in_judge, "check_judge": check_judge, "panel": members(panel)}
    named |= {"test_retest": test_retest}
    surroundings = environment()
    with simulator_for(path, surroundings, judge or "") as extra:
        job = judged_again(path, named, config, environment(extra) if extra else surroundings)
        job = with_budget(job, budget)
        ceilings = {"rpm": rpm, "tpm": tpm, "concurrency": concurrency}
        raise typer.Exit(execute([job], as_json=as_json, generate=False, typed=ceilings))
