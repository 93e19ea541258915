"""Who has just written to this process, for whoever has something that waits for that."""


class Contacts:
    """The conversations of the last moments; a bounded number of them, for nobody may come to ask."""

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._since: set[str] = set()

    def note(self, conversation: str) -> None:
        """Remember somebody until the next look."""
        if len(self._since) < self._most:
            self._since.add(conversation)

    def take(self) -> list[str]:
        """Everybody since the last look."""
        found, self._since = self._since, set()
        return sorted(found)
