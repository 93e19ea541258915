"""The README keeps its word: its first handler runs as printed, and its commands and files exist."""

import importlib.util
import re
import shlex
import sys
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pytest

import handlers
from commands import invented, line
from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from services.hospital.catalogue import catalogue_files, read_catalogue
from settings import Settings, Stores
from tests.support import city_bot
from tests.support.talk import Ground, Talk, words_of

ROOT = Path(__file__).parents[1]
READMES = ["README.md", "README.zh-CN.md"]
NEW = "library"  # the handler the READMEs print
LONGEST = 40
BOT = "bots/city.py"
OF_A_LANGUAGE = {"--after 编号": "--after NUMBER", "您的域名": "your.host"}
DEMO_CITY, DEMO_ACCOUNT = "云汀市", "云汀便民"


def printed_files(readme: str) -> dict[str, str]:
    """The files of "Your first handler": what follows a line with nothing but a path."""
    text = (ROOT / readme).read_text("utf-8")
    return dict(re.findall(r"^`([\w/]+\.(?:py|txt))`\n\n```\w+\n(.*?)```", text, re.MULTILINE | re.DOTALL))


def module_of(name: str, path: Path) -> ModuleType:
    """Run a file as the module of that name."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def changed(source: str, lines: str) -> str:
    """The bot with each printed line in place of the one that begins like it."""
    for new in filter(None, lines.splitlines()):
        beginning = new.split("hospital")[0]
        assert source.count(f"\n{beginning}") == 1, f"{BOT} has no line like {new!r}"
        source = re.sub(f"^{re.escape(beginning)}.*$", new, source, flags=re.MULTILINE)
    return source


@pytest.mark.parametrize("readme", READMES)
async def test_the_first_handler_of_the_readme_talks(  # noqa: PLR0917 - fixtures
    tmp_path: Path,
    redis: Redis,
    db: Database,
    seal: Seal,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    readme: str,
) -> None:
    files = printed_files(readme)
    files[BOT] = changed((ROOT / BOT).read_text("utf-8"), files[BOT])
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    name = f"{handlers.__name__}.{NEW}"
    library = module_of(name, tmp_path / "handlers" / f"{NEW}.py")
    monkeypatch.setitem(sys.modules, name, library)
    monkeypatch.setattr(handlers, NEW, library, raising=False)
    city = module_of("bots.city", tmp_path / BOT)

    ground = Ground(redis, db, seal, clock)
    usual = await city_bot.city_bot(ground)
    talk = Talk(ground, replace(usual, router=city.router, words=words_of(tmp_path / "templates")))
    for sentence in ("我想去图书馆", "请问图书馆怎么走", "我想借本书"):
        assert "您想去哪个馆" in await talk.says(sentence), sentence
        await talk.says("取消")
    assert "哪一天去" in await talk.says("我想去图书馆南馆"), "what else was said answers the first question"
    await talk.says("取消")
    for kept in ("我想去图书馆南馆，明天", "我想去图书馆南馆明天", "去图书馆南馆 星期二"):
        assert "明天 11月24日 周二 南馆" in await talk.says(kept), (
            "the rest is kept for the question after that"
        )
    assert "1、北馆" in await talk.says("图书馆")
    assert "“图书馆”已经停下" in await talk.says("不去了"), "nothing of the hospital's could be meant"
    assert "哪一天去" in await talk.says("图书馆南馆")
    assert "“图书馆”已经停下" in await talk.says("不去了")
    assert "1、北馆" in await talk.says("图书馆")
    assert "哪一天去" in await talk.says("儿童馆")
    past = await talk.says("昨天")
    assert "已经过去了" in past
    assert "哪一天去" in past
    assert "11月25日 周三 南馆" in await talk.says("后天")
    assert "请选择科室" in await talk.says("挂号"), "the services that were there go on"


@pytest.mark.parametrize("readme", READMES)
def test_the_first_handler_has_forty_lines(readme: str) -> None:
    lines = [line for content in printed_files(readme).values() for line in content.splitlines()]
    assert 20 < len(lines) <= LONGEST, len(lines)


def test_three_names_of_the_city_stood_side_by_side(tmp_path: Path) -> None:
    sample = tomllib.loads((ROOT / "bianmin.example.toml").read_text("utf-8"))
    made_up = invented.completed(Settings(stores=Stores(data_dir=str(tmp_path))))
    assert {account.name for account in made_up.accounts.values()} == {DEMO_ACCOUNT}
    assert sample["accounts"]["city"]["name"] == DEMO_ACCOUNT
    hospitals = read_catalogue(catalogue_files(ROOT / "demo")).hospitals
    assert all(DEMO_CITY in hospital.name and DEMO_CITY in hospital.address for hospital in hospitals)
    for readme in READMES:
        text = (ROOT / readme).read_text("utf-8")
        assert DEMO_CITY in text
        assert DEMO_ACCOUNT in text


def test_both_languages_show_the_same_example() -> None:
    assert printed_files(READMES[0]) == printed_files(READMES[1])


@dataclass(frozen=True)
class Part:
    """What of a section's introduction, or of one of its numbered steps, is the same in every language."""

    step: str  # its number, "" for the introduction
    commands: list[str]  # in blocks of code, without comments
    code: set[str]  # in backquotes
    numbers: set[str]  # 48 hours, port 443: those that are written in digits
    links: set[str]


