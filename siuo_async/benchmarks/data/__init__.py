"""The benchmarks' data: where they come from and where they are, and loaders that say clearly what is wrong with them."""
