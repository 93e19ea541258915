"""What a citizen has agreed to receive of one subscription template."""

import msgspec

from simulator.cards import LONG, Template


class Grant(msgspec.Struct):
    """`accepted` is the last answer; `left` counts what a one-time template may still be sent."""

    accepted: bool = False
    left: int = 0
    kept: bool = False  # "always keep these choices": the pop-up does not ask again

    def accept(self) -> None:
        """Each answer is worth one send; a long-term template asks for no more than one."""
        self.accepted = True
        self.left += 1

    def decline(self) -> None:
        """A no in the pop-up takes away nothing that was given before, except where one yes is for good."""
        self.accepted = False

    def refuse(self) -> None:
        """The management page: nothing more may come."""
        self.accepted, self.left, self.kept = False, 0, False

    def spend(self, template: Template) -> bool:
        """Take one send; False where there is none to take."""
        if template.term == LONG:
            return self.accepted
        if not self.left:
            return False
        self.left -= 1
        return True

    def as_json(self, template: Template, *, answered: bool) -> dict[str, object]:
        """`left` is None where one acceptance stands for any number of sends."""
        left = (None if self.accepted else 0) if template.term == LONG else self.left
        answer = ("accept" if self.accepted else "reject") if answered else None
        known = {"template_id": template.template_id, "title": template.title, "term": template.term}
        return known | {"left": left, "answer": answer, "kept": self.kept}
