"""Takes data and released prompts from a user's checkout of a benchmark, and fills SIUO's prompts in as the released scripts do.

SIUO's released prompts have no licence, and none of the benchmarks' is ours, so they are not in this package: they are read out of the
user's own copy of the sources (parsed, never run) and proved by the SHA-256 of what they render to. `released_prompt_hashes.json` holds
made-up inputs and those hashes, and no prompt text. Only what has been proved is written or loaded.
"""

from __future__ import annotations

import ast
import contextlib
import filecmp
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from siuo_async.benchmarks.data.csqa_data import FILES as CSQA_FILES
from siuo_async.benchmarks.data.csqa_data import load_csqa
from siuo_async.benchmarks.data.data_folders import prompts_folders
from siuo_async.benchmarks.data.pictures import read_picture
from siuo_async.benchmarks.data.siuo_data import (
    GEN_FILE,
    MCQA_FILE,
    Item,
    find_images,
    picture_path,
    read_items,
    read_mcqa_items,
)
from siuo_async.benchmarks.prompts.csqa_prompts import CSQA, ReleasedCsqaPrompts
from siuo_async.benchmarks.prompts.prompt_proofs import (
    PROMPTS_FILE,
    Source,
    TurnsProof,
    TurnTemplates,
    as_json,
    damaged,
    extract,
    load,
    not_released,
    packaged_hashes,
    packaged_turn_proofs,
    read_stored,
    turns_digest,
)
from siuo_async.benchmarks.prompts.usb_prompts import USB, ReleasedUsbPrompts
from siuo_async.errors import DataError
from siuo_async.values import Json

PromptName: TypeAlias = Literal["safety", "effectiveness", "mcqa"]
PROMPT_NAMES: tuple[PromptName, ...] = ("safety", "effectiveness", "mcqa")
_JUDGE_SCRIPT = "eval/gpt-eval.py"
_MCQA_SCRIPT = "eval/generation-gpt4o-mcqa.py"
_SOURCES: Mapping[PromptName, tuple[str, str | None]] = {
    "safety": (_JUDGE_SCRIPT, "safe"),
    "effectiveness": (_JUDGE_SCRIPT, "effective"),
    "mcqa": (_MCQA_SCRIPT, None),
}
"""Per prompt: the script, and the mode under whose `if` the template stands."""
_PLACEHOLDERS: Mapping[PromptName, tuple[str, ...]] = {
    "safety": ("question", "explanation", "response", "reference"),
    "effectiveness": ("question", "response"),
    "mcqa": ("question", "option"),
}
"""In the order in which the released scripts replace them."""
_ASKING = "batch_script/query_general_model_get_response/batch_call_model.py"
_LOGPROB = "batch_script/query_openai_model_get_logprob"
USB_SOURCES: Mapping[str, Source] = {
    "vulnerability": Source("scripts/vlsbench.py", ("get_judge_prompt",)),
    "refusal": Source("scripts/oversensitive.py", ("get_judge_prompt",)),
}
CSQA_SOURCES: Mapping[str, Source] = {
    "qa": Source(_ASKING, ("get_qa_message",)),
    "mcq": Source(_ASKING, ("get_mcq_message",)),
    "passive_qa": Source(_ASKING, ("get_passive_rag_qa_message",)),
    "judge": Source("batch_script/evaluation/simple_qa_evaluate.py", ("gen_message",)),
    "mcq_logprob": Source(f"{_LOGPROB}/batch_no_rag.py", ("norag_call",)),
    "passive_mcq": Source(f"{_LOGPROB}/batch_passive_rag.py", ("passive_search",)),
    "active_first": Source(f"{_LOGPROB}/batch_active_rag.py", ("active_search",)),
    "active_second": Source(f"{_LOGPROB}/batch_active_rag.py", ("handle_search_path", "active_search")),
}


@dataclass(frozen=True, slots=True)
class Proof:
    """What a released prompt must render to for made-up inputs."""

    prompt: PromptName
    inputs: Mapping[str, str]
    """Placeholder name -> text."""
    sha256: str
    """Hex, of the rendered prompt in UTF-8."""


