"""Turns a parsed module into the program to compile: which functions, which parameters are scores, what names mean."""
