"""Template messages and subscription notifications: who may send what to whom, and what the phone shows."""

from collections.abc import Iterable, Mapping

from simulator.accounts import Account
from simulator.cards import SUBSCRIPTION, TEMPLATE, Template, UnfitError
from simulator.clock import Clock
from simulator.content import Content, Row
from simulator.credits import Grant
from simulator.notices import Notice
from simulator.numbers import Numbers, Repeats
from simulator.people import People, Phone
from simulator.receipts import Receipts
from simulator.refusals import ApiError, FieldError, RefusedError

SAME_FOR_S = 600.0
MOST_TEMPLATES = 1_000
MOST_ASKED = 5  # in one pop-up

Choices = Mapping[str, bool]


class Notifier:
    """Holds the templates of each account; what citizens agreed to stands on their phones."""

    def __init__(
        self,
        accounts: Iterable[Account],
        people: People,
        receipts: Receipts,
        numbers: Numbers,
        clock: Clock,
    ) -> None:
        self.templates = {
            account.key: {template.template_id: template for template in account.templates}
            for account in accounts
        }
        self._people = people
        self._receipts = receipts
        self._numbers = numbers
        self._clock = clock
        self._repeats = Repeats(SAME_FOR_S, people.bounds.repeats)

    def add(self, account: Account, template: Template) -> None:
        """A new template, or another one under the same id."""
        known = self.templates[account.key]
        if template.template_id not in known and len(known) >= MOST_TEMPLATES:
            raise RefusedError(f"an account has at most {MOST_TEMPLATES} templates")
        known[template.template_id] = template

    def restore(self, account: str, templates: Iterable[Template]) -> None:
        """Take in what the store kept; what the account was built with stands."""
        known = self.templates[account]
        self.templates[account] = {template.template_id: template for template in templates} | known

    def page(self, account: Account, after: str, limit: int) -> list[Template]:
        """Templates in the order they came, from the one after the id `after`."""
        known = list(self.templates[account.key])
        if after and after not in known:
            raise RefusedError(f"after: {after[:128]!r} is no template of {account.key!r}")
        start = known.index(after) + 1 if after else 0
        return [self.templates[account.key][one] for one in known[start : start + limit]]

    def send_template(self, account: Account, notice: Notice) -> int:
        """A template message; its id, which is the earlier one where the bot repeats itself."""
        phone, template = self._addressed(account, notice, TEMPLATE)
        if not phone.follows:
            raise ApiError(43004)
        rows = _rows(template, notice)
        now, key = self._clock().timestamp(), (account.key, phone.openid, notice.client_msg_id)
        if notice.client_msg_id and (before := self._repeats.find(key, now)) is not None:
            return before
        msgid = self._deliver(phone, template, notice, rows)
        if notice.client_msg_id:
            self._repeats.keep(key, msgid, now)
        return msgid

    def send_subscription(self, account: Account, notice: Notice) -> None:
        """A subscription notification, for which the citizen must have said yes."""
        phone, template = self._addressed(account, notice, SUBSCRIPTION)
        rows = _rows(template, notice)
        grant = phone.grants.get(template.template_id)
        if grant is None or not grant.spend(template):
            raise ApiError(43101)
        self._people.touch(phone)
        self._deliver(phone, template, notice, rows)

    def answer(self, phone: Phone, choices: Choices, *, keep: bool) -> None:
        """What the citizen chose in the pop-up; raises RefusedError for what it could not have shown."""
        templates = [self._subscription(phone.account, template_id) for template_id in choices]
        if not 1 <= len(templates) <= MOST_ASKED:
            raise RefusedError(f"templates: the pop-up asks for 1 to {MOST_ASKED}")
        if len({template.term for template in templates}) > 1:
            raise RefusedError("templates: one-time and long-term ones are never asked for together")
        for template in templates:
            grant = phone.grants.setdefault(template.template_id, Grant())
            grant.kept = keep
            if choices[template.template_id]:
                grant.accept()
            else:
                grant.decline()

    def refuse(self, phone: Phone, template_ids: Iterable[str]) -> None:
        """What the citizen switched off in the management page."""
        for template in [self._subscription(phone.account, one) for one in template_ids]:
            phone.grants.setdefault(template.template_id, Grant()).refuse()

    def credits(self, account: Account, phone: Phone | None) -> list[dict[str, object]]:
        """For each subscription template, what may be sent to the citizen."""
        grants = phone.grants if phone else {}
        return [
            grants.get(template.template_id, Grant()).as_json(
                template, answered=template.template_id in grants
            )
            for template in self.templates[account.key].values()
            if template.type == SUBSCRIPTION
        ]

    def _addressed(self, account: Account, notice: Notice, kind: str) -> tuple[Phone, Template]:
        phone = self._people.find(account.key, notice.touser)
        if phone is None:
            raise ApiError(40003)
        template = self.templates[account.key].get(notice.template_id)
        if template is None or template.type != kind:
            raise ApiError(40037)
        return phone, template

    def _subscription(self, account: str, template_id: str) -> Template:
        template = self.templates[account].get(template_id)
        if template is None or template.type != SUBSCRIPTION:
            raise RefusedError(f"templates: {template_id[:128]!r} is no subscription of {account!r}")
        return template

    def _deliver(self, phone: Phone, template: Template, notice: Notice, rows: tuple[Row, ...]) -> int:
        msgid = self._numbers.new()
        if not phone.delivery:
            card = Content(
                type=template.type,
                title=template.title,
                template_id=template.template_id,
                fields=rows,
                url=notice.url,
                appid=notice.appid,
                pagepath=notice.pagepath,
                client_msg_id=notice.client_msg_id,
                msgid=str(msgid) if template.type == TEMPLATE else "",
                service=not phone.follows,
            )
            self._people.record(phone, template.type, card)
        self._receipts.owe(phone, template.type, template.template_id, msgid)
        return msgid


def _rows(template: Template, notice: Notice) -> tuple[Row, ...]:
    if not notice.said:
        raise ApiError(40250, "data is missing")
    try:
        return template.rows(notice.said)
    except UnfitError as unfit:
        raise FieldError(str(unfit)) from unfit
