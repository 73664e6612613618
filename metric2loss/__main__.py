"""Turns `python -m metric2loss` into the command `metric2loss`."""

from metric2loss.cli import main

if __name__ == "__main__":
    main(prog_name="metric2loss")
