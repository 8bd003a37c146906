"""About how many tokens a call will use, learnt from what earlier calls of the endpoint used. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from siuo_async.values import Parameters, Picture, Prompt, Usage

_CHARS_PER_TOKEN, _TOKENS_PER_PICTURE = 4, 800
_FIRST_OUTPUT = 256.0
_WEIGHT = 0.1
"""Of the newest call in the running means."""


@dataclass(slots=True)
class TokenGuess:
    """Running means of one endpoint."""

    input_scale: float = 1.0
    """What calls really used, as a share of what their length says."""
    output: float | None = None

    def of(self, prompt: Prompt, parameters: Parameters, n: int) -> tuple[float, float]:
        """(input, output) tokens of a call."""
        output = _FIRST_OUTPUT if self.output is None else self.output
        cap = parameters.max_tokens
        return self.input_scale * _length(prompt), n * (output if cap is None else min(output, 4.0 * cap))

    def learn(self, prompt: Prompt, n: int, usage: Usage) -> None:
        """Takes what a call used."""
        if usage.input:
            self.input_scale += _WEIGHT * (usage.input / _length(prompt) - self.input_scale)
        if usage.output is not None:
            each = usage.output / max(n, 1)
            self.output = each if self.output is None else self.output + _WEIGHT * (each - self.output)


def _length(prompt: Prompt) -> float:
    """Tokens by length alone."""
    parts = [part for turn in prompt for part in turn.parts]
    pictures = sum(isinstance(part, Picture) for part in parts)
    return 1.0 + sum(len(part) for part in parts if isinstance(part, str)) / _CHARS_PER_TOKEN + _TOKENS_PER_PICTURE * pictures
