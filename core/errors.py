"""Refusals and failures the whole house understands."""

from typing import ClassVar


class DomainError(Exception):
    """A refusal with a stable `code` and the facts its sentence needs (`templates/errors/<code>.txt`).

    Subclasses set `code`; facts are keyword arguments and reach the template under their own names.
    A refusal leaves no trace in the database: it rolls its transaction back. `stranger`: whoever asked is
    not known any more, so the next message introduces them anew.
    """

    code: ClassVar[str] = "refused"
    stranger: ClassVar[bool] = False

    def __init__(self, **facts: object) -> None:
        super().__init__(self.code)
        self.facts = facts

    def __str__(self) -> str:
        """Code and names of the facts; their values may be personal and stay out of logs."""
        return f"{self.code}({', '.join(sorted(self.facts))})"


class StoreGoneError(Exception):
    """Redis or PostgreSQL cannot be reached; nothing is known to have happened unless said otherwise."""

    def __init__(self, store: str) -> None:
        super().__init__(f"{store} cannot be reached")
        self.store = store


class NotInTimeError(Exception):
    """An attempt of WeChat's has no answer in its time; its message is not lost, the next one may get it."""

    def __init__(self, because: object = "") -> None:
        super().__init__(f"no answer in time: {because}" if because else "no answer in time")


class BootError(Exception):
    """Something a person has to put right before the program can start; one line, exit code 2."""
