"""Templates compiled once in a process, however many read the same folder."""

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class _Compiled(BytecodeCache):
    """The code of each template file by its path and its text: what has changed on disk is compiled anew.

    An account has words of its own for the city's facts, and each would compile all templates again, which
    takes a fifth of a second.
    """

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill in what is known; jinja2 refuses code of another text."""
        code = self._code.get(bucket.key)
        if code is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


COMPILED = _Compiled()  # of the whole process: code depends on nothing but the text
