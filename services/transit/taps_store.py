"""The statements on taps, grants and what is kept aside, one function each."""

import base64
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import NamedTuple

import msgspec

from core.stores.database import Transaction
from gate.code import UsedKey
from services.transit.model import Device, Reason, Sent
from services.transit.pairing import Way

Day = tuple[str, date]


@dataclass(frozen=True, slots=True)
class GrantRow:
    """What was granted under an acct_ref."""

    account: str
    type: int
    cap_fen: int
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """An operator's decision on a tap."""

    who: str
    why: str
    at: datetime


class TapRow(NamedTuple):
    """A tap as it is written."""

    seq: int
    digest: bytes
    account: str
    acct_ref: bytes
    gen_time: int
    nonce: bytes
    companion: bool
    cap_fen: int
    at: datetime
    day: date
    way: str

    @property
    def used_key(self) -> UsedKey:
        """What makes two codes the same one."""
        return self.acct_ref, self.gen_time, self.nonce


class Standing(NamedTuple):
    """A tap that counts."""

    id: int
    device: str
    seq: int
    at: datetime
    day: date
    acct_ref: bytes
    gen_time: int
    nonce: bytes

    @property
    def used_key(self) -> UsedKey:
        """What makes two codes the same one."""
        return self.acct_ref, self.gen_time, self.nonce


async def take_turn(tx: Transaction, device: str) -> None:
    """Let no other batch of this gate in before the transaction is over; LookupError for no gate."""
    found = await tx.execute("SELECT FROM transit_devices WHERE id = $1 FOR NO KEY UPDATE", device)
    if found != "SELECT 1":
        raise LookupError(f"no gate {device}")


async def grants(tx: Transaction, acct_refs: Collection[bytes]) -> dict[bytes, GrantRow]:
    """Whose each of these is."""
    rows = await tx.fetch(
        """
        SELECT acct_ref, account, type, cap_fen, issued_at, expires_at FROM transit_grants
        WHERE acct_ref = ANY($1)
        """,
        list(acct_refs),
    )
    return {row[0]: GrantRow(*row[1:]) for row in map(tuple, rows)}


async def add(
    tx: Transaction, device: Device, rows: Sequence[TapRow], now: datetime, *, counted: bool
) -> set[int]:
    """Write a gate's taps down; the numbers of those that were not there, by number or by code."""
    if not rows:
        return set()
    columns = list(zip(*in_order(rows), strict=True))
    found = await tx.fetch(
        """
        INSERT INTO transit_taps (device, line, station, vehicle, arrived_at, counted, seq, digest, account,
                                  acct_ref, gen_time, nonce, companion, cap_fen, at, day, way)
        SELECT $1, $2, $3, $4, $5, $6, * FROM unnest(
            $7::bigint[], $8::bytea[], $9::text[], $10::bytea[], $11::bigint[], $12::bytea[], $13::boolean[],
            $14::integer[], $15::timestamptz[], $16::date[], $17::text[])
        ON CONFLICT DO NOTHING RETURNING seq
        """,
        *astuple(device),
        now,
        counted,
        *columns,
    )
    return {row[0] for row in found}


def in_order(rows: Sequence[TapRow]) -> list[TapRow]:
    """One order for all gates: two that upload the same codes at once wait for one another, never both."""
    return sorted(rows, key=lambda row: (row.used_key, row.seq))


async def standing(tx: Transaction, codes: Collection[UsedKey]) -> list[Standing]:
    """The taps that count of these codes, which nobody else changes until the transaction is over."""
    rows = await tx.fetch(
        """
        SELECT t.id, t.device, t.seq, t.at, t.day, t.acct_ref, t.gen_time, t.nonce
        FROM unnest($1::bytea[], $2::bigint[], $3::bytea[]) AS c (acct_ref, gen_time, nonce)
        JOIN transit_taps t ON (t.acct_ref, t.gen_time, t.nonce) = (c.acct_ref, c.gen_time, c.nonce)
        WHERE t.counted ORDER BY t.acct_ref, t.gen_time, t.nonce FOR NO KEY UPDATE OF t
        """,
        *zip(*codes, strict=True),
    )
    return [Standing(*row) for row in map(tuple, rows)]


