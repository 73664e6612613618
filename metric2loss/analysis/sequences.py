"""Python's own `sorted`, `max`, `min` and `heapq` over scores: an order or a choice of the items by their keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import libcst as cst

from metric2loss.analysis.facts import Each, Keyed, Level, Site, Value, at_least, top

if TYPE_CHECKING:
    from metric2loss.analysis.expressions import Context, Env, Expressions

# qualified name → (rule, name of the runtime's operation, position of the items)
SELECTIONS: Mapping[str | None, tuple[str, str, int]] = {
    "sorted": ("order", "sorted", 0),
    "heapq.nlargest": ("order", "nlargest", 1),
    "heapq.nsmallest": ("order", "nsmallest", 1),
    "max": ("choose", "first_argmax", 0),
    "min": ("choose", "first_argmin", 0),
}


def selection(
    expressions: Expressions, node: cst.Call, qualified: str, arguments: Sequence[Value], env: Env, at: Context
) -> Value | None:
    """The level of the arranged or chosen items, when their keys are scores; None when it is no step."""
    rule, using, place = SELECTIONS[qualified]
    positional = [a for a in node.args if a.keyword is None]
    if len(positional) != place + 1:
        return None  # `max(a, b)` is a value
    items = positional[place].value
    key = next((a.value for a in node.args if a.keyword is not None and a.keyword.value == "key"), None)
    value = arguments[node.args.index(positional[place])]
    member = value[0] if isinstance(value, Keyed) else tuple(value) if isinstance(value, Each) else top(value)
    level = _key_level(expressions, key, member, env, at)
    if level is not Level.ACTIVE or (key is None and not isinstance(member, tuple)):
        return None  # passive keys, or the scores themselves: `max(scores)` is a value
    rest = tuple(
        a.with_changes(comma=cst.MaybeSentinel.DEFAULT)
        for a in node.args
        if a is not positional[place] and not (a.keyword is not None and a.keyword.value == "key")
    )
    site = Site(rule, using, node, (items,), at.statement, rest=rest, key=key or cst.Name("sorted"))
    expressions.note(site, at)
    if rule == "choose" or not isinstance(value, tuple):
        return at_least(member, Level.DISCRETE)
    return at_least(Each(member) if isinstance(member, tuple) else member, Level.DISCRETE)


def _key_level(expressions: Expressions, key: cst.BaseExpression | None, member: Value, env: Env, at: Context) -> Level:
    if key is None:
        return top(member[0]) if isinstance(member, tuple) and member else top(member)
    if isinstance(key, cst.Lambda) and len(key.params.params) == 1:
        inner = dict(env)
        inner[key.params.params[0].name.value] = (member, frozenset())
        return top(expressions.value(key.body, inner, at))
    if isinstance(key, cst.Attribute) and key.attr.value in ("get", "__getitem__"):
        return top(expressions.value(key.value, env, at))
    if (
        isinstance(key, cst.Call)
        and expressions.qualified(key.func, env) == "operator.itemgetter"
        and len(key.args) == 1
    ):
        place = key.args[0].value
        if isinstance(member, tuple) and isinstance(place, cst.Integer) and int(place.value) < len(member):
            return top(member[int(place.value)])
    if isinstance(key, cst.Name) and key.value in expressions.program.functions and key.value not in env:
        function = expressions.program.functions[key.value]
        if len(function.parameters) == 1:
            facts = expressions.call_own(function, (member,))
            if not facts.sites:
                return top(facts.result)
        return Level.PASSIVE
    return max(top(member), top(expressions.recorder.levels.get(key, Level.PASSIVE)))
