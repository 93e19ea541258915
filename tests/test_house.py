"""The house rules no other tool checks: sizes, first lines, who may use what, what never belongs here."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MOST_LINES = 400
MOST_FUNCTION_LINES = 50
MOST_PARAMETERS = 6
CODE = {".py", ".html", ".css", ".js", ".sql", ".lua", ".sh", ".toml", ".txt", ""}
WEB_DOORS = ("webhooks/", "simulator/", "gate/", "main.py", "tests/", "bench/")


@cache
def files() -> list[Path]:
    """Every file of the project that is, or is about to be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in found if path.is_file()]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def modules() -> list[tuple[str, ast.Module]]:
    """Every module by its name, read once."""
    return [(named(path), ast.parse(path.read_text("utf-8"))) for path in files() if path.suffix == ".py"]


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imports(tree: ast.Module) -> Iterator[str]:
    """Full names of what a module imports: `aiohttp.web` for both ways of writing it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_file_is_more_than_one_idea() -> None:
    long = {}
    for path in files():
        name = named(path)
        if path.suffix in CODE and not name.startswith(("requirements/", "demo/")):
            lines = len(path.read_text("utf-8").splitlines())
            if lines > MOST_LINES:
                long[name] = lines
    assert not long


def test_no_function_is_longer_than_a_page() -> None:
    long = [
        f"{name}:{function.lineno} {function.name}"
        for name, tree in modules()
        for function in functions(tree)
        if (function.end_lineno or 0) - function.lineno + 1 > MOST_FUNCTION_LINES
    ]
    assert not long


def test_no_function_takes_more_than_six_parameters() -> None:
    many = []
    for name, tree in modules():
        if name.startswith("tests/"):  # a fixture is asked for by parameter
            continue
        for function in functions(tree):
            given = function.args
            taken = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
            if len([each for each in taken if each not in {"self", "cls"}]) > MOST_PARAMETERS:
                many.append(f"{name}:{function.lineno} {function.name}")
    assert not many


def test_every_module_says_what_it_is_for() -> None:
    silent = []
    for name, tree in modules():
        if not tree.body:
            continue
        first = (ast.get_docstring(tree) or "").split("\n", 1)[0]
        if not first.endswith((".", "?", "!")):
            silent.append(name)
    assert not silent


def test_the_doors_of_services_are_their_own_modules() -> None:
    filled = [named(path) for path in (ROOT / "services").glob("**/__init__.py") if path.read_text("utf-8")]
    assert not filled, "services/*/__init__.py are empty; import services.<domain>.service"


def test_a_service_reaches_another_through_its_service_module() -> None:
    reached = []
    for name, tree in modules():
        if not name.startswith("services/"):
            continue
        own = name.split("/")[1]
        for imported in imports(tree):
            parts = imported.split(".")
            if parts[0] == "services" and len(parts) > 2 and parts[1] != own and parts[2] != "service":
                reached.append(f"{name} imports {imported}")
    assert not reached


def test_aiohttp_web_stays_at_the_doors() -> None:
    strays = [
        name
        for name, tree in modules()
        if not name.startswith(WEB_DOORS) and "aiohttp.web" in set(imports(tree))
    ]
    assert not strays


def test_settings_are_read_by_main_and_commands_alone() -> None:
    allowed = ("main.py", "settings.py", "commands/", "tests/", "bench/")
    strays = [
        name
        for name, tree in modules()
        if not name.startswith(allowed) and {"settings", "main"} & set(imports(tree))
    ]
    assert not strays


def test_the_composition_root_fits_on_a_few_pages() -> None:
    assert len((ROOT / "main.py").read_text("utf-8").splitlines()) <= 150


def test_nothing_internal_is_imported_inside_a_function() -> None:
    ours = {path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file()} | {"settings", "main"}
    inside = [
        f"{name}:{function.lineno} {function.name}"
        for name, tree in modules()
        for function in functions(tree)
        if {imported.split(".")[0] for imported in imports(ast.Module(function.body, []))} & ours
    ]
    assert not inside


# Put together from halves, so that this file does not name what it looks for.
FOREIGN = re.compile(
    "|".join(
        [
            "py" + r"pi\.org",
            "python" + "hosted",
            "registry" + r"\.npmjs",
            "deb" + r"\.debian\.org",
            r"(?<![\w.}<>-])/" + r"(?:home|root|Users)/\w",
            r"(?<![\w.}<>)-])/" + "work/",
        ]
    )
)


def test_nothing_names_a_registry_or_somebodys_machine() -> None:
    named_there = []
    for path in files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        named_there += [f"{named(path)}: {found.group()}" for found in FOREIGN.finditer(text)]
    assert not named_there


@pytest.mark.parametrize(
    ("line", "is_foreign"),
    [
        ("see /" + "home/somebody/notes", True),
        ("https://" + "py" + "pi.org/simple", True),
        ("GET /wechat/city", False),
    ],
)
def test_control_the_pattern_finds_what_it_looks_for(line: str, is_foreign: bool) -> None:
    assert bool(FOREIGN.search(line)) is is_foreign
