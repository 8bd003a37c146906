"""Released prompts that are made of turns: finds them in a checkout, proves them by SHA-256, keeps and reads them again.

The package holds, per prompt, made-up inputs and the hash of each turn filled with them (`released_prompt_hashes.json`), and no prompt
text. What is read out of the sources counts only if it fills to these very hashes, and is proved once more whenever it is loaded.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal, TypeAlias

from siuo_async.benchmarks.prompts.prompt_sources import Slot, Template, readings, render, slot_names
from siuo_async.errors import DataError
from siuo_async.values import Json, Role

PROMPTS_FILE = "prompts.json"
_HASHES = Path(__file__).with_name("released_prompt_hashes.json")
_MOST_ASSIGNMENTS = 4096
"""Of inputs to slots, per reading; a released prompt has at most four inputs and five slots."""

TurnTemplates: TypeAlias = tuple[tuple[Role, Template], ...]


@dataclass(frozen=True, slots=True)
class TurnsProof:
    """What a released prompt's turns must fill to for made-up inputs."""

    prompt: str
    inputs: Mapping[str, str]
    """Slot name -> text."""
    turns: tuple[tuple[Role, str], ...]
    """(role, SHA-256 in hex of the filled turn in UTF-8), in the order sent."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a released prompt stands."""

    script: str
    """Path inside the checkout."""
    functions: tuple[str, ...]


def packaged_hashes(benchmark: Literal["siuo", "usb", "csqa"]) -> list[dict[str, Json]]:
    """The rows of the packaged file for one benchmark."""
    rows: list[dict[str, Json]] = json.loads(_HASHES.read_text(encoding="utf-8"))[benchmark]
    return rows


def packaged_turn_proofs(benchmark: Literal["usb", "csqa"]) -> tuple[TurnsProof, ...]:
    """The proofs of a benchmark's released prompts that come with this package."""
    return tuple(
        TurnsProof(row["prompt"], row["inputs"], tuple((turn["role"], turn["sha256"]) for turn in row["turns"]))
        for row in packaged_hashes(benchmark)
    )


def extract(
    checkout: Path, sources: Mapping[str, Source], proofs: Sequence[TurnsProof]
) -> tuple[dict[str, TurnTemplates], dict[str, str]]:
    """The prompts that are proved, and for the others one sentence each on what was looked for and where."""
    found: dict[str, TurnTemplates] = {}
    missing: dict[str, str] = {}
    for prompt, source in sources.items():
        file = checkout / source.script
        where = " and ".join(f"`{name}`" for name in source.functions)
        try:
            templates = find(ast.parse(file.read_bytes()), source.functions, of(proofs, prompt))
        except OSError as error:
            missing[prompt] = f"{file}: cannot be read ({error.strerror}), so the {prompt} prompt is not found"
        except (SyntaxError, ValueError, RecursionError):
            missing[prompt] = f"{file}: cannot be read as Python, so the {prompt} prompt is not found"
        else:
            if templates is None:
                missing[prompt] = f"{file}: the released {prompt} prompt is not in it (looked in {where}; no text has its SHA-256)"
            else:
                found[prompt] = templates
    return found, missing


def find(tree: ast.Module, functions: Sequence[str], proofs: Sequence[TurnsProof]) -> TurnTemplates | None:
    """The turns of one prompt as the file has them; None where a turn is not proved, or nothing could prove it."""
    if not proofs:
        return None
    # A turn that is one input word for word, such as the model's own reply, stands in no source.
    candidates: list[Template] = [(Slot("*"),), *readings(tree, functions)]
    turns: list[tuple[Role, Template]] = []
    for number, (role, _) in enumerate(proofs[0].turns):
        wanted = [(proof.inputs, proof.turns[number][1]) for proof in proofs]
        template = next((named for candidate in candidates if (named := _named(candidate, wanted))), None)
        if template is None:
            return None
        turns.append((role, template))
    return tuple(turns)


