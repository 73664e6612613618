"""Alters one step of compiled programs and counts how often the self-checks notice."""
