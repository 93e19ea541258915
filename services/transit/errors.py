"""What the transit refuses, and the facts each sentence needs (`templates/errors/<code>.txt`)."""
# ruff: noqa: N818 - a refusal is named by what is the case

from core.errors import DomainError


class NotOpened(DomainError):
    """There is no account in use: it has to be opened first."""

    code = "transit_not_opened"


class InArrears(DomainError):
    """T3: `count` trips of together `fen` are not paid; no new code until they are."""

    code = "transit_in_arrears"


class Suspended(DomainError):
    """The operator has suspended the account."""

    code = "transit_suspended"


class Closing(DomainError):
    """The account is being closed."""

    code = "transit_closing"


class CodesUsedUp(DomainError):
    """C7: `most` codes were used today."""

    code = "transit_codes_used_up"


class PicturesUsedUp(DomainError):
    """`most` pictures of codes were made today."""

    code = "transit_pictures_used_up"


class TooManyCompanions(DomainError):
    """C5: `most` companions within `minutes`."""

    code = "transit_companions"


class TooSoon(DomainError):
    """C5: a companion's code comes `seconds` after one's own; or codes are asked for too often."""

    code = "transit_too_soon"


class StationUnknown(DomainError):
    """No station is called as was `said`; `near` are those with something of it in their names."""

    code = "transit_station_unknown"


class StationUnclear(DomainError):
    """Several stations may be meant by what was `said`: `near`."""

    code = "transit_station_unclear"


class NoLines(DomainError):
    """No line runs in this city."""

    code = "transit_no_lines"


class PictureAway(DomainError):
    """No picture can be sent just now."""

    code = "transit_picture_away"
