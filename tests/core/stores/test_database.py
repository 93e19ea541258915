"""The contract of the database, on PostgreSQL of our own and on Debian's."""

from core.stores.database import Database


async def test_a_transaction_is_kept_when_its_block_ends(any_db: Database) -> None:
    async with any_db.transaction() as tx:
        await tx.execute("INSERT INTO effects (run, key, digest, result) VALUES ('r', 'k', '', 'x')")

    assert await any_db.fetchval("SELECT result FROM effects") == "x"
