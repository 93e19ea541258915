"""Communities: where people live, and who lives there."""

from services.community.doors import Doors, Listed
from services.community.homes import Homes, HomeWish, room_of
from services.community.places import Places

__all__ = ["Doors", "HomeWish", "Homes", "Listed", "Places", "room_of"]
