"""`simulate`: only the stand-in for WeChat, for this gateway or for any other bot."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import simulator.app
from commands import invented, terminal
from commands.cards import cards_of, played_kinds
from commands.lifetime import Lifetime
from core import log
from core.delivery.kinds import Kinds
from core.errors import BootError
from settings import Settings, is_wechat_host
from simulator.accounts import Account
from simulator.pay_keys import Merchant
from simulator.register_door import Institution
from webhooks.serving import listen, serve

_DRAIN_S = 0.5
_PURPOSES = {"transit": "公交地铁乘车码"}


def simulate(settings: Settings, webhook: str) -> int:
    """Play WeChat until asked to end."""
    if is_wechat_host(settings.wechat.api_base):
        raise BootError(
            "wechat.api_base is WeChat itself; the simulator does not start beside it: take it out"
        )
    with ExitStack() as stack:
        simulated = settings.simulator
        opened = stack.enter_context(listen(simulated.host, simulated.port, "simulator.port"))
        completed = invented.pointed(settings)
        accounts = platform_accounts(completed, played_kinds(completed), webhook)

        async def live() -> int:
            app = simulator.app.build(accounts, retry_s=simulated.retry_s, store=phones(completed))
            if merchant := played_merchant(completed):
                simulator.app.play_pay(app, merchant, books=pay_books(completed))
            for each in played_institutions(completed):
                app[simulator.app.INSTITUTIONS].add(each)
            runner = await serve(app, opened, drain_s=_DRAIN_S)
            try:
                for account in accounts:
                    terminal.say(f"{account.key} → {account.webhook_url}")
                terminal.addresses({"手机 Phone": f"{simulated.url}/phone"})
                await asyncio.Event().wait()
            finally:
                await runner.cleanup()
            return 0

        log.configure()
        return Lifetime().run(live())


def platform_accounts(settings: Settings, kinds: Kinds, webhook: str = "") -> list[Account]:
    """Each account as the platform knows it; pushes go to `webhook`, or to this gateway's door.

    Its templates are those our kinds of notices name.
    """
    return [
        Account(
            key=key,
            name=account.name or key,
            original_id=account.original_id,
            appid=account.appid,
            secret=account.secret,
            token=account.token,
            aes_key=account.aes_key,
            mode=account.mode,
            webhook_url=webhook or f"{settings.server.local_url}/wechat/{key}",
            templates=cards_of(kinds, key),
        )
        for key, account in settings.accounts.items()
    ]


def played_institutions(settings: Settings) -> list[Institution]:
    """The institutions whose register the simulator plays, as their own people set them up."""
    return [Institution(key, each.title, each.secret) for key, each in invented.played(settings).items()]


def pay_books(settings: Settings) -> Path:
    """Where the simulator keeps WeChat Pay's books."""
    return settings.stores.folder / "simulator-pay.json"


def played_merchant(settings: Settings) -> Merchant | None:
    """The merchant that the simulator plays WeChat Pay for; None where there is a real one."""
    if not invented.pays_by_simulator(settings):
        return None
    known = invented.merchant(settings)
    return Merchant(
        mch_id=known.mch_id,
        serial=known.serial,
        private_key=known.private_key,
        platform_key_id=known.platform_key_id,
        platform_private_key=known.platform_private_key,
        api_v3_key=known.api_v3_key,
        plans={number: _PURPOSES.get(plan, plan) for plan, number in settings.pay.plans.items()},
    )


def phones(settings: Settings) -> Path:
    """Where the simulator keeps its citizens and their chats."""
    return settings.stores.folder / "simulator.json"
