"""What communities refuse, and the facts each sentence needs (`templates/errors/<code>.txt`)."""
# ruff: noqa: N818 - a refusal is named by what is the case

from core.errors import DomainError


class CommunityCode(DomainError):
    """A community's statistical code has twelve digits."""

    code = "community_code"


class OtherName(DomainError):
    """Under this `code` stands another `name` of a place."""

    code = "place_other_name"


class PlaceTwice(DomainError):
    """The same place stands in row `row`, too."""

    code = "place_twice"


class HasUnits(DomainError):
    """The building stands with units in row `row`, and without in this one, or the other way round."""

    code = "building_has_units"


class Households(DomainError):
    """So many households: a whole number from 0 to `most`."""

    code = "households"
