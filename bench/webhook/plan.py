"""What all programs under test are told: one account, its users, and the stores."""

from pathlib import Path

import msgspec

USERS = 5_000
PATH = "/wechat/city"


class Plan(msgspec.Struct, frozen=True):
    """Written to a file by the bench, read by each program."""

    redis_url: str
    database_url: str
    folder: str  # a scratch folder of this bench
    original_id: str = "gh_bench0000000"
    appid: str = "wxbench0000000000"
    token: str = "bench-token"
    aes_key: str = "BenchBenchBenchBenchBenchBenchBenchBenchBen"
    platform_port: int = 0  # of the simulator, where the bench has one
    gateway_port: int = 0  # where that pushes to
    followers: int = 0  # whom the simulator knows from the start

    @property
    def account(self) -> str:
        """The account's name in settings, on paths and in conversations."""
        return PATH.rpartition("/")[2]

    def write(self) -> Path:
        """Put it into its folder."""
        path = Path(self.folder) / "plan.json"
        path.write_bytes(msgspec.json.encode(self))
        return path


def read(path: str) -> Plan:
    """Read what the bench wrote."""
    return msgspec.json.decode(Path(path).read_bytes(), type=Plan)


def openid(user: int) -> str:
    """Name one of the users as WeChat would: 28 characters."""
    return f"oBench{user:022d}"


def counted(count: int) -> str:
    """What every counting program answers to a user's n-th message."""
    return f"这是您的第 {count} 条消息，已经收到。"
