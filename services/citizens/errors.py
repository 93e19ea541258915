"""What is refused around bindings, and the facts each sentence needs (`templates/errors/<code>.txt`).

No fact is a name, an ID number or a phone, and none tells whether a person is known.
"""
# ruff: noqa: N818 - a refusal is named by what is the case

from core.errors import DomainError


class NoSuchBinding(DomainError):
    """There is no such binding or request, or it is somebody else's."""

    code = "no_such_binding"


class NotBound(DomainError):
    """The citizen may not act for this person, or not in this: `scope`, "" where any would do."""

    code = "not_bound"


class AlreadyBound(DomainError):
    """The citizen may act for this person already, and for all that was asked; `title` is 妈妈."""

    code = "already_bound"


class AlreadyProven(DomainError):
    """The citizen has proven who they are before; another person cannot be them."""

    code = "already_proven"


class TooManyPersons(DomainError):
    """B1: the citizen holds `most` persons, themselves and open requests counted."""

    code = "too_many_persons"


class TooManyAccounts(DomainError):
    """B2: `most` accounts hold the person. Said only where the person is proven."""

    code = "too_many_accounts"


class TooManyRequests(DomainError):
    """So many were made lately, by this citizen or for this person; again from `at`."""

    code = "too_many_requests"


class TooManyAttempts(DomainError):
    """No more codes for now, neither sent nor looked at; again from `at`, None for this request never."""

    code = "too_many_attempts"


class WrongCode(DomainError):
    """It is not the code, or there never was one; `left` more may be tried."""

    code = "wrong_code"

    def __init__(self, *, left: int) -> None:
        super().__init__(left=left)
        self.left = left


class NotInRoster(DomainError):
    """The institution does not know this guardian for this child; `institution` is its title."""

    code = "not_in_roster"


class SelfNotProven(DomainError):
    """Who the citizen is has to be proven first."""

    code = "self_not_proven"


class NoSuchWay(DomainError):
    """This request cannot be proven in this way."""

    code = "no_such_way"


class OtherPapers(DomainError):
    """The ID number on the papers is not the one that was entered with the request."""

    code = "other_papers"


class RequestOver(DomainError):
    """The request was decided before, or its time is over; `state` says which, in the binding's words."""

    code = "request_over"

    def __init__(self, *, state: str) -> None:
        super().__init__(state=state)
        self.state = state


class SelfStays(DomainError):
    """Nobody stops being themselves: only a binding to somebody else, or a proven self, is taken back."""

    code = "self_stays"
