"""What is known of providers: dialects, presets and the profiles of models. Values in, values out; no I/O but package data."""
