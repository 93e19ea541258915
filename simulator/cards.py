"""The templates of an account: what a template message or a subscription notification may say."""

from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from simulator import values
from simulator.content import Row

TEMPLATE, SUBSCRIPTION = "template", "subscription"
ONCE, LONG = "once", "long"

TemplateId = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,128}\\Z")]
Words = Annotated[str, Meta(min_length=1, max_length=64)]


class UnfitError(ValueError):
    """A value that a template's field cannot hold; the text names the field."""


class CardField(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One line of a card: `key` tells the type, as `thing1`; `values` are all that an enum may be."""

    key: Annotated[str, Meta(min_length=1, max_length=40)]
    name: Words
    values: tuple[Words, ...] = ()


class Template(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A template as it stands in the account's console; `term` only where citizens subscribe to it."""

    template_id: TemplateId
    title: Words
    type: Literal["template", "subscription"]
    fields: Annotated[tuple[CardField, ...], Meta(min_length=1, max_length=20)]
    term: Literal["once", "long"] | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a template that the platform could not have."""
        if (self.type == SUBSCRIPTION) != (self.term is not None):
            raise ValueError(f"term is {ONCE} or {LONG} for a subscription, and nothing for a template")
        keys = [field.key for field in self.fields]
        if len(set(keys)) < len(keys):
            raise ValueError("two fields have the same key")
        for key in keys:
            if not values.type_of(key):
                raise ValueError(
                    f"{key!r} is no key: one of {', '.join(values.RULES)}, and a number after it"
                )

    def rows(self, said: dict[str, str | None]) -> tuple[Row, ...]:
        """The card's lines; what no line is for is left out. Raises UnfitError naming the first bad field."""
        return tuple(
            [_row(field.key, field.name, field.values, said.get(field.key)) for field in self.fields]
        )


@lru_cache(maxsize=8192)  # a notice to a hundred thousand says the same to each: checked and kept once
def _row(key: str, name: str, listed: tuple[str, ...], value: str | None) -> Row:
    if not value:
        raise UnfitError(f"data.{key}.value is empty")
    if not values.fits(values.type_of(key), value) or value not in (listed or (value,)):
        raise UnfitError(f"data.{key}.value invalid")
    return Row(key, name, value)
