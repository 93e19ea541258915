"""A hospital's register for tests: whom it knows, the phones it sends codes to, and whose child is whose."""

import secrets
from dataclasses import dataclass, field

from services.citizens.institutions import Checked, Identity


@dataclass
class Register:
    """An institution in the same process; `phones` are the ID numbers it knows, with the phone of each."""

    phones: dict[str, str]
    guardians: set[tuple[str, str]] = field(default_factory=set)  # guardian, child
    name: str = "hospital"
    title: str = "市一医院"
    knows_guardians: bool = True
    messages: dict[str, list[str]] = field(default_factory=dict)  # by phone
    _codes: dict[str, tuple[str, str]] = field(default_factory=dict)

    async def send_code(self, request: str, name: str, id_number: str) -> None:
        code = f"{secrets.randbelow(1_000_000):06}"
        self._codes[request] = (code, f"patient-{id_number[-4:]}")
        if id_number in self.phones:
            self.messages.setdefault(self.phones[id_number], []).append(code)
        else:
            del self._codes[request]

    async def check_code(self, request: str, code: str) -> Checked:
        sent, patient = self._codes.get(request, ("", ""))
        return Checked(patient if sent and secrets.compare_digest(sent, code) else "")

    async def guardian(self, request: str, guardian: Identity, child: Identity) -> Checked:
        known = (guardian.id_number, child.id_number) in self.guardians
        return Checked(f"patient-{child.id_number[-4:]}" if known else "")

    def last(self, phone: str) -> str:
        """The code that came last to a phone."""
        return self.messages[phone][-1]
