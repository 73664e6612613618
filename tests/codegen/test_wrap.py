"""Lines that are too long: comments go above, arguments below each other, and the meaning stays."""

import ast

from metric2loss.codegen.wrap import wrapped

LONG = "a" * 50


def test_a_comment_goes_above():
    line = f"    x = steps.order.result(binaries.{LONG})  # line 3: np.argsort({LONG})"
    assert list(wrapped([line], "steps")) == [f"    # line 3: np.argsort({LONG})", line.partition("  # ")[0]]


def test_arguments_go_below_each_other():
    line = f"x = steps.select(steps.compare.result(b, '>'), {LONG} + 1, steps.select({LONG}, 1, {LONG}))"
    lines = list(wrapped([line], "steps"))
    assert all(len(part) <= 120 for part in lines)
    assert ast.dump(ast.parse("\n".join(lines))) == ast.dump(ast.parse(line))


def test_a_generator_is_no_list_of_arguments():
    line = (
        f"x = sum(1 for k, s in enumerate({LONG}) if (steps.compare.result(b[k]) and steps.compare.result({LONG}, c)))"
    )
    assert ast.dump(ast.parse("\n".join(wrapped([line], "steps")))) == ast.dump(ast.parse(line))


def test_lines_of_the_user_stay():
    line = f"x = f({LONG}, {LONG}, {LONG})"
    assert list(wrapped([line], "steps")) == [line]


def test_brackets_in_text_are_text():
    line = f"x = steps.choose.differences({LONG}, name='a, (b', other=\"c)\", last=({LONG}, 2))"
    assert ast.dump(ast.parse("\n".join(wrapped([line], "steps")))) == ast.dump(ast.parse(line))
