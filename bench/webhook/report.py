"""What came out: one object of named figures for machines, a Markdown page with bar and aim for people."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import ge, le

import msgspec

from bench.figures import Spread, paired, spread
from bench.machine import BUSY, Machine
from bench.webhook.trial import NAMES, Memory, Run, Size

_LETTERS = {
    "constant": "(a) constant",
    "usual": "(b) usual",
    "careful": "(b') careful",
    "gateway": "(c) gateway",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured; `better` says on which side of `bar` and `aim` it shall lie."""

    name: str
    title: str
    unit: str
    spread: Spread
    bar: float | None = None
    aim: float | None = None
    better: Callable[[float, float], bool] = ge

    @property
    def missed(self) -> bool:
        """Whether the median does not reach the bar."""
        return self.bar is not None and not self.better(self.spread.median, self.bar)


def figures(rounds: Sequence[dict[str, Run]], memory: Memory) -> list[Figure]:
    """Summarise the rounds and the memory."""
    return [*_ratios(rounds), *_latencies(rounds), *_memory(memory), *_rates(rounds)]


def _ratios(rounds: Sequence[dict[str, Run]]) -> Iterator[Figure]:
    rates = {name: [each[name].load.rate for each in rounds] for name in NAMES}
    ours = rates["gateway"]
    yield Figure("gateway_to_usual", "(c) ÷ (b)", "×", paired(ours, rates["usual"]), 2.2, 3.0)
    yield Figure("gateway_to_careful", "(c) ÷ (b')", "×", paired(ours, rates["careful"]))
    yield Figure("gateway_to_constant", "(c) ÷ (a)", "×", paired(ours, rates["constant"]), 0.22)


def _latencies(rounds: Sequence[dict[str, Run]]) -> Iterator[Figure]:
    loads = [each["gateway"].load for each in rounds]
    middle, late = spread([load.p50_ms for load in loads]), spread([load.p99_ms for load in loads])
    yield Figure("gateway_p50_ms", "(c) p50 at 32 connections", "ms", middle)
    yield Figure("gateway_p99_ms", "(c) p99 at 32 connections", "ms", late, 30.0, better=le)


def _memory(memory: Memory) -> Iterator[Figure]:
    total, half = 2 * memory.messages, memory.messages
    resident, growth = spread([memory.second]), spread([memory.growth])
    yield Figure(
        "gateway_resident_mb", f"(c) memory after {total:,} messages", "MB", resident, 120.0, better=le
    )
    yield Figure("gateway_growth_mb", f"(c) growth in the second {half:,}", "MB", growth, 2.0, better=le)


def _rates(rounds: Sequence[dict[str, Run]]) -> Iterator[Figure]:
    for name in NAMES:
        runs = [each[name] for each in rounds]
        rate, cost = spread([run.load.rate for run in runs]), spread([run.cpu_us for run in runs])
        yield Figure(f"{name}_rate", f"{_LETTERS[name]}: answers", "1/s", rate)
        yield Figure(f"{name}_cpu_us", f"{_LETTERS[name]}: server CPU per message", "µs", cost)


def as_json(found: Sequence[Figure], size: Size) -> str:
    """One flat object: each figure under its name, its quartiles under `<name>_q1` and `<name>_q3`."""
    flat: dict[str, float | int | str | bool] = {}
    for figure in found:
        flat[figure.name] = round(figure.spread.median, 4)
        if figure.spread.low != figure.spread.high:
            flat[f"{figure.name}_q1"] = round(figure.spread.low, 4)
            flat[f"{figure.name}_q3"] = round(figure.spread.high, 4)
    flat |= {
        "size": str(size),
        "quick": size.quick,
        "missed": ", ".join(figure.name for figure in found if figure.missed),
    }
    return msgspec.json.format(msgspec.json.encode(flat)).decode()


def as_page(
    found: Sequence[Figure], size: Size, machine: Machine, now: datetime, *, name: str = "webhook"
) -> str:
    """A Markdown section, as it stands in RESULTS.md."""
    command = f"python -m bench.{name}{' --quick' if size.quick else ''}"
    lines = [
        f"## {now:%Y-%m-%d %H:%M} · `{command}`",
        "",
        f"{machine.processor}, {machine.cores} cores, {machine.memory_gb} GB · "
        f"{machine.system} · Python {machine.python} · "
        f"{size}"
        + (" (quick: too short for a verdict)" if size.quick else "")
        + (f" · **busy: load {machine.load:.1f} before the start**" if machine.load > BUSY else ""),
        "",
        "| Figure | Median | Quartiles | Bar | Aim | |",
        "|---|---:|---:|---:|---:|---|",
        *map(_line, found),
    ]
    return "\n".join(lines)


def _line(figure: Figure) -> str:
    low, high = figure.spread.low, figure.spread.high
    quartiles = "" if low == high else f"{_number(low)} – {_number(high)}"
    return (
        f"| {figure.title} | {_number(figure.spread.median)} {figure.unit} | {quartiles} "
        f"| {_limit(figure.bar, figure)} | {_limit(figure.aim, figure)} | {_verdict(figure)} |"
    )


def _limit(limit: float | None, figure: Figure) -> str:
    if limit is None:
        return ""
    return f"{'≥' if figure.better is ge else '≤'} {limit:g} {figure.unit}"


def _verdict(figure: Figure) -> str:
    if figure.bar is None:
        return ""
    if figure.missed:
        return "**missed**"
    aimed = figure.aim is None or figure.better(figure.spread.median, figure.aim)
    return "met" if aimed else "met, aim missed"


def _number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
