"""Communities: where people live, and who lives there."""

from services.community.homes import Homes, HomeWish, room_of
from services.community.places import Places

__all__ = ["HomeWish", "Homes", "Places", "room_of"]