def sections(readme: str) -> list[list[Part]]:
    """A README by its headings."""
    text = (ROOT / readme).read_text("utf-8")
    for theirs, ours in OF_A_LANGUAGE.items():
        text = text.replace(theirs, ours)
    split = [
        re.split(r"^(?=\d+\. )", each, flags=re.MULTILINE)
        for each in re.split(r"^## ", text, flags=re.MULTILINE)
    ]
    return [[part_of(each) for each in parts] for parts in split]


def part_of(text: str) -> Part:
    number = re.match(r"\d+(?=\. )", text)
    blocks = re.findall(r"^ *```\w+\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    links = set(re.findall(r"\]\(([^)]+)\)", prose)) - set(READMES)
    words = re.sub(r"`[^`]+`|\]\([^)]+\)", "", prose)
    return Part(
        step=number[0] if number else "",
        commands=[re.sub(r"\s*#.*", "", line).strip() for block in blocks for line in block.splitlines()],
        code=set(re.findall(r"`([^`]+)`", prose)),
        numbers=set(re.findall(r"\d+", words)),
        links=links,
    )


def test_the_chinese_readme_lacked_what_becomes_of_late_answers() -> None:
    english, chinese = (sections(readme) for readme in READMES)
    assert len(english) == len(chinese) > 5
    for ours, theirs in zip(english, chinese, strict=True):
        assert [part.step for part in ours] == [part.step for part in theirs]
        for one, other in zip(ours, theirs, strict=True):
            assert one == other
    assert max(len(parts) for parts in english) > 9, "the steps to a real account are among them"


def test_control_a_step_a_word_or_a_number_that_is_missing_is_seen() -> None:
    step = "8. watch `bianmin_owed` for 48 hours, see [there](docs/guide.md)\n"
    for other in (
        "9. ",
        "8. watch `bianmin_late`",
        "8. watch `bianmin_owed` for 24",
        "8. watch `bianmin_owed` for 48",
    ):
        assert part_of(other) != part_of(step)
    assert part_of("8. 盯住 `bianmin_owed` 48 小时，见[那里](docs/guide.md)\n") == part_of(step)


@pytest.mark.parametrize("readme", READMES)
def test_the_commands_of_a_readme_exist(readme: str) -> None:
    text = (ROOT / readme).read_text("utf-8")
    makes = set(re.findall(r"^make (\w+)|`make (\w[\w-]*)`", text, re.MULTILINE))
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert {one or other for one, other in makes} <= set(targets)
    typed = r"^\.venv/bin/python main\.py ([a-z][^#\n]*)"
    told = re.sub(typed, "", text, flags=re.MULTILINE)
    commands = re.findall(r"main\.py (?!--)([a-z]+(?: [a-z0-9]+){0,2})", told)
    commands += re.findall(typed, text, re.MULTILINE)
    assert len(commands) >= 5
    for command in commands:
        line.parse(shlex.split(command))
    assert text.count("main.py ") == text.count(".venv/bin/python main.py "), "as it can be typed"


@pytest.mark.parametrize("readme", READMES)
def test_what_a_readme_links_to_is_there(readme: str) -> None:
    links = re.findall(r"\]\(([^)#]+?)(?:#[\w-]+)?\)", (ROOT / readme).read_text("utf-8"))
    missing = [link for link in links if link and not (ROOT / link).exists()]
    assert links
    assert not missing
