"""Measurements of metric2loss; not part of the installed package."""
