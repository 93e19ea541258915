"""Brings to a phone what waits for it in the outbox, as the workers do: words, and the prompt they leave."""

from core.delivery import prompts
from core.delivery.letters import letters
from tests.support.talk import Talk

_WAITING = """
SELECT id, key, kind, sealed, guard_keys, guard_ns FROM outbox
WHERE conversation = $1 AND state IN ('queued', 'held') AND guards_hold(guard_keys, guard_ns) ORDER BY id
"""
# The database goes by its own time, whatever day it is there: a prompt lasts there as long as it does here.
IN_ITS_TIME = "UPDATE prompts SET at = $2, expires_at = expires_at + (now() - $2) WHERE message = $1"


async def arrives(talk: Talk) -> list[str]:
    """What was sent to this citizen since the last look."""
    db, came = talk.ground.db, []
    talk.later(seconds=5)
    for row in await db.fetch(_WAITING, talk.conversation):
        letter = letters.unpack(row["sealed"], talk.ground.seal, row["key"])
        guards = dict(zip(row["guard_keys"], row["guard_ns"], strict=True))
        async with db.transaction() as tx:
            await tx.execute(
                "UPDATE outbox SET state = 'accepted', settled_at = now() WHERE id = $1", row["id"]
            )
            await prompts.leave(tx, row["id"], talk.conversation, row["kind"], letter, guards)
            await tx.execute(IN_ITS_TIME, row["id"], talk.ground.clock.now())
        lines = [f"{digit} {label}" for digit, (_, label) in enumerate(letter.options, start=1)]
        came.append("\n".join((letter.text, *lines)))
    talk.later(seconds=5)
    return came
