"""What a message names of the hospital: departments, doctors, hospitals, classes, and what there is not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from services.hospital import spoken
from services.hospital.model import ClinicClass, Name, Near

# 肾内科 is no 内科: what ends in one of these is known by its whole name, or it is not known.
_BROAD = ("内科", "外科")
_SHORTEST = 2


def names_in(folded: str, plain: Sequence[Name]) -> list[Name]:
    """The names there are, words for several departments set apart, and what a message adds to them."""
    shared = _shared(plain)
    told = [
        replace(each, aliases=tuple(alias for alias in each.aliases if alias not in shared))
        if _is_department(each)
        else each
        for each in plain
    ]
    told += [Name(aliases=(alias,), among=alias) for alias in sorted(shared)]
    told += [Name(aliases=spoken.class_names(each), clinic_class=each) for each in ClinicClass]
    told += [Name(aliases=spoken.BEST, clinic_class=ClinicClass.EXPERT)]
    return told + _not_there(folded, plain)


def covered(said: str, plain: Sequence[Name]) -> frozenset[str]:
    """The departments a word stands for: it is a name of theirs, or they are called like its end."""
    departments = [each for each in plain if _is_department(each)]
    own = frozenset(each.department for each in departments if said in each.aliases)
    broad = tuple(word for word in _BROAD if said.endswith(word))
    like = (each.department for each in departments if any(alias in broad for alias in each.aliases))
    return own or frozenset(like)


def near(said: str, plain: Sequence[Name]) -> Near:
    """Which departments a word stands for, as it is told."""
    meant = covered(said, plain)
    names = tuple(each.department_name for each in plain if _is_department(each) and each.department in meant)
    known = any(said in each.aliases for each in plain if _is_department(each))
    return Near(said=said, known=known, names=names)


def _not_there(folded: str, plain: Sequence[Name]) -> list[Name]:
    """What a message calls a department or a doctor although there is nothing of that name."""
    found: list[Name] = []
    if (department := spoken.department_called(folded)) and not _is_known(department, folded, plain):
        found.append(Name(aliases=(department,), among=department))
    if (doctor := _nearly(folded, plain)) is not None:
        said, meant = doctor
        found.append(Name(aliases=(said,), guess=meant.doctor))
    elif stranger := _stranger(folded, plain):
        found.append(Name(aliases=(stranger,), stranger=stranger))
    return found


def _is_known(department: str, folded: str, plain: Sequence[Name]) -> bool:
    """Tell whether words that look like a department are one, end in one's name, or are part of a name."""
    ends = department.endswith(_BROAD)
    for each in plain:
        for alias in each.aliases:
            inside = len(alias) >= _SHORTEST and alias in department and not ends
            if department == alias or inside or (department in alias and alias in folded):
                return True
    return False


def _nearly(folded: str, plain: Sequence[Name]) -> tuple[str, Name] | None:
    """The one doctor whose surname and length of name are those of a name that is nobody's."""
    said = spoken.only_a_name(folded)
    if not said or any(said in each.aliases or said.startswith(each.aliases) for each in plain):
        return None
    doctors = [each for each in plain if each.doctor and len(each.doctor_name) == len(said)]
    alike = [each for each in doctors if spoken.surname_of(each.doctor_name) == spoken.surname_of(said)]
    return (said, alike[0]) if len(alike) == 1 else None


def _stranger(folded: str, plain: Sequence[Name]) -> str:
    """A doctor these words speak of whom none of the hospitals has; "" if there is none such in them."""
    text = folded
    for alias in sorted(
        (alias for each in plain if not each.doctor for alias in each.aliases), key=len, reverse=True
    ):
        text = text.replace(alias, "，") if len(alias) >= _SHORTEST else text
    called = spoken.doctor_called(text)
    if called is None:
        return ""
    name, whole = called
    for each in plain:
        for alias in each.aliases:
            if alias in folded if each.doctor else alias in name:
                return ""
    return whole if whole in folded else ""


def _shared(plain: Sequence[Name]) -> frozenset[str]:
    """The words by which several departments are called: 妇产科."""
    told = Counter(alias for each in plain if _is_department(each) for alias in set(each.aliases))
    return frozenset(alias for alias, times in told.items() if times > 1)


def _is_department(name: Name) -> bool:
    return bool(name.department and not name.doctor)
