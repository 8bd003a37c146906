"""The public library: what `siuo run`, `report` and `export` do, for programs and notebooks. Nothing here prints."""
