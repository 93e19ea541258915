"""A mistake in the data files of the transit is named with its file, its line and its field."""

import shutil
from pathlib import Path

import pytest

from core.errors import BootError
from services.transit.tariffs import read

DEMO = Path(__file__).parents[3] / "demo" / "transit"
NETWORK, TARIFF = "network.toml", "tariff-2026-1.toml"


def told(tmp_path: Path, name: str, before: str, after: str) -> str:
    """What is said of the demo's data after one change."""
    folder = tmp_path / "transit"
    shutil.copytree(DEMO, folder)
    text = (folder / name).read_text("utf-8")
    assert before in text
    (folder / name).write_text(text.replace(before, after, 1), "utf-8")
    with pytest.raises(BootError) as wrong:
        read(folder)
    return str(wrong.value).removeprefix(f"{folder}/")


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        (TARIFF, "fen = 400", "fen = -400", "line 15, metro[2].fen: Expected `int` >= 0"),
        (TARIFF, "fen = 400", "fen = 250", "line 15, metro[2].fen: must not be less than in the band before"),
        (TARIFF, "up_to_m = 8000", "up_to_m = 4000", "metro[1].up_to_m: must be more than in the band"),
        (TARIFF, "up_to_m = 24000", "up_to_m = 18001", None),
        (TARIFF, "up_to_m = 18000", "up_to_m = 15000", None),
        (TARIFF, 'line = "bus-h1"', 'line = "bus-h2"', "line 34, bus[2].line: there is no bus line bus-h2"),
        (TARIFF, 'line = "bus-521"', 'line = "bus-15"', "bus[1]: bus-15 stands there twice"),
        (TARIFF, "version =", "versoin =", "line 1, file: Object contains unknown field `versoin`"),
        (TARIFF, "2026-01-01", '"next year"', "line 3, begins: "),
        (TARIFF, "begins = ", "begins ", "Expected '=' after a key"),
        (NETWORK, '"baotong", "jied', '"baotng", "jied', "lines[0].stations: there is no station baotng"),
        (NETWORK, "1250, 1730", "1250, 0", "lines[0].metres[1]: Expected `int` >= 1"),
        (NETWORK, "1250, 1730", "1730", "lines[0].metres: 11 stations need 10 distances, not 9"),
        (NETWORK, 'name = "小龟山"', 'name = "司门口"', "two stations are called 司门口"),
        (NETWORK, '"tieji", "yuejiazui"', '"yuejiazui", "yuejiazui"', "a station stands there twice"),
        (NETWORK, 'id = "m4"', 'id = "m2"', "lines[1]: m2 stands there twice"),
        (NETWORK, 'kind = "bus"', 'kind = "tram"', "lines[2].kind: Invalid enum"),
    ],
)  # fmt: skip
def test_what_is_wrong_and_where(
    tmp_path: Path, name: str, before: str, after: str, said: str | None
) -> None:
    if said is None:
        folder = tmp_path / "transit"
        shutil.copytree(DEMO, folder)
        (folder / name).write_text((folder / name).read_text("utf-8").replace(before, after, 1), "utf-8")
        assert read(folder).tariffs, "control: another fare is no mistake"
        return
    line = told(tmp_path, name, before, after)
    assert line.startswith(name)
    assert said in line
    assert "\n" not in line


def test_fares_that_end_before_the_line_does(tmp_path: Path) -> None:
    long = told(tmp_path, NETWORK, "1250, 1730", "99000, 1730")
    assert long.startswith(
        "tariff-2026-1.toml, line 22, metro[4].up_to_m: fares end at 24000 m, and one can ride "
    )


def test_a_line_that_meets_no_other(tmp_path: Path) -> None:
    assert "not every station can be reached" in told(
        tmp_path,
        NETWORK,
        '[[lines]]\nid = "bus-15"',
        '[[stations]]\nid = "far"\nname = "远方"\n[[lines]]\nid = "bus-15"',
    )


def test_two_tariffs_of_one_day(tmp_path: Path) -> None:
    folder = tmp_path / "transit"
    shutil.copytree(DEMO, folder)
    text = (folder / TARIFF).read_text("utf-8").replace('version = "2026-1"', 'version = "2026-2"')
    (folder / "tariff-2026-2.toml").write_text(text, "utf-8")
    with pytest.raises(
        BootError, match=r"tariff-2026-2.toml, line 3, begins: 2026-01-01 is that of tariff-2026-1"
    ):
        read(folder)


def test_a_folder_without_fares(tmp_path: Path) -> None:
    shutil.copy(DEMO / NETWORK, tmp_path)
    with pytest.raises(BootError, match="no tariff"):
        read(tmp_path)
    with pytest.raises(BootError, match=r"network\.toml"):
        read(tmp_path / "nowhere")
