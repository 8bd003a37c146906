"""What texts are read out of Python sources; all sources here are invented."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import siuo_async
from siuo_async.benchmarks.prompts.prompt_sources import Slot, Template, joined, readings, render


def read(source: str, *functions: str) -> list[Template]:
    return list(readings(ast.parse(textwrap.dedent(source)), functions))


def test_an_f_string_becomes_texts_and_slots() -> None:
    assert ("Q ", Slot("query"), " A ", Slot("row['a']"), ".") in read("def f(query, row):\n  return f\"Q {query} A {row['a']}.\"")


def test_doubled_braces_in_an_f_string_are_braces() -> None:
    assert ("{x} ", Slot("q")) in read('def f(q): return f"{{x}} {q}"')


@pytest.mark.parametrize(
    "call",
    [
        "template.format(question=q, gold=g)",
        "template.strip().format(question=q, gold=g)",
        "template.format(**row)",
        "template.replace('{question}', q).replace('{gold}', g).replace('{{', '{').replace('}}', '}')",
        "finish(template)",
    ],
)
def test_a_template_at_the_top_of_the_file_is_filled_where_a_function_uses_it(call: str) -> None:
    found = read(
        f'template = "Q {{question}} {{{{literally}}}} {{gold}}!"\ndef gen_message(q, g, row):\n    return {call}\n', "gen_message"
    )
    texts = [
        render(template, dict.fromkeys(("q", "question"), "1") | dict.fromkeys(("g", "gold"), "2"))
        for template in found
        if good(template)
    ]
    assert "Q 1 {literally} 2!" in texts


def good(template: Template) -> bool:
    return {piece.name for piece in template if isinstance(piece, Slot)} <= {"q", "question", "g", "gold"}


def test_positional_fields_of_a_format_are_filled_in_order() -> None:
    assert ("a ", Slot("x"), " b ", Slot("y")) in read("def f(x, y): return 'a {} b {}'.format(x, y)")


def test_texts_joined_by_plus_and_by_standing_side_by_side_are_one() -> None:
    assert ("one two ", Slot("q")) in read("def f(q):\n  a = 'one '\n  return a + ('two ' '') + q")


def test_a_text_built_up_in_steps_is_read_as_it_stands_at_the_end() -> None:
    assert ("one two ", Slot("q"), " three") in read(
        "def f(q):\n  a = 'one '\n  a += 'two '\n  a += f'{q}'\n  a = a + ' three'\n  return a"
    )


def test_stripping_takes_the_white_space_of_the_text_alone() -> None:
    assert ("x ", Slot("q")) in read("def f(q): return f'\\n x {q}'.strip()")


def test_both_branches_are_read() -> None:
    found = read("def f(q, yes):\n  a = 'yes ' if yes else 'no '\n  return a + q")
    assert ("yes ", Slot("q")) in found
    assert ("no ", Slot("q")) in found


def test_a_text_handed_to_another_function_is_followed() -> None:
    found = read(
        """
        async def first(question):
            job = f"Task: {question}"
            await second(question, "said", job_text=job)

        async def second(question, reply, job_text):
            messages.append({"role": "user", "content": "found\\n" + job_text})
        """,
        "second",
    )
    assert ("found\nTask: ", Slot("question")) in found


def test_a_text_handed_to_a_method_is_followed() -> None:
    found = read("class C:\n  def a(self, q):\n    return self.b(1, f'<{q}>')\n  def b(self, n, text):\n    return 'see ' + text", "b")
    assert ("see <", Slot("q"), ">") in found


def test_a_text_that_another_function_returns_is_followed() -> None:
    found = read("def wrap(found):\n  return f'<{found}>'\ndef f(x):\n  return 'see ' + wrap(x)", "f")
    assert ("see <", Slot("found"), ">") in found


def test_a_name_that_only_another_function_assigns_is_taken_from_there() -> None:
    assert ("b a") in [
        "".join(t) for t in read("def f():\n  a = 'a'\ndef g():\n  return 'b ' + a", "g") if len(t) == 1 and isinstance(t[0], str)
    ]


@pytest.mark.parametrize(
    "source", ["x = x", "def f(x): return f(f(x) + 'a')", "a = b + 'x'\nb = a + 'y'", "def f(x):\n  x += x\n  return x + 'a'"]
)
def test_sources_that_go_round_in_circles_come_to_an_end(source: str) -> None:
    assert len(read(source)) < 1000


def test_a_sum_of_a_thousand_texts_comes_to_an_end() -> None:
    assert read("a = " + " + ".join(["'a'"] * 300))


def test_every_module_of_this_package_can_be_read() -> None:
    for file in sorted(Path(siuo_async.__file__).parent.glob("benchmarks/*.py")):
        for template in readings(ast.parse(file.read_bytes()), ()):
            assert joined(template) == template


NAMES = st.sampled_from(["a", "b", "q"])
EXPRESSIONS = st.recursive(
    st.one_of(NAMES, st.sampled_from(["'x{q}'", "'{'", "''", "'{}{0}{a!r}'", "f'{a} {b!r:>3}'", "{}", "None"])),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"({two[0]} + {two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}).format({two[1]}, q={two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}).replace('{{q}}', {two[1]})"),
        inner.map(lambda one: f"({one}).strip()"),
        inner.map(lambda one: f"f({one})"),
    ),
    max_leaves=8,
)


@given(st.lists(st.tuples(NAMES, st.sampled_from(["=", "+="]), EXPRESSIONS), max_size=6), EXPRESSIONS)
def test_any_mixture_of_these_is_read_without_an_error(lines: list[tuple[str, str, str]], returned: str) -> None:
    body = "".join(f"    {name} {how} {value}\n" for name, how, value in lines)
    for template in readings(ast.parse(f"def f(a, b='d', *, q=None):\n{body}    return {returned}\n"), ("f",)):
        assert joined(template) == template
