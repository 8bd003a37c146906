"""Runs made from files of others, and files for others made from runs."""
