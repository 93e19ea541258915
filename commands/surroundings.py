"""What a gateway is given from outside."""

from dataclasses import dataclass
from pathlib import Path

from commands.places import TEMPLATES
from core.clock import Clock
from core.seal import Seal
from settings import Settings


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a gateway is given from outside: its settings, where the stores are, its keys, time and words."""

    settings: Settings
    redis_url: str
    database_url: str
    seal: Seal
    clock: Clock
    templates: Path = TEMPLATES
