"""Typed tables read from one TOML file and the environment; all that is wrong is named at once."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import msgspec
from msgspec import Meta

from core.errors import BootError

PREFIX = "BIANMIN_"
# What `extra` marks secret may be a `file:` reference and is never shown in an error.
HIDDEN: dict[str, Any] = {"secret": True}


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the file; each key has a default. Printed, it keeps its secrets."""

    def __repr__(self) -> str:
        hints = get_type_hints(type(self), include_extras=True)
        shown = (
            f"{key}={'…' if value and _is_secret(hints[key]) else repr(value)}"
            for key, value in msgspec.structs.asdict(self).items()
        )
        return f"{type(self).__name__}({', '.join(shown)})"


Shape = TypeVar("Shape", bound=Section)


def read(path: Path, *, variable: str) -> dict[str, Any]:
    """The tables of a file; one that is not there is empty, unless a `variable` names it."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if variable:
            raise BootError(f"{path} is not there; it is what {variable} names") from None
        return {}
    except OSError as unreadable:
        raise BootError(f"{path} cannot be read: {unreadable.strerror}") from None
    except UnicodeDecodeError:
        raise BootError(f"{path.name} is not UTF-8 text; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as broken:
        raise BootError(f"{path.name} is not TOML: {broken}") from None


def overridden(values: dict[str, Any], environ: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Lay `BIANMIN_<SECTION>__<KEY>` and `BIANMIN_ACCOUNTS__<NAME>__<KEY>` over the file's values.

    Returns the values, and which variable each overridden setting comes from.
    """
    variables: dict[str, str] = {}
    for variable, value in sorted(environ.items()):
        if not variable.startswith(PREFIX) or "__" not in variable:
            continue
        *tables, key = variable.removeprefix(PREFIX).lower().split("__")
        place = values
        for table in tables:
            inner = place.setdefault(table, {})
            if not isinstance(inner, dict):
                raise BootError(f"{variable} names a key in {table}, which is no table")
            place = inner
        place[key] = value
        variables[".".join((*tables, key))] = variable
    return values, variables


class Reader:
    """Turns the tables of a settings file into sections and collects everything wrong with them."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._folder = folder  # what `file:` references are relative to
        self._variables = variables  # settings that come from the environment, and its name for them
        self.problems: list[str] = []

    def named(self, shape: type[Shape], group: str, given: object, name: Any) -> dict[str, Shape]:
        """Read every `[group.<key>]`; `name` is the type of a key."""
        if not isinstance(given, dict):
            self.problems.append(f"{group} must be tables such as [{group}.city]")
            return {}
        for key in given:
            if fault := fault_of(key, name):
                self.problems.append(f"[{group}.{key}]: the name is not {fault}")
        return {key: self.section(shape, f"{group}.{key}", values) for key, values in given.items()}

    def section(self, shape: type[Shape], name: str, given: object) -> Shape:
        """Read one table; a key that is unknown or bad is noted and its default stands."""
        if not isinstance(given, dict):
            self.problems.append(f"{name} must be a table: [{name}]")
            return shape()
        hints = get_type_hints(shape, include_extras=True)
        values: dict[str, Any] = {}
        for key, raw in given.items():
            if key not in hints:
                self._note(name, key, f" is no setting (there are {', '.join(hints)})")
                continue
            try:
                values[key] = self._value(raw, hints[key])
            except ValueError as fault:
                self._note(name, key, f": {fault}")
        return shape(**values)

    def _note(self, name: str, key: str, fault: str) -> None:
        """Note a fault so that its setting is found again: in the file, or by its variable."""
        variable = self._variables.get(f"{name}.{key}")
        self.problems.append(f"{name}.{key}{fault}" + (f" (set by {variable})" if variable else ""))

    def _value(self, raw: object, kind: Any) -> object:
        """One value as its setting wants it; `ValueError` says what is wrong and shows no secret."""
        secret = _is_secret(kind)
        value = raw
        if secret and isinstance(raw, str) and raw.startswith("file:"):
            path = self._folder / raw.removeprefix("file:")
            try:
                value = path.read_text("utf-8").strip()
            except OSError as unreadable:
                raise ValueError(f"{path} cannot be read: {unreadable.strerror}") from None
            except UnicodeDecodeError:
                raise ValueError(f"{path} is not UTF-8 text") from None
        fault = fault_of(value, kind)
        if fault:
            raise ValueError(f"{'what is given' if secret else repr(raw)} is not {fault}")
        return msgspec.convert(value, kind, strict=False)


def fault_of(value: object, kind: Any) -> str:
    """What `value` should have been, or "" where it is just that. Text counts as the number it spells."""
    if isinstance(value, bool) and not _is_yes_or_no(kind):  # msgspec would take true for 1
        return _expected(kind)
    try:
        msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        return _expected(kind)
    return ""


def _expected(kind: Any) -> str:
    meta = _meta(kind)
    if meta is not None and meta.description:
        return meta.description
    choices = getattr(kind, "__args__", ())
    return f"one of {', '.join(choices)}" if choices else "text"


def _is_yes_or_no(kind: Any) -> bool:
    return getattr(kind, "__origin__", kind) is bool


def _meta(kind: Any) -> Meta | None:
    return next((each for each in getattr(kind, "__metadata__", ()) if isinstance(each, Meta)), None)


def _is_secret(kind: Any) -> bool:
    meta = _meta(kind)
    return meta is not None and meta.extra == HIDDEN
