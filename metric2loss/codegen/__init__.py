"""Turns factors into the text of a loss module: the user's lines, cut into f and g, and what they need around them."""

from metric2loss.codegen.module import generate

__all__ = ["generate"]
