"""Metrics of many hands and habits, with inputs and tests."""
