"""Every word a person reads: templates compiled once, rendered with facts, and nothing left blank."""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Protocol, TypeVar, cast

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateNotFound,
    meta,
    pass_context,
)
from jinja2.runtime import Context

from core.clock import CITY_ZONE
from core.compiled import COMPILED
from core.errors import BootError, DomainError

_WEEKDAYS = "一二三四五六日"
_SOON = ("今天", "明天", "后天")
_PARTS = {"AM": "上午", "PM": "下午", "NIGHT": "晚上"}
_QUOTED = 20


def _local(moment: date | datetime) -> date:
    return moment.astimezone(CITY_ZONE) if isinstance(moment, datetime) else moment


def _soon(local: date, today: date | None) -> str:
    """今天, 明天 or 后天 seen from `today`; "" for any other day."""
    ahead = (date(local.year, local.month, local.day) - today).days if today is not None else -1
    return _SOON[ahead] if 0 <= ahead < len(_SOON) else ""


def day(moment: date | datetime, today: date | None = None) -> str:
    """11月25日 周三, in the city's zone; seen from a `today`, 明天 11月25日 周三."""
    local = _local(moment)
    return f"{_soon(local, today)} {local.month}月{local.day}日 {weekday(local)}".lstrip()


def short_day(moment: date | datetime, today: date | None = None) -> str:
    """明天, or 11月30日 where the day has no such name: for a line with little room."""
    local = _local(moment)
    return _soon(local, today) or f"{local.month}月{local.day}日"


def weekday(moment: date | datetime) -> str:
    """周三, in the city's zone."""
    return f"周{_WEEKDAYS[_local(moment).weekday()]}"


def part_of_day(part: str | None) -> str:
    """上午, 下午 or 晚上; "" where none was named."""
    return _PARTS[part] if part else ""


def clock(moment: datetime) -> str:
    """09:00, in the city's zone."""
    return moment.astimezone(CITY_ZONE).strftime("%H:%M")


def clock_s(moment: datetime) -> str:
    """09:00:00, in the city's zone: for what is over in a minute or two."""
    return moment.astimezone(CITY_ZONE).strftime("%H:%M:%S")


def until(moment: datetime, today: date | None = None) -> str:
    """A deadline as people say it: 11月25日 周三 09:00, and midnight as 24:00 of the day before."""
    local = moment.astimezone(CITY_ZONE)
    if local.time() == time(0):
        return f"{day(local - timedelta(days=1), today)} 24:00"
    return f"{day(local, today)} {clock(local)}"


def yuan(fen: int) -> str:
    """Fen as yuan: 0 → 0 元, 1250 → 12.50 元."""
    whole, rest = divmod(fen, 100)
    return f"{whole}.{rest:02d} 元" if rest else f"{whole} 元"


def quoted(said: str) -> str:
    """Somebody's own words, short and without anything WeChat would take for a tag."""
    plain = " ".join(said.replace("<", "").replace(">", "").split())
    return plain if len(plain) <= _QUOTED else plain[:_QUOTED] + "…"


def fit(said: str, most: int) -> str:
    """Shorten what has to fit a field of a notice: 心血管内科专… ."""
    line = " ".join(said.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def stamp(moment: datetime) -> str:
    """2026-11-25 09:00, in the city's zone: how WeChat's notices want a time."""
    return moment.astimezone(CITY_ZONE).strftime("%Y-%m-%d %H:%M")


_Moment = TypeVar("_Moment", date, datetime)


def _seen_today(say: Callable[[_Moment, date | None], str]) -> Callable[[Context, _Moment], str]:
    """Make a filter that knows the day on which a template is rendered (`Words.on`)."""

    @pass_context
    def said(context: Context, moment: _Moment) -> str:
        return say(moment, context.get("today"))

    return said


@dataclass(frozen=True, slots=True)
class CityFacts:
    """What every template may name as `city`: who answers, and where a person can be reached."""

    name: str = "便民服务"
    desk_phone: str = "12345"
    desk_hours: str = "08:30-17:30"
    hotline: str = "12356"  # psychological help


class _OptionMacro(Protocol):
    def __call__(self, option: object) -> str: ...


class QuestionWords:
    """One question's template: its lead sentence and the line for each option (macro `option`)."""

    def __init__(self, template: Template, facts: Mapping[str, object]) -> None:
        self._module = template.make_module(dict(facts))
        self.lead = str(self._module).strip()

    def label(self, option: object) -> str:
        """Say one option, in one line or two; without a macro its own `label` is its word."""
        macro = cast("_OptionMacro | None", getattr(self._module, "option", None))
        said = macro(option) if macro else str(getattr(option, "label", option))
        return "\n".join(" ".join(line.split()) for line in said.strip().splitlines())


class Words:
    """The folder `templates/`, read and compiled at start; a broken template stops the boot.

    `city` stands in every template: `city.name`, `city.hotline`, ….
    """

    def __init__(self, folder: Path, city: CityFacts | None = None) -> None:
        environment = Environment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701 - chat texts are not HTML; pages have an environment of their own
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=COMPILED,
        )
        environment.filters.update(
            day=_seen_today(day),
            short_day=_seen_today(short_day),
            until=_seen_today(until),
            weekday=weekday,
            part_of_day=part_of_day,
            clock=clock,
            clock_s=clock_s,
            yuan=yuan,
            quoted=quoted,
            fit=fit,
            stamp=stamp,
        )
        environment.globals["city"] = city or CityFacts()
        self._environment = environment
        self._folder = folder
        self.today: date | None = None
        self._latest: Words | None = None
        self._templates: dict[str, Template] = {}
        for path in sorted(folder.rglob("*.txt")):
            name = path.relative_to(folder).with_suffix("").as_posix()
            try:
                template = environment.get_template(f"{name}.txt")
                # jinja2 keeps a ChainMap here and walks through it, slowly, for every rendering.
                template.globals = dict(template.globals)
                self._templates[name] = template
            except Exception as broken:
                raise BootError(f"{path}: {broken}") from broken

    def on(self, today: date) -> "Words":
        """The same words as said on that day: 今天, 明天 and 后天 stand beside the date."""
        if self._latest is None or self._latest.today != today:
            self._latest = copy(self)
            self._latest.today = today
        return self._latest

    def has(self, name: str) -> bool:
        """Tell whether `templates/<name>.txt` exists."""
        return name in self._templates

    def wants(self, name: str) -> frozenset[str]:
        """The facts that `templates/<name>.txt` names; `city` and `today` are there anyhow."""
        text = (self._folder / f"{name}.txt").read_text("utf-8")
        return frozenset(meta.find_undeclared_variables(self._environment.parse(text)) - {"city", "today"})

    def render(self, name: str, /, **facts: object) -> str:
        """Say `templates/<name>.txt` with these facts; a missing fact raises, it never becomes a blank."""
        return self._template(name).render({"today": self.today} | facts).strip()

    def snippet(self, source: str) -> Callable[[Mapping[str, object]], str]:
        """Compile a few words that stand in a file of another kind; the same filters hold in them."""
        return self._environment.from_string(source).render

    def refusal(self, refused: DomainError) -> str:
        """Why not, in a sentence."""
        return self.render(f"errors/{refused.code}", **refused.facts)

    def question(self, name: str, /, **facts: object) -> QuestionWords:
        """Prepare the words of one question."""
        return QuestionWords(self._template(name), {"today": self.today} | facts)

    def _template(self, name: str) -> Template:
        try:
            return self._templates[name]
        except KeyError:
            raise TemplateNotFound(f"{self._folder / name}.txt") from None
