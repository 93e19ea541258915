"""The journal of taps: whole after a power cut at any byte, and no number comes twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gate import files
from gate import journal as journals
from gate.clock import Clock
from gate.faults import OutOfOrder
from gate.journal import Journal, Place
from tests.support.program import ROOT
from tests.support.ride_codes import NOW, shown

HERE: Place = ("in", "zhongnan", "2", None)
NONCES = [number.to_bytes(8) for number in range(4)]


def journal(folder: Path) -> Journal:
    return Journal(folder / "taps", Clock(lambda: float(NOW)), 20)


def noted(folder: Path) -> list[int]:
    """The numbers a gate finds after a power cut."""
    again = journal(folder)
    try:
        return [tap.seq for tap in again.pending()]
    finally:
        again.close()


@pytest.fixture
def written(tmp_path: Path) -> tuple[bytes, list[int]]:
    """A file with three taps, one of them at the server already, and their numbers."""
    book = journal(tmp_path)
    seqs = [book.append(NOW * 1000, HERE, shown(nonce=nonce)).seq for nonce in NONCES[:3]]
    book.done(seqs[:1])
    book.close()
    return (tmp_path / "taps").read_bytes(), seqs


def test_a_file_cut_off_at_any_byte_has_every_whole_record(
    tmp_path: Path, written: tuple[bytes, list[int]]
) -> None:
    whole, seqs = written
    lines = whole.splitlines(keepends=True)
    assert len(lines) == 5, "where numbering goes on, three taps, one that the server has"
    ends = [sum(map(len, lines[:number])) for number in range(1, 6)]
    for cut in range(len(whole) + 1):
        (tmp_path / "taps").write_bytes(whole[:cut])
        taps = [seq for seq, end in zip(seqs, ends[1:4], strict=True) if cut >= end]
        assert noted(tmp_path) == [seq for seq in taps if cut < ends[4] or seq != seqs[0]], cut


def test_after_any_cut_the_next_number_is_a_new_one(tmp_path: Path, written: tuple[bytes, list[int]]) -> None:
    whole, _seqs = written
    for cut in range(0, len(whole) + 1, 7):
        (tmp_path / "taps").write_bytes(whole[:cut])
        book = journal(tmp_path)
        before = {tap.seq for tap in book.pending()}
        assert book.append(NOW * 1000, HERE, shown(nonce=NONCES[3])).seq not in before
        book.close()
        assert len(noted(tmp_path)) == len(before) + 1


def test_a_damaged_line_in_the_middle_costs_no_other(
    tmp_path: Path, written: tuple[bytes, list[int]]
) -> None:
    whole, seqs = written
    place = whole.index(b"zhongnan", whole.index(b"zhongnan") + 1)
    (tmp_path / "taps").write_bytes(whole[:place] + b"Z" + whole[place + 1 :])
    assert noted(tmp_path) == [seqs[2]]
    assert b"Zhongnan" in (tmp_path / "taps.damaged").read_bytes(), "kept for a person to look at"


def test_any_damaged_byte_is_noticed(tmp_path: Path, written: tuple[bytes, list[int]]) -> None:
    whole, seqs = written
    for place in range(0, len(whole), 5):
        (tmp_path / "taps").write_bytes(whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :])
        assert set(noted(tmp_path)) <= set(seqs)
        assert (tmp_path / "taps.damaged").exists(), place
        (tmp_path / "taps.damaged").unlink()


def test_a_wiped_disk_does_not_begin_at_one_again(tmp_path: Path, written: tuple[bytes, list[int]]) -> None:
    _whole, seqs = written
    (tmp_path / "taps").unlink()
    later = Journal(tmp_path / "taps", Clock(lambda: NOW + 60.0), 20)
    assert later.append(NOW * 1000, HERE, shown()).seq > max(seqs)
    later.close()


def test_numbers_go_on_when_all_taps_are_gone(tmp_path: Path, written: tuple[bytes, list[int]]) -> None:
    _whole, seqs = written
    book = journal(tmp_path)
    book.done(seqs)
    book.close()
    later = Journal(tmp_path / "taps", Clock(lambda: NOW + 3600.0), 20)
    assert later.pending() == []
    assert later.append(NOW * 1000, HERE, shown()).seq == seqs[-1] + 1
    later.close()


def test_a_journal_that_grew_is_written_anew_while_it_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gate.journal._COMPACT_BYTES", 2000)
    moment = [float(NOW)]
    book = Journal(tmp_path / "taps", Clock(lambda: moment[0]), 20)
    for number in range(50):
        moment[0] += 60
        tap = book.append(int(moment[0] * 1000), HERE, shown(int(moment[0]), number.to_bytes(8)))
        book.done([tap.seq])
    book.append(int(moment[0] * 1000), HERE, shown(int(moment[0])))
    assert (tmp_path / "taps").stat().st_size < 5000
    assert len(book.pending()) == 1
    book.close()
    assert len(noted(tmp_path)) == 1


WRITER = """
import sys
from pathlib import Path
from gate import files
from gate import journal as journals
from gate.clock import Clock
from gate.faults import OutOfOrder
from gate.journal import Journal
from tests.support.ride_codes import shown
book = Journal(Path(sys.argv[1]) / "taps", Clock(), 20)
while True:
    print(book.append(1795395600000, ("in", "zhongnan", "2", None), shown()).seq, flush=True)
"""


@pytest.mark.parametrize("again", [False, True], ids=["once", "and once more"])
def test_a_folder_that_could_not_be_kept_cost_the_next_tap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """The smaller file was cut to the length of the one before, and the next tap stood behind zeros."""
    now = [float(NOW)]
    book = Journal(tmp_path / "taps", Clock(lambda: now[0]), 20)
    seqs = [book.append(NOW * 1000, HERE, shown(nonce=b"%08d" % number)).seq for number in range(40)]
    now[0] += 3600
    keep = files.keep_folder

    def fails(_folder: Path) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(journals, "_COMPACT_BYTES", 1)
        broken.setattr(files, "keep_folder", fails)
        book.done(seqs)
        if again:
            with pytest.raises(OutOfOrder):
                book.append(NOW * 1000, HERE, shown(nonce=NONCES[0]))
    assert files.keep_folder is keep
    last = book.append(NOW * 1000, HERE, shown(nonce=NONCES[1])).seq
    book.close()
    assert noted(tmp_path) == [last]
    assert not (tmp_path / "taps.damaged").exists()


def test_a_gate_killed_in_the_middle_has_every_tap_for_which_it_opened(tmp_path: Path) -> None:
    known: list[int] = []
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            text=True,
        )
        assert writer.stdout is not None
        with writer.stdout:
            known += [int(writer.stdout.readline()) for _ in range(20)]
            writer.send_signal(signal.SIGKILL)
            known += [int(line) for line in writer.stdout if line.endswith("\n")]
        writer.wait(10)
    found = noted(tmp_path)
    assert set(known) <= set(found)
    assert len(found) == len(set(found)), "and no number came twice"
    assert len(found) <= len(known) + 3, "at most the last of each was written and not told"