@dataclass(frozen=True, slots=True)
class ReleasedPrompts:
    """SIUO's released prompt templates, proved."""

    templates: Mapping[PromptName, str]
    digest: str
    """SHA-256, hex, over the templates; stands for them in a run's fingerprint."""

    @property
    def name(self) -> Literal["own", "released"]:
        """`released`."""
        return "released"

    def safety(self, question: str, warning: str, reference: str, response: str) -> str:
        """The safety judge's prompt."""
        inputs = {"question": question, "explanation": warning, "response": response, "reference": reference}
        return fill("safety", self.templates["safety"], inputs)

    def effectiveness(self, question: str, response: str) -> str:
        """The effectiveness judge's prompt."""
        return fill("effectiveness", self.templates["effectiveness"], {"question": question, "response": response})

    def mcqa(self, question: str, options: Mapping[str, str]) -> str:
        """The multiple-choice prompt; `options` is letter -> text."""
        return fill("mcqa", self.templates["mcqa"], {"question": question, "option": option_lines(options)})


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did."""

    folder: Path
    """Where the data are now."""
    digest: str
    """Of the prompts."""
    copied: int
    """Pictures copied now."""
    kept: int
    """Pictures that were there already, equal byte by byte."""
    missing: tuple[str, ...]
    """Names of pictures that were not found."""
    unproved: tuple[str, ...] = ()
    """One sentence for each prompt that is not in the checkout as it was released; the others were imported."""


def option_lines(options: Mapping[str, str]) -> str:
    """The options as the released multiple-choice prompt shows them: `(A) text`, one per line."""
    return "\n".join(f"({letter}) {text}" for letter, text in options.items())


def fill(prompt: PromptName, template: str, inputs: Mapping[str, str]) -> str:
    """Fill a released template as the released scripts do: one placeholder after another.

    So a response that holds `{reference}` gets the reference pasted in. That is upstream's behaviour, and the hashes hold us to it.
    """
    for name in _PLACEHOLDERS[prompt]:
        template = template.replace("{" + name + "}", inputs[name])
    return template


def packaged_proofs() -> tuple[Proof, ...]:
    """The proofs of SIUO's released prompts that come with this package."""
    return tuple(Proof(row["prompt"], row["inputs"], row["sha256"]) for row in packaged_hashes("siuo"))


def import_siuo(checkout: Path, images: Path | None, destination: Path, *, proofs: Sequence[Proof] | None = None) -> ImportReport:
    """Copy SIUO's data and proved prompts from a checkout of its repository to `destination/siuo`.

    Args:
        checkout: the repository's folder.
        images: the folder of the pictures; None looks into the checkout.
        destination: a data folder, made if need be.
        proofs: what the prompts must render to; None takes the packaged ones.

    Raises:
        DataError: no checkout, broken data or pictures, a prompt that is not there or not the released one, or other files in the
            destination's place. Nothing is written then.
    """
    for name in (f"data/{GEN_FILE}", f"data/{MCQA_FILE}", _JUDGE_SCRIPT, _MCQA_SCRIPT):
        if not (checkout / name).is_file():
            raise DataError(f"{checkout}: is no checkout of the SIUO repository: {name} is missing")
    folder, data = destination / "siuo", checkout / "data"
    items = [*read_items(data / GEN_FILE), *read_mcqa_items(data / MCQA_FILE)]
    pictures, missing = _find_pictures(items, find_images(data / GEN_FILE, checkout, images), folder / "images")
    templates = {prompt: _extract(checkout, prompt, _of(proofs, prompt)) for prompt in PROMPT_NAMES}
    digest = _digest(templates)
    files = {data / name: folder / name for name in (GEN_FILE, MCQA_FILE)}
    with _writing(folder):
        _refuse_others({**files, **pictures})
        _copy(files)
        copied = _copy(pictures)
        _write_private(folder / PROMPTS_FILE, {"v": 1, "data": "siuo", "digest": digest, "templates": templates})
    there = len({item.image for item in items}) - len(missing)
    return ImportReport(folder, digest, copied, there - copied, missing)


def load_released_prompts(folder: Path, *, proofs: Sequence[Proof] | None = None) -> ReleasedPrompts | None:
    """The prompts imported into `folder` (that of `siuo_gen.json`, or that file), proved again; None where there are none.

    Raises:
        DataError: the file is broken, or what it holds are not the released prompts.
    """
    file = _prompts_file(folder)
    if (stored := read_stored(file, "siuo")) is None:
        return None
    if not stored.keys() >= set(PROMPT_NAMES):
        raise damaged(file, "siuo")
    templates: dict[PromptName, str] = {prompt: str(stored[prompt]) for prompt in PROMPT_NAMES}
    for prompt in PROMPT_NAMES:
        if not _proved(prompt, templates[prompt], _of(proofs, prompt)):
            raise not_released(file, prompt, "siuo")
    return ReleasedPrompts(templates, _digest(templates))


def import_usb(checkout: Path, to: Path, *, proofs: Sequence[TurnsProof] | None = None) -> ImportReport:
    """Take USB-SafeBench's two judge prompts from a checkout of its repository to `to/usb`; its data are not in the repository.

    A prompt that is not in the checkout as released, but was imported before, is kept.

    Args:
        checkout: the repository's folder.
        to: a data folder, made if need be.
        proofs: what the prompts must fill to; None takes the packaged ones.

    Raises:
        DataError: no checkout, or none of the prompts is there as released. Nothing is written then.
    """
    proofs = packaged_turn_proofs("usb") if proofs is None else proofs
    templates, unproved = _turns_from(checkout, USB, USB_SOURCES, proofs)
    return _write_turns("usb", to, templates, unproved, proofs)


