"""Real faults against the real program: what a run survives, as tests and as the table of `docs/reliability.md`."""
