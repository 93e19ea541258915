"""Program (c): the gateway as `serve` runs it, everything on, with a bot that counts."""

import shutil
import sys
from pathlib import Path

import main
from bench.webhook.plan import Plan
from bench.webhook.programs.serving import arguments, end_with_starter
from commands import places, serve
from core.errors import BootError
from core.stores import keys
from settings import Account, Server, Settings, Stores

_OWN_TEMPLATES = Path(__file__).parent / "templates"


def settings_for(plan: Plan, port: int, admin_port: int) -> Settings:
    """What `bianmin.toml` would say."""
    account = Account(
        bot="bench.webhook.programs.bot",
        name="Bench",
        original_id=plan.original_id,
        appid=plan.appid,
        secret="bench-secret",
        token=plan.token,
        aes_key=plan.aes_key,
    )
    stores = Stores(redis_url=plan.redis_url, database_url=plan.database_url, data_dir=plan.folder)
    return Settings(
        server=Server(port=port, admin_port=admin_port), stores=stores, accounts={"city": account}
    )


def furnish(plan: Plan) -> Path:
    """Lay out a root with the city's templates and ours beside them, and a key ring; once per folder."""
    root = Path(plan.folder) / "root"
    if not root.exists():
        shutil.copytree(main.ROOT / "templates", root / "templates")
        shutil.copytree(_OWN_TEMPLATES, root / "templates", dirs_exist_ok=True)
        keys.create(places.key_ring(Stores(data_dir=plan.folder)))
    return root


def run() -> int:
    """Serve until told to end."""
    plan, port = arguments()
    end_with_starter()
    main.ROOT = furnish(plan)
    try:
        return serve.serve(settings_for(plan, port, port + 1), main.assemble)
    except BootError as wrong:
        print(wrong, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(run())
