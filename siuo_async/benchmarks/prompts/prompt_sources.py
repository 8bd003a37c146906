"""Reads prompt templates out of Python sources without running them.

A prompt in a script is rarely one string: it is put together from names, f-strings, `.format`, `+` and `.strip()`, sometimes over
several functions. This module follows these (and nothing else) through the syntax tree and yields every text that an expression could
stand for, with a slot wherever it cannot tell. Which of them is the prompt is not decided here: the caller proves it by hash.
"""

from __future__ import annotations

import ast
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, product
from typing import TypeAlias

_MOST_READINGS = 64
"""Of one expression. Real scripts have one to four."""
_MOST_WORK, _STEP = 20_000_000, 500
"""Characters put together per file, and so many for each expression; what comes after is a slot, so that no file keeps us busy."""
_DEEPEST = 100
_MOST_PIECES, _LONGEST = 64, 50_000
"""Of one template; no prompt is near it, and a text doubled over and over must not fill the memory."""

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_Scope: TypeAlias = ast.Module | _Function


@dataclass(frozen=True, slots=True)
class Slot:
    """A place that is filled when the prompt is used."""

    name: str
    """In what is read from sources: the expression as written there."""


Template: TypeAlias = tuple[str | Slot, ...]
"""Texts and slots in order; no two texts side by side, none empty."""


def render(template: Template, values: Mapping[str, str]) -> str:
    """`template` with its slots filled, in one pass. Raises KeyError for a slot without a value."""
    return "".join(piece if isinstance(piece, str) else values[piece.name] for piece in template)


def slot_names(template: Template) -> tuple[str, ...]:
    """The names of the slots, each once, in order."""
    return tuple(dict.fromkeys(piece.name for piece in template if isinstance(piece, Slot)))


def has_text(template: Template) -> bool:
    """Whether it says anything of its own."""
    return any(isinstance(piece, str) for piece in template)


def joined(pieces: Iterable[str | Slot]) -> Template:
    """`pieces` as a template."""
    template: list[str | Slot] = []
    for piece in pieces:
        if isinstance(piece, str) and template and isinstance(template[-1], str):
            template[-1] += piece
        elif piece != "":
            template.append(piece)
    return tuple(template)


def readings(tree: ast.Module, functions: Sequence[str]) -> Iterator[Template]:
    """Every text that an expression of the file can stand for, each once, those in `functions` first."""
    reader = _Reader(tree)
    seen: set[Template] = set()
    for scope in reader.scopes(functions):
        for node in _outside_functions(scope):
            if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp | ast.Call | ast.Name):
                for template in reader.whole(node, scope):
                    if template not in seen and has_text(template):
                        seen.add(template)
                        yield template


