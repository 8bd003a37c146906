"""What a run costs, in words for the screen and the plain log: so far, of what budget, and in all when it goes on like this."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from siuo_async.engine.budget import Budget
from siuo_async.engine.eta import calls_left, parts_of
from siuo_async.engine.scoreboard import ModelBoard
from siuo_async.engine.session import SessionState
from siuo_async.engine.spending import PICO, Spent
from siuo_async.report.text import money

_WIDE = 100
_BAR, _SHORT_BAR = 30, 10
_NARROW = 60


def spent_pico(boards: Sequence[ModelBoard]) -> tuple[int, int]:
    """What the answers and what the verdicts so far cost, in 10^-12 USD."""
    return sum(board.generation.pico_usd for board in boards), sum(board.judging.pico_usd for board in boards)


def projected_pico(state: SessionState) -> float | None:
    """What all samples will have cost, in 10^-12 USD; None while nobody can say.

    What was spent, and for each role as many calls as are left, at what its calls cost so far.
    """
    total = 0.0
    for board in state.boards:
        total += board.generation.pico_usd + board.judging.pico_usd
        if board.pending <= board.stopped:
            continue
        left = list(parts_of([board], state.plan.benchmark, state.judge))
        spends = [board.generation] * (board.target.endpoint is not None) + [board.judging] * (state.judge is not None)
        for part, spend in zip(left, spends, strict=False):  # a model that was stopped has nothing left
            if calls := calls_left(part):
                if not spend.calls:
                    return None
                total += calls * spend.pico_usd / spend.calls
    return total


def in_words(state: SessionState, *, apart: bool) -> list[str]:
    """The parts of what is to be said, the most important first.

    Args:
        apart: answers and verdicts apart too.
    """
    answers, verdicts = spent_pico(state.boards)
    unpriced = any(board.generation.unpriced or board.judging.unpriced for board in state.boards)
    if state.budget is not None:
        words = [of_budget(state.budget)]
    elif unpriced:
        words = [f"{money((answers + verdicts) / PICO)} and more" if answers + verdicts else money(None)]
    else:
        words = [money((answers + verdicts) / PICO)]
    all_told = projected_pico(state)
    if all_told and not unpriced and any(board.pending > board.stopped for board in state.boards):
        words.append(f"about {money(all_told / PICO)} in all")
    if apart and verdicts:
        words.append(f"answers {money(answers / PICO)}, verdicts {money(verdicts / PICO)}")
    return words


def of_budget(budget: Budget) -> str:
    """`$0.42 of $1.00`; small budgets with more places."""
    places = 2 if budget.limit_usd >= 1 else 3 if budget.limit_usd >= 0.1 else 4
    return f"${budget.used_usd:.{places}f} of ${budget.limit_usd:.{places}f}"


def budget_line(state: SessionState, width: int) -> Text | None:
    """The budget as a bar: what is spent, what is held for calls on the wire; None where there is no budget."""
    if (budget := state.budget) is None:
        return None
    bar_width = _BAR if width >= 2 * _NARROW else 2 * _SHORT_BAR if width >= _NARROW else _SHORT_BAR
    spent = min(bar_width, int(bar_width * (budget.spent_pico + budget.kept_pico) / budget.limit_pico))
    held = min(bar_width - spent, -(-bar_width * budget.held_pico // budget.limit_pico))
    bar = Text("━" * spent, style="yellow") + Text("╍" * held, style="yellow dim") + Text("─" * (bar_width - spent - held), style="dim")
    line = Text(" budget ", style="dim")
    words = in_words(state, apart=width >= _WIDE)
    if budget.held_pico and width >= _WIDE:
        words.insert(1, f"at most {money(budget.held_pico / PICO)} on the wire")
    text = f" {words[0]}"
    for part in words[1:]:
        if bar_width + len(line.plain) + len(text) + len(part) + 3 > width:
            break
        text += f" · {part}"
    return bar + Text(text) if width < _NARROW else bar + line + Text(text[1:])


def at_the_end(spent: Spent) -> str:
    """What an invocation cost, for its last line."""
    now = f"{money(spent.now_usd)} spent"
    if spent.unpriced_calls:
        now = f"{now}, and more that nobody can tell" if spent.now_usd else "cost not known"
    if spent.budget_usd is None:
        return now
    kept = f", up to {money(spent.maybe_billed_usd)} of it for what may have been billed" if spent.maybe_billed_usd else ""
    return f"{now}, in all {money(spent.used_usd)} of the budget of {money(spent.budget_usd)}{kept}"