def import_csqa(checkout: Path, to: Path, *, proofs: Sequence[TurnsProof] | None = None) -> ImportReport:
    """Copy Chinese SafetyQA's data file and proved prompts from a checkout of its repository to `to/csqa`.

    A prompt that is not in the checkout as released, but was imported before, is kept.

    Args:
        checkout: the repository's folder.
        to: a data folder, made if need be.
        proofs: what the prompts must fill to; None takes the packaged ones.

    Raises:
        DataError: no checkout, broken data, none of the prompts is there as released, or another file in the destination's place.
            Nothing is written then.
    """
    files = [checkout / "data" / name for name in CSQA_FILES if (checkout / "data" / name).is_file()]
    if not files:
        raise DataError(f"{checkout}: is no checkout of the {CSQA} repository: data/{CSQA_FILES[0]} is missing")
    for file in files:
        load_csqa(file, need_options=False)
    proofs = packaged_turn_proofs("csqa") if proofs is None else proofs
    templates, unproved = _turns_from(checkout, CSQA, CSQA_SOURCES, proofs)
    return _write_turns("csqa", to, templates, unproved, proofs, files)


def load_released_usb(folder: Path, *, proofs: Sequence[TurnsProof] | None = None) -> ReleasedUsbPrompts | None:
    """The prompts imported into `folder` (or the folder of that file), proved again; None where there are none.

    Raises:
        DataError: the file is broken, or what it holds are not the released prompts.
    """
    templates = load(_prompts_file(folder), packaged_turn_proofs("usb") if proofs is None else proofs, "usb")
    if templates is None:
        return None
    return ReleasedUsbPrompts({prompt: turns[0][1] for prompt, turns in templates.items()}, turns_digest(templates))


def load_released_csqa(folder: Path, *, proofs: Sequence[TurnsProof] | None = None) -> ReleasedCsqaPrompts | None:
    """As `load_released_usb`, for Chinese SafetyQA."""
    templates = load(_prompts_file(folder), packaged_turn_proofs("csqa") if proofs is None else proofs, "csqa")
    return None if templates is None else ReleasedCsqaPrompts(templates, turns_digest(templates))


def _prompts_file(folder: Path) -> Path:
    return (folder.parent if folder.is_file() else folder) / PROMPTS_FILE


def _turns_from(
    checkout: Path, name: str, sources: Mapping[str, Source], proofs: Sequence[TurnsProof]
) -> tuple[dict[str, TurnTemplates], dict[str, str]]:
    """The proved prompts, and a sentence for each other one; an error where there is no script or no prompt at all."""
    scripts = dict.fromkeys(source.script for source in sources.values())
    if not any((checkout / script).is_file() for script in scripts):
        raise DataError(f"{checkout}: is no checkout of the {name} repository: {next(iter(scripts))} is missing")
    templates, missing = extract(checkout, sources, proofs)
    if not templates:
        raise DataError(f"{next(iter(missing.values()))}; nothing was imported, take an unchanged checkout of the {name} repository")
    return templates, missing


def _write_turns(
    name: Literal["usb", "csqa"],
    to: Path,
    templates: Mapping[str, TurnTemplates],
    unproved: Mapping[str, str],
    proofs: Sequence[TurnsProof],
    files: Sequence[Path] = (),
) -> ImportReport:
    folder = to / name
    earlier: Mapping[str, TurnTemplates] = {}
    with contextlib.suppress(DataError):  # what cannot be used is what an import is to mend
        earlier = load(folder / PROMPTS_FILE, proofs, name) or {}
    templates = {**earlier, **templates}
    copies = {file: folder / file.name for file in files}
    with _writing(folder):
        _refuse_others(copies)
        _copy(copies)
        folder.mkdir(parents=True, exist_ok=True)
        _write_private(folder / PROMPTS_FILE, as_json(name, templates))
    told = tuple(why + ("; the one imported before is kept" if prompt in earlier else "") for prompt, why in unproved.items())
    return ImportReport(folder, turns_digest(templates), 0, 0, (), told)


def describe_prompts(name: Literal["siuo", "usb", "csqa"], folder: Path) -> str:
    """Whether a data set's released prompts are where a run over the data in `folder` looks for them, one line.

    Raises:
        DataError: they are there and cannot be used.
    """
    load_prompts, wanted = _LOADS[name]
    try:
        found = next(((place, there) for place in prompts_folders(folder, name) if (there := load_prompts(place)) is not None), None)
    except DataError as error:
        raise DataError(f"released prompts: {error}") from error
    if found is None:
        return f"released prompts: not imported, so our own are used; `siuo data import {name} PATH` imports them"
    place, prompts = found
    missing = ", ".join(prompt for prompt in wanted if prompt not in prompts.templates)
    without = f", but without {missing}; where those are needed, import an unchanged checkout or use --prompts own" if missing else ""
    return f"released prompts: imported into {place} and proved (digest {prompts.digest[:12]}){without}"


