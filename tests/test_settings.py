"""Settings: a default for everything, the environment on top, and every mistake named at once."""

import tomllib
from pathlib import Path

import pytest

import settings
from core.errors import BootError

ROOT = Path(__file__).parent.parent
AES_KEY = "k" * 43


def written(folder: Path, text: str) -> Path:
    path = folder / "bianmin.toml"
    path.write_text(text, "utf-8")
    return path


def refusal(folder: Path, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(BootError) as refused:
        settings.load(environ or {}, folder)
    line = str(refused.value)
    assert "\n" not in line
    return line


def test_without_a_file_every_default_holds(tmp_path: Path) -> None:
    given = settings.load({}, tmp_path)
    assert (given.server.host, given.server.port) == ("127.0.0.1", 8080)
    assert given.stores.embedded
    assert given.stores.folder == tmp_path / "var"
    assert given.accounts == {}
    assert given.chat.idle_minutes == 15


def test_a_file_naming_only_an_account_boots(tmp_path: Path) -> None:
    written(tmp_path, "[accounts.city]\n")
    assert settings.load({}, tmp_path).accounts == {"city": settings.Account()}


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    written(tmp_path, '[server]\nport = 9000\n[accounts.city]\nsecret = "from the file"\n')
    given = settings.load(
        {
            "BIANMIN_SERVER__PORT": "9001",
            "BIANMIN_STORES__REDIS_URL": "redis://elsewhere",
            "BIANMIN_ACCOUNTS__CITY__SECRET": "from outside",
            "BIANMIN_REQUIRE_REAL": "1",
        },
        tmp_path,
    )
    assert given.server.port == 9001
    assert given.stores.redis_url == "redis://elsewhere"
    assert given.accounts["city"].secret == "from outside"


def test_the_file_may_lie_elsewhere_and_its_paths_are_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, '[stores]\ndata_dir = "data"\n')
    given = settings.load({"BIANMIN_CONFIG": str(path)}, Path("/nowhere"))
    assert given.stores.folder == tmp_path / "data"


def test_a_secret_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    written(tmp_path, '[accounts.city]\nsecret = "file:secret"\n')
    assert settings.load({}, tmp_path).accounts["city"].secret == "s3cret"


def test_every_mistake_is_named_in_one_line(tmp_path: Path) -> None:
    written(
        tmp_path,
        """
        [server]
        port = 99999
        prot = 1
        [chat]
        desk_hours = "8-17"
        idle_minutes = true
        [accounts.city]
        mode = "safer"
        aes_key = "short"
        secret = "file:nowhere"
        [accounts."City Hall"]
        [acounts.city]
        """,
    )
    line = refusal(tmp_path, {"BIANMIN_SIMULATOR__PORT": "x"})
    for part in (
        "server.port: 99999 is not a port number",
        "server.prot is no setting",
        "chat.desk_hours: '8-17' is not a span of a day",
        "chat.idle_minutes: True is not a whole number",
        "accounts.city.mode: 'safer' is not one of plain, compatible, safe",
        "accounts.city.aes_key: what is given is not 43 letters and digits",
        "accounts.city.secret: ",
        "[accounts.City Hall]: the name is not a lower-case word",
        "[acounts] is no section",
        "simulator.port: 'x' is not a port number",
    ):
        assert part in line


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[server\n", "is not TOML"),
        ("server = 5\n", "server must be a table"),
        ("accounts = 5\n", "accounts must be tables"),
        ("[server]\nport = 8081\n", "simulator.port and server.port are both 8081"),
        ('[simulator]\nhost = "0.0.0.0"\n', "is not a loopback address"),
        ('[chat]\ndesk_hours = "17:00-08:00"\n', "ends before it begins"),
        ('[server]\nbase_url = "wx.example"\n', "server.base_url: 'wx.example' is not an http(s) address"),
        ('[accounts.city]\nbot = "os"\n', "a module such as"),
        ("institutions = 5\n", "institutions must be tables"),
        ('[institutions.x]\nurl = "http://h.example.cn"\n', "'http://h.example.cn' is not https"),
        (
            '[institutions.x]\nsecret = "hush"\n',
            "institutions.x.secret: what is given has fewer than 32 characters",
        ),
        ('[institutions.x]\nknows_guardians = "perhaps"\n', "'perhaps' is not true or false"),
        ("[institutions.x]\nknows_guardians = 2\n", "2 is not true or false"),
        ('[institutions."X Y"]\n', "[institutions.X Y]: the name is not a lower-case word"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, part: str) -> None:
    written(tmp_path, text)
    assert part in refusal(tmp_path)


def test_a_settings_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    assert "is not there" in refusal(tmp_path, {"BIANMIN_CONFIG": str(tmp_path / "other.toml")})


def test_no_error_and_no_printed_settings_show_a_secret(tmp_path: Path) -> None:
    written(tmp_path, '[accounts.city]\naes_key = "hush-hush"\n')
    assert "hush" not in refusal(tmp_path)
    written(tmp_path, f'[accounts.city]\nsecret = "hush-hush"\naes_key = "{AES_KEY}"\n')
    given = settings.load({"BIANMIN_STORES__DATABASE_URL": "postgresql://us:hush@db/x"}, tmp_path)
    assert given.accounts["city"].secret == "hush-hush"
    assert "hush" not in repr(given)


class TestCredentials:
    def refused(self, folder: Path) -> str:
        with pytest.raises(BootError) as refused:
            settings.require_credentials(settings.load({}, folder))
        return str(refused.value)

    def test_what_is_missing_is_named(self, tmp_path: Path) -> None:
        written(tmp_path, '[accounts.city]\nappid = "wx1"\nmode = "plain"\n')
        line = self.refused(tmp_path)
        for field in ("original_id", "secret", "token"):
            assert f"accounts.city.{field} is missing" in line
        assert "appid" not in line
        assert "aes_key" not in line, "plain mode knows no key"

    def test_no_account_at_all_is_refused(self, tmp_path: Path) -> None:
        assert "[accounts.city]" in self.refused(tmp_path)

    def test_the_sample_values_are_refused(self, tmp_path: Path) -> None:
        written(tmp_path, (ROOT / "bianmin.example.toml").read_text("utf-8"))
        line = self.refused(tmp_path)
        for field in ("original_id", "appid", "secret", "token", "aes_key"):
            assert f"accounts.city.{field} is still the sample value" in line

    def test_values_of_ones_own_are_taken(self, tmp_path: Path) -> None:
        written(
            tmp_path,
            '[accounts.city]\noriginal_id = "gh_1"\nappid = "wx1"\nsecret = "s"\ntoken = "t"\n'
            f'aes_key = "{AES_KEY}"\n',
        )
        settings.require_credentials(settings.load({}, tmp_path))


def test_the_sample_file_shows_the_defaults(tmp_path: Path) -> None:
    sample = tomllib.loads((ROOT / "bianmin.example.toml").read_text("utf-8"))
    defaults = settings.load({}, tmp_path)
    for name in ("server", "stores", "wechat", "simulator", "chat", "transit"):
        section = getattr(defaults, name)
        assert set(sample[name]) == set(section.__struct_fields__)
        if name != "stores":
            assert type(section)(**sample[name]) == section
    assert set(sample["accounts"]["city"]) == set(settings.Account.__struct_fields__)


def test_the_sample_file_shows_how_an_institution_is_named(tmp_path: Path) -> None:
    text = (ROOT / "bianmin.example.toml").read_text("utf-8")
    shown = "\n".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))
    section = shown[shown.index("[institutions.") : shown.index("The values of WeChat")]
    (tmp_path / "first_hospital.secret").write_text("s" * 64)
    written(tmp_path, section)
    (hospital,) = settings.load({}, tmp_path).institutions.values()
    assert set(tomllib.loads(section)["institutions"]["first_hospital"]) == set(hospital.__struct_fields__)
    assert hospital.secret == "s" * 64


