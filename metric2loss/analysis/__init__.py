"""Turns a Program into facts: what is active, where the steps are, what depends on what, what the rest can tell apart."""
