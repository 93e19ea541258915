"""WeChat Pay as a whole: contracts, debits and refunds of one merchant, shown and told."""

from collections.abc import Mapping
from pathlib import Path

from simulator.content import Content, Row
from simulator.pay_keys import Keys, Merchant
from simulator.pay_ledger import Contract, Ledger, Order, Refund
from simulator.pay_notices import Teller, Troubles
from simulator.people import Phone
from simulator.wechat import WeChat


class Pay:
    """Plays WeChat Pay towards one merchant."""

    def __init__(self, wechat: WeChat, merchant: Merchant, store: Path | None, factor: float = 1.0) -> None:
        self._wechat = wechat
        self.keys = Keys(merchant)
        self.ledger = Ledger(wechat.clock, store)
        self.troubles = Troubles()
        self.teller = Teller(self.keys, wechat.clock, self.troubles, factor)
        self.ledger.changed = self._ring

    @property
    def mch_id(self) -> str:
        return self.keys.merchant.mch_id

    def now(self) -> float:
        return self._wechat.clock().timestamp()

    def knows(self, appid: str, openid: str) -> bool:
        return self._phone(appid, openid) is not None

    def balance(self, phone: Phone) -> int:
        return self.ledger.balance(self._wechat.accounts[phone.account].appid, phone.openid)

    def sign(self, contract: Contract) -> None:
        """She agrees; the merchant is told."""
        if contract.state == "NOT_CONTRACTED":
            self.ledger.sign(contract)
            self._show(contract.appid, contract.openid, "已开通免密支付", {"用途": self.purpose(contract)})
            self._tell(contract.notify_url, "PAPAY.SIGN", "contract", self.told_of_contract(contract))

    def terminate(self, contract: Contract) -> None:
        """It is over, whoever ends it; the merchant is told."""
        self.ledger.terminate(contract)
        self._show(contract.appid, contract.openid, "已关闭免密支付", {"用途": self.purpose(contract)})
        self._tell(contract.notify_url, "PAPAY.TERMINATE", "contract", self.told_of_contract(contract))

    def settle(self, order: Order) -> None:
        """A debit comes to its end; the merchant and the citizen are told."""
        self.ledger.settle(order)
        paid = order.state == "SUCCESS"
        title = "微信支付 扣费凭证" if paid else "微信支付 扣费失败：零钱不足"
        self._show(order.appid, order.openid, title, _bill(order.amount_fen, order.description))
        event = "TRANSACTION.SUCCESS" if paid else "TRANSACTION.FAIL"
        self._tell(order.notify_url, event, "transaction", self.told_of_order(order))

    def refund(self, refund: Refund) -> Refund:
        """Send back; told once."""
        done = self.ledger.refund(refund)
        if done is refund:
            order = self.ledger.order(refund.out_trade_no)
            bill = _bill(refund.amount_fen, order.description)
            self._show(order.appid, order.openid, "微信支付 退款到账", bill)
            told = self.told_of_refund(done)
            told["refund_status"] = told.pop("status")
            self._tell(refund.notify_url, "REFUND.SUCCESS", "refund", told)
        return done

    def purpose(self, contract: Contract) -> str:
        return self.keys.merchant.plans.get(contract.plan, "")

    def told_of_contract(self, contract: Contract) -> dict[str, object]:
        return {
            "mchid": self.mch_id,
            "appid": contract.appid,
            "openid": contract.openid,
            "contract_id": contract.contract_id,
            "plan_id": contract.plan,
            "out_contract_code": contract.code,
            "contract_state": contract.state,
        }

    def told_of_order(self, order: Order) -> dict[str, object]:
        return {
            "mchid": self.mch_id,
            "appid": order.appid,
            "out_trade_no": order.out_trade_no,
            "transaction_id": order.transaction_id,
            "trade_type": "PAP",
            "trade_state": order.state,
            "trade_state_desc": order.why,
            "payer": {"openid": order.openid},
            "amount": {"total": order.amount_fen, "payer_total": order.amount_fen, "currency": "CNY"},
        }

    def told_of_refund(self, refund: Refund) -> dict[str, object]:
        order = self.ledger.order(refund.out_trade_no)
        return {
            "mchid": self.mch_id,
            "refund_id": refund.refund_id,
            "out_refund_no": refund.out_refund_no,
            "out_trade_no": refund.out_trade_no,
            "transaction_id": order.transaction_id,
            "status": refund.status,
            "amount": {"total": order.amount_fen, "refund": refund.amount_fen, "currency": "CNY"},
        }

    def _tell(self, url: str, event: str, kind: str, content: Mapping[str, object]) -> None:
        self._wechat.aside(self.teller.tell(url, event, kind, content))

    def _phone(self, appid: str, openid: str) -> Phone | None:
        account = next((each for each in self._wechat.accounts.values() if each.appid == appid), None)
        return self._wechat.people.find(account.key, openid) if account else None

    def _show(self, appid: str, openid: str, title: str, rows: Mapping[str, str]) -> None:
        phone = self._phone(appid, openid)
        if phone is not None:
            fields = tuple(Row(name, name, value) for name, value in rows.items())
            self._wechat.people.record(
                phone, "template", Content(type="template", title=title, fields=fields)
            )

    def _ring(self, appid: str, openid: str) -> None:
        phone = self._phone(appid, openid)
        if phone is not None:
            self._wechat.live.ring(phone)


def _bill(fen: int, words: str) -> dict[str, str]:
    return {"金额": f"¥{fen // 100}.{fen % 100:02}", "说明": words}