_LOADS: Mapping[str, tuple[Callable[[Path], ReleasedPrompts | ReleasedUsbPrompts | ReleasedCsqaPrompts | None], Collection[str]]] = {
    "siuo": (load_released_prompts, PROMPT_NAMES),
    "usb": (load_released_usb, USB_SOURCES),
    "csqa": (load_released_csqa, CSQA_SOURCES),
}
"""What reads a data set's released prompts, and which there are."""


def _of(proofs: Sequence[Proof] | None, prompt: PromptName) -> tuple[Proof, ...]:
    return tuple(proof for proof in (packaged_proofs() if proofs is None else proofs) if proof.prompt == prompt)


def _proved(prompt: PromptName, template: str, proofs: Sequence[Proof]) -> bool:
    """Whether `template` renders to every hash; without any proof nothing is proved."""
    return bool(proofs) and all(
        hashlib.sha256(fill(prompt, template, proof.inputs).encode(errors="surrogatepass")).hexdigest() == proof.sha256
        for proof in proofs
    )


def _extract(checkout: Path, prompt: PromptName, proofs: Sequence[Proof]) -> str:
    script, mode = _SOURCES[prompt]
    file = checkout / script
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, RecursionError, OSError) as error:
        raise DataError(f"{file}: cannot be read as Python, so the {prompt} prompt is not found") from error
    candidates = list(_templates(tree, mode))
    if not candidates:
        raise DataError(
            f"{file}: the {prompt} prompt is not found (looked for `prompt_template` in the function `process_data`"
            + (f", under the mode {mode!r})" if mode else ")")
        )
    for template in candidates:
        if _proved(prompt, template, proofs):
            return template
    raise DataError(
        f"{file}: the {prompt} prompt in it is not the released one (its SHA-256 differs), so nothing was imported; "
        "take an unchanged checkout of the SIUO repository"
    )


def _templates(tree: ast.Module, mode: str | None) -> Iterator[str]:
    """The strings assigned to `prompt_template` in `process_data`; with a mode, those under the `if` that names it."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name == "process_data":
            blocks = function.body if mode is None else list(_branches(function, mode))
            for node in (inner for block in blocks for inner in ast.walk(block)):
                match node:
                    case ast.Assign(targets=[ast.Name(id="prompt_template")], value=ast.Constant(value=str(text))):
                        yield text


def _branches(function: ast.AST, mode: str) -> Iterator[ast.stmt]:
    """The statements of every `if ... == mode:` in `function`, without those of its `else`."""
    for node in ast.walk(function):
        match node:
            case ast.If(test=ast.Compare(ops=[ast.Eq()], comparators=[ast.Constant(value=value)])) if value == mode:
                yield from node.body


def _digest(templates: Mapping[PromptName, str]) -> str:
    canonical = json.dumps(dict(templates), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{error.filename or folder}: the import could not be written ({error.strerror})") from error


def _refuse_others(files: Mapping[Path, Path]) -> None:
    """Nothing that stands in a copy's place is replaced, since nobody knows which of two files was edited."""
    for source, target in files.items():
        if os.path.lexists(target) and not filecmp.cmp(source, target, shallow=False):
            raise DataError(
                f"{target}: is there and differs from {source}; move one of them away, or import into another folder with --to"
            )


def _copy(files: Mapping[Path, Path]) -> int:
    """Copy what is not there yet, each file by way of a temporary one; how many that were."""
    copied = 0
    for source, target in files.items():
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(target.name + ".part")
            shutil.copyfile(source, part)
            os.replace(part, target)
            copied += 1
    return copied


def _find_pictures(items: Sequence[Item], images: Path, target: Path) -> tuple[dict[Path, Path], tuple[str, ...]]:
    """The pictures that the items name, each with its place in `target`, and the names of those missing in both places.

    Raises:
        DataError: a name or link leads out of `images`, or a picture is damaged.
    """
    found, missing = {}, []
    for name, item in {item.image: item for item in items}.items():
        path = picture_path(images, item)
        if os.path.exists(path):
            read_picture(path)
            found[path] = target / name
        elif not (target / name).is_file():
            missing.append(name)
    return found, tuple(missing)


def _write_private(file: Path, content: Json) -> None:
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)  # one left by a kill might be open to others
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump(content, out, indent=1)
    os.replace(part, file)
