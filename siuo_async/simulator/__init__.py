"""A real HTTP server on loopback that speaks three providers' dialects, limits, refusals and faults.

It shares nothing with the rest of the package, so that a misreading of a wire format cannot pass its own test.

| object | role | lifetime |
|---|---|---|
| `Settings` | seed, latency, limits, keys | the process |
| `Persona` | what a simulated model does, as rates and switches | constant |
| `Dice` | hash -> decision | one request |
| `wire.Dialect` | one wire format: request -> `Asked`, answers or `Fault` -> `Reply` | constant |
| `Limits` | requests, tokens and the day of each model, and slots: what is let in | until `/reset` |
| `Meter` | how one limit is counted: fixed windows, a sliding one, or a bucket | until `/reset` |
| `Spell` | trouble to order: errors, garbled replies, resets, silence, absence | for some seconds |
| `Stats` | counters behind `/stats` | until `/reset` |
"""

from siuo_async.simulator.limits import Admission, Limiter, Limits, LimitSettings
from siuo_async.simulator.personas import PERSONAS, Persona, persona_of
from siuo_async.simulator.process import SimulatorProcess
from siuo_async.simulator.settings import Settings
from siuo_async.simulator.trouble import Trouble
from siuo_async.simulator.truth import Truth, truth_of, whole_truth_of
from siuo_async.simulator.wire import Hints

__all__ = [
    "PERSONAS",
    "Admission",
    "Hints",
    "LimitSettings",
    "Limiter",
    "Limits",
    "Persona",
    "Settings",
    "SimulatorProcess",
    "Trouble",
    "Truth",
    "persona_of",
    "truth_of",
    "whole_truth_of",
]
