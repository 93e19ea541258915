"""What a person has to put right before a gate works, and what stops it while it works."""
# ruff: noqa: N818 - named by what is the case


class GateError(Exception):
    """One line for who sets up or repairs the gate; exit code 2."""


class OutOfOrder(Exception):
    """The gate itself cannot judge or note a code now; the rider is sent to the next gate."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(f"{why}: {detail}" if detail else why)
        self.why = why  # a key of `[out_of_order]` in words.toml