async def swap(tx: Transaction, device: Device, taps: Sequence[tuple[int, int]]) -> None:
    """Let a gate's taps (their numbers, second) count in the place of others (their ids, first)."""
    if not taps:
        return
    ids, seqs = zip(*taps, strict=True)
    await tx.execute("UPDATE transit_taps SET counted = false WHERE id = ANY($1)", list(ids))
    await tx.execute(
        "UPDATE transit_taps SET counted = true WHERE device = $1 AND seq = ANY($2)", device.id, list(seqs)
    )


async def digests(tx: Transaction, device: str, seqs: Sequence[int]) -> dict[int, bytes]:
    """What stands under these numbers of a gate."""
    if not seqs:
        return {}
    rows = await tx.fetch(
        "SELECT seq, digest FROM transit_taps WHERE device = $1 AND seq = ANY($2)", device, list(seqs)
    )
    return {row[0]: row[1] for row in rows}


async def mark_due(tx: Transaction, days: Collection[tuple[str, date]], now: datetime) -> None:
    """These accounts and days are to be paired anew."""
    if not days:
        return
    accounts, dates = zip(*sorted(days), strict=True)  # in one order, so that no two wait for each other
    await tx.execute(
        """
        INSERT INTO transit_due (account, day, since)
        SELECT a, d, $3 FROM unnest($1::text[], $2::date[]) AS x (a, d)
        ON CONFLICT (account, day) DO UPDATE SET since = excluded.since, not_before = NULL
        """,
        list(accounts),
        list(dates),
        now,
    )


async def put_aside(
    tx: Transaction, device: str, taps: Sequence[tuple[Sent, bytes, Reason]], now: datetime
) -> None:
    """Keep what nobody believes, as it was sent."""
    if not taps:
        return
    await tx.execute(
        """
        INSERT INTO transit_quarantine (device, arrived_at, seq, digest, reason, said)
        SELECT $1, $2, * FROM unnest($3::bigint[], $4::bytea[], $5::text[], $6::jsonb[])
        ON CONFLICT DO NOTHING
        """,
        device,
        now,
        [sent.seq for sent, _, _ in taps],
        [digest for _, digest, _ in taps],
        [reason.value for _, _, reason in taps],
        [_said(sent) for sent, _, _ in taps],
    )


async def aside(tx: Transaction, number: int) -> tuple[Device, Sent, bytes]:
    """A tap that is kept aside, and its gate as it is registered; LookupError for none."""
    row = await tx.fetchrow(
        """
        SELECT d.id, d.line, d.station, d.vehicle, q.said, q.digest
        FROM transit_quarantine q JOIN transit_devices d ON d.id = q.device
        WHERE q.id = $1 AND q.taken_at IS NULL FOR NO KEY UPDATE OF q
        """,
        number,
    )
    if row is None:
        raise LookupError(f"nothing is kept aside under {number}")
    said = msgspec.json.decode(row["said"])
    said |= {"way": Way(said["way"]), "code": base64.b64decode(said["code"])}
    return Device(*tuple(row)[:4]), Sent(**said), row["digest"]


async def taken_in(tx: Transaction, number: int, decided: Decided) -> None:
    """Note that it counts now, and who decided so."""
    await tx.execute(
        "UPDATE transit_quarantine SET taken_at = $2, taken_by = $3, taken_why = $4 WHERE id = $1",
        number,
        decided.at,
        decided.who,
        decided.why,
    )


def _said(sent: Sent) -> str:
    seq, at, way, line, code, station, vehicle = astuple(sent)
    said = {"seq": seq, "at": at, "way": way, "line": line, "station": station, "vehicle": vehicle}
    return msgspec.json.encode(said | {"code": base64.b64encode(code).decode()}).decode()
