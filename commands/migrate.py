"""`migrate`: bring the database's schema up to date."""

import asyncio

from commands import places, terminal
from commands.gateway import Assemble
from commands.places import MIGRATIONS
from core.stores import migrations
from settings import Settings


def migrate(settings: Settings, _assemble: Assemble) -> int:
    """Apply what is missing and say what it was."""
    applied = asyncio.run(migrations.migrate(places.database(settings.stores), MIGRATIONS))
    for name in applied:
        terminal.say(f"applied {name}")
    if not applied:
        terminal.say("the schema is up to date")
    return 0
