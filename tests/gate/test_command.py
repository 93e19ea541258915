"""`python -m gate` as a person uses it: pictures, standard input, a page, one line for what is wrong."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import msgspec
import pytest
from PIL import Image

from gate.__main__ import main
from gate.code import Grant, Type, Unreadable, armour, grant
from gate.picture import text_in
from tests.support.program import ROOT, free_port
from tests.support.ride_codes import ISSUER, KID, PHONE, picture, public, sent, shown, trust_list
from tests.support.waiting import wait_until

TOML = 'device = "g-zn-1"\nway = "out"\nstation = "zhongnan"\nline = "2"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gate.toml").write_text(TOML, "utf-8")
    now_ms = int(time.time() * 1000)
    (tmp_path / "list.json").write_bytes(msgspec.json.encode(trust_list(now_ms)))
    assert main(["trust", "list.json"]) == 0
    return tmp_path


def fresh(nonce: bytes = b"12345678") -> bytes:
    """A code of this moment."""
    now = int(time.time())
    under = grant(Grant(KID, bytes(16), Type.SELF, 1200, public(PHONE), now + 900, 30), ISSUER.sign)
    return shown(now, nonce, under=under)


def test_a_code_in_a_picture_opens_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "code.png").write_bytes(picture(fresh()))
    assert main(["check", "--only-look", "code.png"]) == 0
    assert main(["check", "code.png"]) == 0
    assert "code.png: ✓ 请出站" in capsys.readouterr().out
    assert main(["check", "code.png"]) == 1
    assert "✕ 重复使用，请刷新  (used)" in capsys.readouterr().out
    assert main(["status"]) == 0
    assert "does not have: 1" in capsys.readouterr().out


def test_codes_come_on_standard_input_one_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [armour(fresh(b"1st one.")), "rubbish", armour(fresh(b"2nd one.")), "A" * 5000]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\r\n".join(lines)))
    assert main(["check"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert [line[0] for line in said[:3]] == ["✓", "✕", "✓"]
    assert {line[0] for line in said[3:]} == {"✕"}


@pytest.mark.parametrize("scale", [1, 2, 3, 8])
def test_pictures_of_any_size_are_read(scale: int) -> None:
    for code in (shown(), sent()):
        assert text_in(picture(code, scale)) == armour(code)


def test_a_screenshot_with_colours_and_transparency_is_read() -> None:
    ride = shown()
    code = Image.open(io.BytesIO(picture(ride))).convert("RGBA")
    phone = Image.new("RGBA", (code.width + 80, code.height + 200), (7, 193, 96, 0))
    phone.paste(code, (40, 100))
    saved = io.BytesIO()
    phone.rotate(90, expand=True).save(saved, "PNG")
    assert text_in(saved.getvalue()) == armour(ride)


def test_pictures_without_one_code_are_unreadable() -> None:
    one = Image.open(io.BytesIO(picture(shown())))
    two = Image.new("L", (2 * one.width, one.height), 255)
    two.paste(one, (0, 0))
    two.paste(Image.open(io.BytesIO(picture(sent()))), (one.width, 0))
    none = Image.new("L", (100, 100), 255)
    for image in (two, none):
        saved = io.BytesIO()
        image.save(saved, "PNG")
        with pytest.raises(Unreadable, match="QR codes"):
            text_in(saved.getvalue())
    with pytest.raises(Unreadable):
        text_in(picture(shown())[:300])
    huge = io.BytesIO()
    Image.new("1", (9000, 9000)).save(huge, "PNG")
    with pytest.raises(Unreadable, match="million"):
        text_in(huge.getvalue())


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ("device = 1", "device"),
        ("device =", "not TOML"),
        (TOML + 'colour = "red"', "colour"),
        (TOML.replace('"out"', '"up"'), "way"),
        (TOML.replace("station", "vehicle").replace('"out"', '"board"') + 'station = "x"', "either station"),
        (TOML.replace('"out"', '"board"'), "is for a vehicle"),
        (TOML + 'server = "http://city.example"', "not https"),
        (TOML + '[serve]\nhost = "0.0.0.0"', "not a loopback"),
        (TOML + "skew_s = 600", "skew_s"),
        (TOML + 'types = ["dog"]', "types"),
    ],
)
def test_a_mistake_in_gate_toml_is_told_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], toml: str, why: str
) -> None:
    (folder / "gate.toml").write_text(toml, "utf-8")
    assert main(["status"]) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1
    assert told[0].startswith("gate: ")
    assert why in told[0]


def test_files_that_are_not_there_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, why in (
        (["--config", "other.toml", "status"], "other.toml is not there"),
        (["check", "no.png"], "no.png cannot be read"),
        (["trust", "no.json"], "no.json cannot be read"),
        (["upload"], "gate.key is missing"),
        (["street", "no-folder"], "there is no gate's .toml in it"),
    ):
        assert main(arguments) == 2
        assert why in capsys.readouterr().err


def test_a_key_is_made_once_and_for_its_owner(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["key"]) == 0
    assert len(capsys.readouterr().out.strip()) == 43
    assert (folder / "gate.key").stat().st_mode & 0o777 == 0o600
    assert main(["key"]) == 2
    assert "left as it is" in capsys.readouterr().err
    (folder / "gate.key").chmod(0o644)
    (folder / "gate.toml").write_text(TOML + 'server = "http://127.0.0.1:9"\n', "utf-8")
    assert main(["upload"]) == 2
    assert "open to others" in capsys.readouterr().err
    (folder / "gate.key").chmod(0o600)
    assert main(["upload"]) == 2, "nobody answers there"


def test_the_virtual_gate_is_a_program_that_ends_when_asked(folder: Path) -> None:
    port = free_port()
    (folder / "gate.toml").write_text(TOML + f"[serve]\nport = {port}\n", "utf-8")
    program = subprocess.Popen(
        [sys.executable, "-m", "gate", "--config", str(folder / "gate.toml"), "serve"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert program.stdout is not None
        assert f"http://127.0.0.1:{port}/" in program.stdout.readline()
        asked = Request(f"http://127.0.0.1:{port}/check", armour(fresh()).encode())
        asked.add_header("Content-Type", "text/plain")
        with urlopen(asked, timeout=10) as answer:  # noqa: S310
            assert msgspec.json.decode(answer.read())["open"]
    finally:
        program.terminate()
        program.wait(10)
    wait_until(lambda: program.returncode is not None, "ended")
