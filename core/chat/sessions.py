"""What a conversation remembers between turns, and how it is kept: one sealed value per conversation."""

from collections.abc import Iterable

import msgspec

from core.chat.moments import When
from core.packing import Packing
from core.seal import Seal

# What was obtained under which permission of WeChat's (wechat-facts 1.6, RevokeInfo): the kinds of answers.
_OBTAINED = {"206": "place", "207": "photo"}
# At most two dialogues lie on one another (design 3).
MOST_FRAMES = 2


class Option(msgspec.Struct, frozen=True, array_like=True):
    """One line a citizen was shown: what it means, what it said, by which other words it may be named."""

    id: str
    label: str
    aliases: tuple[str, ...] = ()
    when: When | None = None  # what it means as a day or a time, where that is what is chosen


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """One settled question; `kind` says what `value` is: an id, a text, a date, a place, a result.

    A choice of kind "only" was never asked: there was one thing to choose.
    """

    kind: str
    value: str


class Question(msgspec.Struct, array_like=True):
    """The open question as it was shown; "2" means the second of `options`, whatever a loader says now."""

    key: str
    kind: str
    options: list[Option] = []
    page: int = 0
    near: str = ""  # the words that decided the order of the options, "" for the loader's own
    again: bool = False  # asked once more, because what was said means yes and no alike
    narrowed: bool = False  # only what `near` means was shown; the rest comes with 更多
    first: bool = False  # it is asked before all others, whenever it comes: what they were answered stays


class Frame(msgspec.Struct, array_like=True):
    """One dialogue under way. `run` names it for its effects; answers stand in the order they were given."""

    dialogue: str
    run: str
    answers: dict[str, Answer] = {}
    open: Question | None = None
    offered: str = ""  # what was said beyond the opening word or an answer, for the questions to come
    rest: str = ""  # the same, for a handler that wants to read it on every turn
    holes: tuple[tuple[str, str], ...] = ()  # what filled the opening pattern
    hints: dict[str, str] = {}  # questions that a name settles as soon as they are asked
    tried: list[str] = []  # questions that `offered` was put to; it answers none twice
    kept: str = ""  # words for an open text question, said after the idle limit
    beside: str = ""  # what was said beside all questions, until the one it answers is settled
    takes_back: bool = (
        False  # it takes something back: 不取消了 means a no to it, and no stop of what is done
    )
    refused: str = ""  # where `offered` is this, it was refused: it is used where it can be had, and not told
    wishes: dict[str, str] = {}  # what names narrowed the lists to; no question, and no step back
    prompt: int = 0  # the message of ours that it answers
    waits: str = ""  # the question that the dialogue on top of it answers
    opening: str = ""  # the words that opened it, where something may be asked before they are used

    @property
    def has_effect(self) -> bool:
        """Tell whether something was done already that no way leads behind."""
        return any(answer.kind == "once" for answer in self.answers.values())


class Lead(msgspec.Struct, frozen=True, array_like=True):
    """What a digit may have meant: an option of a message of ours, or (`message` 0) the open question."""

    message: int
    option: str
    said: str
    label: str


class Session(msgspec.Struct, array_like=True):
    """The whole memory of a conversation; the last frame is the one being talked about."""

    citizen: str = ""
    frames: list[Frame] = []
    seen_at: int = 0  # Unix seconds of the last turn
    misses: int = 0  # turns in a row that nobody understood
    resuming: bool = False  # "继续刚才的…吗" is open
    offers: list[Option] = []  # services a fallback offered by number
    notes: dict[str, str] = {}  # small things a handler wants to find again
    done: str = ""  # the dialogue that last ended with its business done, until something else is opened
    stopped: Frame | None = None  # what the last message stopped, for one message more
    which: list[Lead] = []  # we asked which of these was meant

    @property
    def top(self) -> Frame | None:
        """The dialogue being talked about."""
        return self.frames[-1] if self.frames else None

    def open_top(self, frame: Frame) -> None:
        """Talk about this dialogue from here on; the one talked about last is kept below it.

        The same dialogue, begun before, gives way.
        """
        others = [each for each in self.frames if each.dialogue != frame.dialogue]
        self.frames[:] = [*others[1 - MOST_FRAMES :], frame]

    def close_top(self, brought: str = "") -> Frame:
        """End the dialogue talked about; one that waits for it gets what it brought, or asks by itself."""
        closed = self.frames.pop()
        below = self.top
        if below is not None and below.waits:
            key, below.waits, below.beside = below.waits, "", ""
            if brought:
                below.hints[key] = brought
            else:
                below.tried = [*below.tried, key]
        return closed

    def break_off(self) -> None:
        """Danger to life ends whatever was open (domain-rules R7)."""
        self.frames, self.offers, self.which, self.resuming = [], [], [], False
        self.done, self.stopped = "", None

    def give_back(self, permissions: Iterable[str]) -> None:
        """Forget the answers that were given under permissions which are taken back; they are asked anew."""
        kinds = {_OBTAINED[each] for each in permissions if each in _OBTAINED}
        for frame in [*self.frames, *([self.stopped] if self.stopped else [])]:
            kept = {key: answer for key, answer in frame.answers.items() if answer.kind not in kinds}
            if len(kept) < len(frame.answers):
                frame.answers, frame.open = kept, None

    def forget(self) -> None:
        """Who leaves takes the open conversation along (wechat-facts 5, item 10)."""
        self.frames, self.offers, self.which, self.notes, self.citizen = [], [], [], {}, ""
        self.resuming, self.misses, self.done, self.stopped = False, 0, "", None


_kept = Packing(Session, "session")


pack = _kept.pack
keep = msgspec.msgpack.encode


def kept(frame: bytes) -> Frame:
    """A dialogue that was put away with `keep`; one of a form that is no more raises `DecodeError`."""
    return msgspec.msgpack.decode(frame, type=Frame)


def unpack(sealed: bytes | None, seal: Seal, conversation: str) -> Session:
    """Open a session; None is a new one. What cannot be read raises `UnreadableError`."""
    return _kept.unpack(sealed, seal, conversation) if sealed else Session()
