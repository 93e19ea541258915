"""Every word a person reads: templates compiled once, rendered with facts, and nothing left blank."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Protocol, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateNotFound

from core.clock import CITY_ZONE
from core.errors import BootError

_WEEKDAYS = "一二三四五六日"
_QUOTED = 20


def _local(moment: date | datetime) -> date:
    return moment.astimezone(CITY_ZONE) if isinstance(moment, datetime) else moment


def day(moment: date | datetime) -> str:
    """11月25日 周三, in the city's zone."""
    local = _local(moment)
    return f"{local.month}月{local.day}日 {weekday(local)}"


def weekday(moment: date | datetime) -> str:
    """周三, in the city's zone."""
    return f"周{_WEEKDAYS[_local(moment).weekday()]}"


def clock(moment: datetime) -> str:
    """09:00, in the city's zone."""
    return moment.astimezone(CITY_ZONE).strftime("%H:%M")


def until(moment: datetime) -> str:
    """A deadline as people say it: 11月25日 周三 09:00, and midnight as 24:00 of the day before."""
    local = moment.astimezone(CITY_ZONE)
    if local.time() == time(0):
        return f"{day(local - timedelta(days=1))} 24:00"
    return f"{day(local)} {clock(local)}"


def yuan(fen: int) -> str:
    """Fen as yuan: 0 → 0 元, 1250 → 12.50 元."""
    whole, rest = divmod(fen, 100)
    return f"{whole}.{rest:02d} 元" if rest else f"{whole} 元"


def quoted(said: str) -> str:
    """Somebody's own words, short and without anything WeChat would take for a tag."""
    plain = " ".join(said.replace("<", "").replace(">", "").split())
    return plain if len(plain) <= _QUOTED else plain[:_QUOTED] + "…"


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
        """Say one option; without a macro its own `label` is its word."""
        macro = cast("_OptionMacro | None", getattr(self._module, "option", None))
        said = macro(option) if macro else str(getattr(option, "label", option))
        return " ".join(said.split())


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
        )
        environment.filters.update(
            day=day, weekday=weekday, clock=clock, until=until, yuan=yuan, quoted=quoted
        )
        environment.globals["city"] = city or CityFacts()
        self._folder = folder
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

    def has(self, name: str) -> bool:
        """Tell whether `templates/<name>.txt` exists."""
        return name in self._templates

    def render(self, name: str, /, **facts: object) -> str:
        """Say `templates/<name>.txt` with these facts; a missing fact raises, it never becomes a blank."""
        return self._template(name).render(facts).strip()

    def question(self, name: str, /, **facts: object) -> QuestionWords:
        """Prepare the words of one question."""
        return QuestionWords(self._template(name), facts)

    def _template(self, name: str) -> Template:
        try:
            return self._templates[name]
        except KeyError:
            raise TemplateNotFound(f"{self._folder / name}.txt") from None
