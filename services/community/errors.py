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


class NoSuchPlace(DomainError):
    """Nobody lives in a place of this id: there is none, or it has parts of which one is meant."""

    code = "no_such_place"


class PlaceNotFound(DomainError):
    """No compound, community or village has a name like `said`."""

    code = "place_not_found"


class RoomStrange(DomainError):
    """No room is called like this."""

    code = "room_strange"


class HomeKnown(DomainError):
    """The citizen has this home: `active`, or asked for."""

    code = "home_known"


class TooManyHomes(DomainError):
    """Nobody has more than `most` homes, or asks for more in a week."""

    code = "too_many_homes"


class NoSuchHome(DomainError):
    """There is no such home, or it is not the asker's to speak of."""

    code = "no_such_home"


class HomeDecided(DomainError):
    """Somebody else has decided it, or it is over; `state`."""

    code = "home_decided"


class ReasonMissing(DomainError):
    """Who says no says why: `least` to `most` characters."""

    code = "reason_missing"


class TagStrange(DomainError):
    """A door has at most `most` tags of at most `longest` characters."""

    code = "tag_strange"


class DoorElsewhere(DomainError):
    """Nobody knows a place of these names in this community: `path`."""

    code = "door_elsewhere"
