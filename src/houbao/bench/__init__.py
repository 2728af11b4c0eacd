"""Benchmarks: every figure beside the bare work in the same run."""
