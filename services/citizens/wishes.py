"""What a citizen asks for when they ask to act for somebody: personal, so it shows itself to nobody."""

from collections.abc import Iterable

from core.seal import Seal


class Wish:
    """A binding as somebody wishes it; `names` and numbers are as `names.py` and `identity.py` read them.

    `fingerprint` is keyed: who sees it in the table of effects can guess nothing (core.effects.digest_of).
    """

    __slots__ = ("asker", "fingerprint", "id_number", "name", "relation", "scopes", "target")

    def __init__(
        self, seal: Seal, *, relation: str, name: str, id_number: str, asker: str, scopes: Iterable[str]
    ) -> None:
        self.relation = relation
        self.name = name
        self.id_number = id_number
        self.asker = asker
        self.scopes = tuple(sorted(set(scopes)))
        self.target = seal.fingerprint(id_number, "id_number")
        said = "\0".join((relation, name, id_number, asker, *self.scopes))
        self.fingerprint = seal.fingerprint(said, "wish")

    def __repr__(self) -> str:
        return f"<Wish {self.relation}>"
