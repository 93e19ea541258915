"""The simulator with very many followers and the quota of the bench."""

import sys
from pathlib import Path

import uvloop
from aiohttp import web

import simulator.app
from bench.webhook.plan import PATH, Plan, openid
from bench.webhook.programs.gateway import QUOTA
from bench.webhook.programs.serving import arguments, end_with_starter
from commands.cards import cards_of
from core.chat.words import Words
from core.delivery.kinds import Kinds
from simulator.accounts import Account
from simulator.people import Standing
from simulator.quotas import Quota
from simulator.wechat import Rules

_SEND = "message/template/send"
_RECEIPT_S = 0.5


def main() -> int:
    """Play WeChat until told to end."""
    plan, port = arguments()
    end_with_starter()
    loop = uvloop.new_event_loop()
    web.run_app(_app(plan), host="127.0.0.1", port=port, access_log=None, print=None, loop=loop)
    return 0


def _app(plan: Plan) -> web.Application:
    templates = Path(plan.folder) / "templates"
    account = Account(
        key=plan.account,
        name="Bench",
        original_id=plan.original_id,
        appid=plan.appid,
        secret="bench-secret",
        token=plan.token,
        aes_key=plan.aes_key,
        mode="safe",
        webhook_url=f"http://127.0.0.1:{plan.gateway_port}{PATH}",
        templates=cards_of(Kinds(templates / "notices", Words(templates), [plan.account]), plan.account),
    )
    app = simulator.app.build([account], rules=Rules(receipt_s=_RECEIPT_S, quotas={_SEND: Quota(QUOTA)}))
    people = app[simulator.app.WECHAT].people
    for number in range(plan.followers):
        people.meet(plan.account, openid(number), Standing.FOLLOWER)
    return app


if __name__ == "__main__":
    sys.exit(main())