def _named(candidate: Template, wanted: Sequence[tuple[Mapping[str, str], str]]) -> Template | None:
    """`candidate` with its slots called as the inputs are, so that it fills to every hash; None where no naming does."""
    slots, inputs = slot_names(candidate), tuple(wanted[0][0])
    if len(inputs) ** len(slots) > _MOST_ASSIGNMENTS:
        return None
    for choice in product(inputs, repeat=len(slots)):
        names = dict(zip(slots, choice, strict=True))
        template = tuple(piece if isinstance(piece, str) else Slot(names[piece.name]) for piece in candidate)
        if all(sha256(render(template, values)) == digest for values, digest in wanted):
            return template
    return None


def proved(templates: TurnTemplates, proofs: Sequence[TurnsProof]) -> bool:
    """Whether the turns fill to every hash; without any proof nothing is proved."""
    try:
        return bool(proofs) and all(
            tuple((role, sha256(render(template, proof.inputs))) for role, template in templates) == proof.turns for proof in proofs
        )
    except KeyError:
        return False


def of(proofs: Iterable[TurnsProof], prompt: str) -> tuple[TurnsProof, ...]:
    """The proofs of one prompt."""
    return tuple(proof for proof in proofs if proof.prompt == prompt)


def sha256(text: str) -> str:
    """Hex, of the text in UTF-8."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def turns_digest(templates: Mapping[str, TurnTemplates]) -> str:
    """SHA-256, hex, over the templates as they are stored."""
    return sha256(json.dumps(_stored(templates), sort_keys=True, separators=(",", ":")))


def as_json(benchmark: str, templates: Mapping[str, TurnTemplates]) -> Json:
    """What `prompts.json` holds."""
    return {"v": 1, "data": benchmark, "digest": turns_digest(templates), "templates": _stored(templates)}


def read_stored(file: Path, benchmark: str) -> dict[str, Json] | None:
    """The templates in `file`, not yet proved; None where there is no such file.

    Raises:
        DataError: the file is broken, or says that it is another data set's.
    """
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        whose, templates = stored.get("data", benchmark), dict(stored["templates"])
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(file, benchmark) from error
    if whose != benchmark:
        raise DataError(
            f"{file}: holds the released prompts of {whose}, not of {benchmark}; give each data set a folder of its own, "
            "or use --prompts own"
        )
    return templates


def damaged(file: Path, benchmark: str) -> DataError:
    """What is said of a file that no import wrote so."""
    return DataError(f"{file}: is damaged; import them again with `siuo data import {benchmark} PATH`")


def not_released(file: Path, prompt: str, benchmark: str) -> DataError:
    """What is said of a prompt that is not proved."""
    again = f"import them again with `siuo data import {benchmark} PATH`"
    return DataError(f"{file}: the {prompt} prompt in it is not the released one; {again}")


def load(file: Path, proofs: Sequence[TurnsProof], benchmark: str) -> dict[str, TurnTemplates] | None:
    """The prompts in `file`, proved again; None where there is no such file.

    Raises:
        DataError: the file is broken or another data set's, or one of its prompts is not the released one.
    """
    if (stored := read_stored(file, benchmark)) is None:
        return None
    try:
        templates = {prompt: _read_turns(turns) for prompt, turns in stored.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(file, benchmark) from error
    if not templates:
        raise damaged(file, benchmark)
    for prompt, turns in templates.items():
        if not proved(turns, of(proofs, prompt)):
            raise not_released(file, prompt, benchmark)
    return templates


def _stored(templates: Mapping[str, TurnTemplates]) -> Json:
    return {
        prompt: [
            {"role": role, "text": [piece if isinstance(piece, str) else {"slot": piece.name} for piece in template]}
            for role, template in turns
        ]
        for prompt, turns in templates.items()
    }


def _read_turns(turns: Json) -> TurnTemplates:
    return tuple(
        (turn["role"], tuple(piece if isinstance(piece, str) else Slot(str(piece["slot"])) for piece in turn["text"])) for turn in turns
    )
