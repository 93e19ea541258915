"""The key ring: one file, one owner, nothing that was sealed is ever lost."""

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import BootError
from core.seal import SealBrokenError
from core.stores import keys

ROOT = Path(__file__).parents[3]


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    """A ring just made."""
    keys.create(tmp_path / "keys")
    return tmp_path / "keys"


def test_what_was_sealed_opens_after_the_ring_was_read_again(tmp_path: Path) -> None:
    sealed = keys.create(tmp_path / "keys").seal(b"138 0000 1111", "phone")

    assert keys.load(tmp_path / "keys").open(sealed, "phone") == b"138 0000 1111"


def test_a_conversation_keeps_its_name(ring: Path) -> None:
    before = keys.load(ring).conversation("city", "o-1")

    assert keys.rotate(ring).conversation("city", "o-1") == before


def test_what_is_personal_is_found_again_after_a_rotation(ring: Path) -> None:
    before = keys.load(ring).fingerprint("11010519491231002X", "id_number")

    assert keys.rotate(ring).fingerprint("11010519491231002X", "id_number") == before


def test_only_the_owner_can_read_it_and_nothing_else_is_left_lying(ring: Path) -> None:
    assert stat.S_IMODE(ring.stat().st_mode) == 0o600
    assert list(ring.parent.iterdir()) == [ring]


def test_two_rings_have_nothing_in_common(tmp_path: Path) -> None:
    one, other = keys.create(tmp_path / "one"), keys.create(tmp_path / "other")

    with pytest.raises(SealBrokenError):
        other.open(one.seal(b"x", "here"), "here")
    assert one.conversation("city", "o-1") != other.conversation("city", "o-1")


def test_after_a_rotation_old_things_open_and_new_ones_use_the_new_key(ring: Path) -> None:
    old = keys.load(ring).seal(b"old", "here")

    rotated = keys.rotate(ring)

    assert rotated.open(old, "here") == b"old"
    assert (old[0], rotated.seal(b"new", "here")[0]) == (1, 2)
    assert stat.S_IMODE(ring.stat().st_mode) == 0o600


def test_a_ring_that_exists_is_never_replaced(ring: Path) -> None:
    before = ring.read_bytes()

    with pytest.raises(BootError, match="exists already"):
        keys.create(ring)
    assert ring.read_bytes() == before
    keys.load_or_create(ring)
    assert ring.read_bytes() == before


def test_the_first_start_with_embedded_stores_makes_one(tmp_path: Path) -> None:
    sealed = keys.load_or_create(tmp_path / "keys").seal(b"x", "here")

    assert keys.load_or_create(tmp_path / "keys").open(sealed, "here") == b"x"


def test_rotations_at_the_same_time_lose_no_key(ring: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from core.stores import keys; keys.rotate(Path(sys.argv[1]))"
    )
    rotations = [subprocess.Popen([sys.executable, "-c", script, ring], cwd=ROOT) for _ in range(4)]

    assert [rotation.wait(30) for rotation in rotations] == [0] * 4
    assert keys.load(ring).seal(b"x", "here")[0] == 5


def test_a_full_ring_says_so(ring: Path) -> None:
    text = ring.read_text()
    key = text.rsplit('"', 2)[1]
    ring.write_text(text + "".join(f'{number} = "{key}"\n' for number in range(2, 256)))

    with pytest.raises(BootError, match="is full"):
        keys.rotate(ring)


def test_a_missing_ring_stops_the_boot(tmp_path: Path) -> None:
    with pytest.raises(BootError, match="is missing"):
        keys.load(tmp_path / "keys")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_ring_open_to_others_stops_the_boot(ring: Path, mode: int) -> None:
    ring.chmod(mode)

    with pytest.raises(BootError, match="chmod 600"):
        keys.load(ring)


@pytest.mark.parametrize(
    ("found", "put"),
    [
        (r"(?s).*", "garbage"),
        (r"(?s).*", ""),
        (r"(?s).*", "\x00\x01"),
        (r"format = 1", 'format = "one"'),
        (r"current = 1", "current = 2"),
        (r'index_key = ".*"', 'index_key = "short"'),
        (r'index_key = ".*"\n', ""),
        (r'(?m)^1 = ".*"', '1 = "not base64!"'),
        (r'(?m)^1 = ".*"', '1 = "AAAA"'),
        (r"(?m)^1 = ", "300 = "),
        (r"(?m)^1 = ", "one = "),
        (r"\[keys\]", "surprise = 1\n[keys]"),
    ],
)
def test_a_damaged_ring_stops_the_boot_and_its_keys_stay_untold(ring: Path, found: str, put: str) -> None:
    key = ring.read_text().rsplit('"', 2)[1]
    ring.write_text(re.sub(found, put, ring.read_text(), count=1))

    with pytest.raises(BootError, match="is damaged") as stopped:
        keys.load(ring)
    assert key not in str(stopped.value)


def test_bytes_that_are_no_text_stop_the_boot(ring: Path) -> None:
    ring.write_bytes(b"\xff\xfe")

    with pytest.raises(BootError, match="is damaged"):
        keys.load(ring)


def test_a_newer_format_is_named(ring: Path) -> None:
    ring.write_text(ring.read_text().replace("format = 1", "format = 2"))

    with pytest.raises(BootError, match="has format 2"):
        keys.load(ring)


def test_a_link_or_a_folder_is_no_ring(ring: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(ring)
    (tmp_path / "folder").mkdir(mode=0o700)

    for place in ("link", "folder"):
        with pytest.raises(BootError, match=r"cannot be read|is not a file"):
            keys.load(tmp_path / place)


def test_a_ring_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(BootError, match="cannot be written"):
        keys.create(tmp_path / "nowhere" / "keys")