@dataclass(slots=True)
class _Reader:
    """One file: who assigns what, who calls whom."""

    tree: ast.Module
    functions: dict[str, list[_Function]] = field(default_factory=dict)
    _bound: dict[tuple[_Scope, str], list[ast.Assign | ast.AnnAssign | ast.AugAssign]] = field(default_factory=dict)
    _calls: dict[str, list[tuple[ast.Call, _Scope]]] = field(default_factory=dict)
    _open: dict[tuple[_Scope, str], list[Template]] = field(default_factory=dict)
    """Names being read, with what is known of them so far: `x = x + "..."` means the x before."""
    _returns: dict[_Function, list[ast.expr]] = field(default_factory=dict)
    _inside: list[_Function] = field(default_factory=list)
    """Functions whose returned texts are being read."""
    _work: int = 0
    _depth: int = 0

    def __post_init__(self) -> None:
        for node in ast.walk(self.tree):
            if isinstance(node, _Function):
                self.functions.setdefault(node.name, []).append(node)
                self._note(node, ast.walk(node))
                self._returns[node] = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return) and inner.value]
        self._note(self.tree, _outside_functions(self.tree))

    def _note(self, scope: _Scope, nodes: Iterable[ast.AST]) -> None:
        for node in sorted((node for node in nodes if isinstance(node, ast.stmt | ast.Call)), key=lambda node: node.lineno):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                    self._bound.setdefault((scope, name), []).append(node)
                case ast.AugAssign(target=ast.Name(id=name), op=ast.Add()):
                    self._bound.setdefault((scope, name), []).append(node)
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                    self._calls.setdefault(name, []).append((node, scope))

    def scopes(self, first: Sequence[str]) -> list[_Scope]:
        """All functions, those called `first` first, and the file itself last."""
        wanted = [scope for name in first for scope in self.functions.get(name, ())]
        return list(dict.fromkeys((*wanted, *(scope for scopes in self.functions.values() for scope in scopes), self.tree)))

    def whole(self, node: ast.expr, scope: _Scope) -> Iterator[Template]:
        """The readings of an expression; a plain text also as what `.format` and `.replace` would make of it elsewhere."""
        for template in self.read(node, scope):
            yield template
            match template:
                case (str(text),) if "{" in text:
                    yield from _formatted(template, {})

    def read(self, node: ast.expr | None, scope: _Scope) -> list[Template]:
        """What `node` can stand for in `scope`; a lone slot where that is unknown."""
        self._work += _STEP
        if node is None or self._work > _MOST_WORK or self._depth > _DEEPEST:
            return [(Slot("?"),)]
        self._depth += 1
        few: dict[Template, None] = {}
        for template in islice(self._read(node, scope), _MOST_READINGS):
            self._work += _size(template)
            if _of_a_prompt(template):
                few[template] = None
            if self._work > _MOST_WORK:
                break
        self._depth -= 1
        return list(few) or [(Slot("?"),)]

    def _read(self, node: ast.expr, scope: _Scope) -> Iterable[Template]:
        match node:
            case ast.Constant(value=str(text)):
                return [joined([text])]
            case ast.JoinedStr(values=values):
                return self._side_by_side(values, scope)
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                return self.read(value, scope)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._side_by_side((left, right), scope)
            case ast.IfExp(body=body, orelse=orelse):
                return [*self.read(body, scope), *self.read(orelse, scope)]
            case ast.Name(id=name):
                return self._name(name, scope)
            case ast.Call():
                return self._call(node, scope)
        return [(Slot(ast.unparse(node)),)]

    def _side_by_side(self, nodes: Sequence[ast.expr], scope: _Scope) -> Iterator[Template]:
        for parts in product(*(self.read(node, scope) for node in nodes)):
            yield joined(piece for part in parts for piece in part)

    def _name(self, name: str, scope: _Scope) -> list[Template]:
        """By what the scope assigns, else what its callers hand in, else what the file or another function calls by this name."""
        if (scope, name) in self._open:
            return self._open[scope, name] or [(Slot(name),)]
        known = self._assigned(name, scope) or self._handed_in(name, scope) or self._assigned(name, self.tree)
        if not any(map(has_text, known)):
            for other, its_name in [key for key in self._bound if key[1] == name and key[0] not in (scope, self.tree)]:
                known = [*known, *self._assigned(its_name, other)]
        texts = [template for template in known if has_text(template)]
        # One slot is as good as another, since the caller tries every value for it; fewer keep the readings few.
        return texts if texts and len(texts) == len(known) else [*texts, (Slot(name),)]

    def _assigned(self, name: str, scope: _Scope) -> list[Template]:
        if (scope, name) in self._open:
            return self._open[scope, name]
        known = self._open[scope, name] = []
        for node in self._bound.get((scope, name), ()):
            values = self.read(node.value, scope)
            if isinstance(node, ast.AugAssign):
                pairs = islice(product(known, values), _MOST_READINGS)
                values = [joined((*before, *value)) for before, value in pairs]
            known += [value for value in values if _of_a_prompt(value)]
            del known[:-_MOST_READINGS]
        return self._open.pop((scope, name))

    def _handed_in(self, name: str, scope: _Scope) -> list[Template]:
        if isinstance(scope, ast.Module):
            return []
        names = [argument.arg for argument in (*scope.args.posonlyargs, *scope.args.args) if argument.arg not in ("self", "cls")]
        if name not in names and name not in [argument.arg for argument in scope.args.kwonlyargs]:
            return []
        known: list[Template] = [(Slot(name),)]
        self._open[scope, name] = []
        for call, caller in self._calls.get(scope.name, ()):
            named = [keyword.value for keyword in call.keywords if keyword.arg == name]
            placed = call.args[names.index(name) :][:1] if name in names else []
            for node in (*named, *placed):
                known += self.read(node, caller)
        del self._open[scope, name]
        return known

    def _call(self, node: ast.Call, scope: _Scope) -> Iterable[Template]:
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr="strip" | "lstrip" | "rstrip" as how), args=[]):
                return (_stripped(template, how) for template in self.read(value, scope))
            case ast.Call(func=ast.Attribute(value=value, attr="replace"), args=[ast.Constant(value=str(old)), new]) if old:
                pairs = product(self.read(value, scope), self.read(new, scope))
                return (_replaced(template, old, by) for template, by in pairs)
            case ast.Call(func=ast.Attribute(value=value, attr="format")):
                return self._format(value, node, scope)
            case ast.Call(func=ast.Name(id="str"), args=[value]):
                return self.read(value, scope)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in self.functions:
                return chain([(Slot(ast.unparse(node)),)], self._returned(name))
        return [(Slot(ast.unparse(node)),)]

    def _format(self, value: ast.expr, call: ast.Call, scope: _Scope) -> Iterator[Template]:
        arguments: dict[str, ast.expr] = {str(number): node for number, node in enumerate(call.args)}
        arguments |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
        for parts in product(*(self.read(node, scope) for node in arguments.values())):
            for template in self.read(value, scope):
                yield from _formatted(template, dict(zip(arguments, parts, strict=True)))

    def _returned(self, name: str) -> Iterator[Template]:
        for function in self.functions[name]:
            if function not in self._inside:  # a function that calls itself says nothing new
                self._inside.append(function)
                known = [template for value in self._returns[function] for template in self.read(value, function)]
                self._inside.remove(function)
                yield from filter(has_text, known)


