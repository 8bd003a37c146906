"""The life of a run: its directory, its journal, its samples, its scoreboard."""
