"""Wire formats, one module each, as pure functions; `base` holds what they have in common with the rest of the package."""
