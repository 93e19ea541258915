"""Services by what a handler calls them."""

from dataclasses import fields
from typing import Any, get_type_hints


def by_type(services: Any) -> dict[type, object]:
    """The parts of a dataclass by their declared types, whatever kind of each there is."""
    wanted = get_type_hints(type(services))
    return {wanted[each.name]: getattr(services, each.name) for each in fields(services)}