def test_the_sample_file_shows_how_a_merchant_is_named(tmp_path: Path) -> None:
    text = (ROOT / "bianmin.example.toml").read_text("utf-8")
    shown = "\n".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))
    section = shown[shown.index("[pay]") : shown.index("Who knows people")]
    for name in ("apiclient_key.pem", "wechatpay.pem", "api_v3.key"):
        (tmp_path / name).write_text(f"what is in {name}")
    written(tmp_path, section)
    pay = settings.load({}, tmp_path).pay
    assert set(tomllib.loads(section)["pay"]) == set(pay.__struct_fields__)
    assert (pay.plans, pay.api_v3_key) == ({"transit": 12535}, "what is in api_v3.key")
    assert "what is in" not in repr(pay)


def test_a_merchant_that_could_not_debit_is_told_all_that_is_missing() -> None:
    given = settings.Settings(pay=settings.Pay(mch_id="1900000001"))
    with pytest.raises(BootError, match=r"pay.serial is missing.*pay.plans is missing.*https"):
        settings.require_pay(given)


@pytest.mark.parametrize(("given", "meant"), [("true", True), ("false", False), ('"true"', True)])
def test_yes_and_no_may_be_set(tmp_path: Path, given: str, meant: bool) -> None:
    written(tmp_path, f"[institutions.x]\nknows_guardians = {given}\n")
    assert settings.load({}, tmp_path).institutions["x"].knows_guardians is meant


def test_an_institution_comes_from_the_environment_too(tmp_path: Path) -> None:
    environ = {
        "BIANMIN_INSTITUTIONS__X__SECRET": "s" * 32,
        "BIANMIN_INSTITUTIONS__X__KNOWS_GUARDIANS": "true",
    }
    found = settings.load(environ, tmp_path).institutions["x"]
    assert (found.secret, found.knows_guardians) == ("s" * 32, True)
    assert "ssss" not in repr(found)


@pytest.mark.parametrize(
    ("url", "is_wechat"),
    [
        ("https://api.weixin.qq.com", True),
        ("https://sh.api.weixin.qq.com/", True),
        ("https://API.WEIXIN.QQ.COM.:443", True),
        ("http://127.0.0.1:8081", False),
        ("https://qq.com.example.cn", False),
        ("", False),
    ],
)
def test_wechats_hosts_are_known(url: str, is_wechat: bool) -> None:
    assert settings.is_wechat_host(url) is is_wechat


def test_a_bad_value_of_the_environment_blamed_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BootError) as refused:
        settings.load({"BIANMIN_SERVER__PORT": "abc"}, tmp_path)
    assert str(refused.value) == (
        "server.port: 'abc' is not a port number, 1 to 65535 (set by BIANMIN_SERVER__PORT)"
    )
