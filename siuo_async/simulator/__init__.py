"""A real HTTP server on loopback that speaks three providers' dialects, limits, refusals and faults.

It shares nothing with the rest of the package, so that a misreading of a wire format cannot pass its own test.

| object | role | lifetime |
|---|---|---|
| `Settings` | seed, latency, limits, keys | the process |
| `Persona` | what a simulated model does, as rates and switches | constant |
| `Dice` | hash -> decision | one request |
| `wire.Dialect` | one wire format: request -> `Asked`, answers or `Fault` -> `Reply` | constant |
| `Limits`, `Stats` | sliding windows and slots; counters behind `/stats` | until `/reset` |
"""

from siuo_async.simulator.personas import PERSONAS, Persona
from siuo_async.simulator.process import SimulatorProcess
from siuo_async.simulator.settings import Settings
from siuo_async.simulator.truth import Truth, truth_of, whole_truth_of

__all__ = ["PERSONAS", "Persona", "Settings", "SimulatorProcess", "Truth", "truth_of", "whole_truth_of"]
