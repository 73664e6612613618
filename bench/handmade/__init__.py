"""Losses people write by hand, each from its published formula: what a compiled loss is measured against.

All take `(scores, *targets)` as the metric of their task does, and return a scalar to minimise.
"""
