"""Evaluate multimodal model APIs on cross-modality safety benchmarks."""

__version__ = "0.1.0"
