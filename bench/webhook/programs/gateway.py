"""Program (c): the gateway as `serve` runs it, everything on, with a bot that counts."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import main
from bench.webhook.plan import Plan
from bench.webhook.programs.serving import arguments, end_with_starter
from commands import places, serve
from commands.gateway import Assemble, Gateway
from commands.surroundings import Surroundings
from core.errors import BootError
from core.stores import keys
from settings import Account, Server, Settings, Stores, WeChat

Command = Callable[[Settings, Assemble], int]
QUOTA = 200_000  # template messages a day, at the simulator, too
PER_SECOND = 10_000  # no limit here: what a worker can do is measured
_OWN_TEMPLATES = Path(__file__).parent / "templates"


def settings_for(plan: Plan, port: int, admin_port: int) -> Settings:
    """What `bianmin.toml` would say."""
    api_base = f"http://127.0.0.1:{plan.platform_port}" if plan.platform_port else ""
    account = Account(
        bot="bench.webhook.programs.bot",
        name="Bench",
        original_id=plan.original_id,
        appid=plan.appid,
        secret="bench-secret",
        token=plan.token,
        aes_key=plan.aes_key,
        daily_templates=QUOTA,
    )
    stores = Stores(redis_url=plan.redis_url, database_url=plan.database_url, data_dir=plan.folder)
    return Settings(
        server=Server(port=port, admin_port=admin_port),
        stores=stores,
        wechat=WeChat(api_base=api_base, sends_per_second=PER_SECOND),
        accounts={plan.account: account},
    )


def furnish(plan: Plan) -> Path:
    """Lay out the city's templates with ours beside them, and a key ring; once per folder."""
    templates = Path(plan.folder) / "templates"
    if not templates.exists():
        shutil.copytree(places.TEMPLATES, templates)
        shutil.copytree(_OWN_TEMPLATES, templates, dirs_exist_ok=True)
        keys.create(places.key_ring(Stores(data_dir=plan.folder)))
    return templates


def run(command: Command = serve.serve) -> int:
    """Serve (or be another part) until told to end."""
    plan, port = arguments()
    end_with_starter()
    templates = furnish(plan)

    async def assemble(around: Surroundings) -> Gateway:
        return await main.assemble(replace(around, templates=templates))

    try:
        return command(settings_for(plan, port, port + 1), assemble)
    except BootError as wrong:
        print(wrong, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(run())
