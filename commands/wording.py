"""Which templates the handlers of a bot name, found in their source: one that is missing is told at once."""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

from core.chat.router import Router
from core.chat.words import Words
from core.errors import BootError

# What a question's template is given besides, by the method of `Ask` that asks it.
_QUESTIONS: Mapping[str, frozenset[str]] = {
    "choice": frozenset({"options", "wish", "fitting"}),
    "confirm": frozenset({"it"}),
    "text": frozenset({"it"}),
    "date": frozenset(),
    "place": frozenset(),
    "photo": frozenset(),
    "notice": frozenset({"said"}),
}


def require(router: Router, words: Words) -> None:
    """Refuse a bot one of whose handlers names a template that is not there, or hands it too little."""
    wrong = [line for module, domain in _modules(router) for line in _wrong_in(module, domain, words)]
    if wrong:
        raise BootError("; ".join(wrong))


def _modules(router: Router) -> list[tuple[ModuleType, str]]:
    """The modules with the handlers of a bot, each with its domain."""
    found = {route.handler.__module__: route.domain for route in router.routes()}
    return [(sys.modules[name], domain) for name, domain in found.items()]


def _wrong_in(module: ModuleType, domain: str, words: Words) -> Iterator[str]:
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if not isinstance(node, ast.Call) or (named := _named(node, domain)) is None:
            continue
        template, given = named
        where = f"{Path(module.__file__ or module.__name__).name} line {node.lineno}"
        if not words.has(template):
            yield f"templates/{template}.txt is not there; {where} names it"
        elif given is not None and (lacking := words.wants(template) - given):
            yield f"templates/{template}.txt wants {', '.join(sorted(lacking))}; {where} does not say it"


def _named(call: ast.Call, domain: str) -> tuple[str, frozenset[str] | None] | None:
    """The template a call names, and the facts it hands over (None: not to be seen from here)."""
    first = call.args[0] if call.args else None
    if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
        return None
    match call.func:
        case ast.Name(id="Text" | "Link"):
            keys = [keyword.arg for keyword in call.keywords]
            return first.value, None if None in keys else frozenset(key for key in keys if key)
        case ast.Attribute(value=ast.Name(id="ask"), attr=asked) if asked in _QUESTIONS:
            return f"{domain}/{first.value}", _QUESTIONS[asked]
        case ast.Attribute(value=ast.Name(id="ask"), attr="wish") if len(call.args) > 1:
            return f"{domain}/{first.value}_wish", frozenset({"it"})
    return None