def _of_a_prompt(template: Template) -> bool:
    return len(template) <= _MOST_PIECES and _size(template) <= _LONGEST


def _size(template: Iterable[str | Slot]) -> int:
    return sum(len(piece) if isinstance(piece, str) else 1 for piece in template)


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, _Function):
            yield child
            yield from _outside_functions(child)


def _stripped(template: Template, how: str) -> Template:
    """As `str.strip` and its sisters do; a slot at the edge is left alone, since it is not known what it will hold."""
    pieces = list(template)
    if how != "rstrip" and pieces and isinstance(pieces[0], str):
        pieces[0] = pieces[0].lstrip()
    if how != "lstrip" and pieces and isinstance(pieces[-1], str):
        pieces[-1] = pieces[-1].rstrip()
    return joined(pieces)


def _replaced(template: Template, old: str, new: Template) -> Template:
    if sum(piece.count(old) for piece in template if isinstance(piece, str)) > _MOST_PIECES:
        return template
    pieces: list[str | Slot] = []
    for piece in template:
        first, *others = piece.split(old) if isinstance(piece, str) else (piece,)
        pieces.append(first)
        for text in others:
            pieces += (*new, text)
    return joined(pieces)


def _formatted(template: Template, values: Mapping[str, Template]) -> Iterator[Template]:
    """As `str.format` would; a field without a value is a slot. Nothing where the braces are no format."""
    pieces: list[str | Slot] = []
    numbers = iter(range(1000))
    for piece in template:
        if isinstance(piece, Slot):
            pieces.append(piece)
            continue
        try:
            parts = list(string.Formatter().parse(piece))
        except ValueError:
            return
        for text, name, spec, conversion in parts:
            pieces.append(text)
            if name is not None:
                if spec or conversion:
                    return
                key = name or str(next(numbers, 0))
                pieces += values.get(key, (Slot(key),))
            if len(pieces) > 4 * _MOST_PIECES:
                return
    yield joined(pieces)
