"""Measured speed, as ratios against a bare loop in the same run; never a timed test."""
