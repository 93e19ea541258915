"""Credentials `run` invents: once, in the form WeChat's own have, and never over what was given."""

import base64
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from commands import invented
from core.errors import BootError
from settings import Account, Settings, Stores


def settings(folder: Path, **accounts: Account) -> Settings:
    return Settings(stores=Stores(data_dir=str(folder)), accounts=accounts)


def test_without_any_account_there_is_a_city(tmp_path: Path) -> None:
    account = invented.completed(settings(tmp_path)).accounts["city"]
    assert re.fullmatch(r"gh_[0-9a-f]{12}", account.original_id)
    assert re.fullmatch(r"wx[0-9a-f]{16}", account.appid)
    assert re.fullmatch(r"[A-Za-z0-9]{43}", account.aes_key)
    assert base64.b64encode(base64.b64decode(account.aes_key + "=")).decode() == account.aes_key + "="
    assert len({account.secret, account.token, account.aes_key}) == 3


def test_they_stay_the_same_from_start_to_start(tmp_path: Path) -> None:
    assert invented.completed(settings(tmp_path)) == invented.completed(settings(tmp_path))


def test_what_is_given_stands(tmp_path: Path) -> None:
    given = Account(appid="wx-of-mine", secret="mine")
    account = invented.completed(settings(tmp_path, city=given)).accounts["city"]
    assert (account.appid, account.secret) == ("wx-of-mine", "mine")
    assert account.token


def test_nothing_is_invented_where_nothing_is_missing(tmp_path: Path) -> None:
    whole = Account(original_id="gh_1", appid="wx1", secret="s", token="t", aes_key="K" * 43)
    assert invented.completed(settings(tmp_path, city=whole)).accounts["city"] == whole
    assert not (tmp_path / "accounts").exists()


def test_two_at_once_take_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        results = [threads.submit(invented.completed, settings(tmp_path)) for _ in range(8)]
    assert len({result.result().accounts["city"].secret for result in results}) == 1
    assert [path.name for path in (tmp_path / "accounts").iterdir()] == ["city.json"]


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    invented.completed(settings(tmp_path))
    (tmp_path / "accounts" / "city.json").write_bytes(msgspec.json.encode({"appid": 5}))
    with pytest.raises(BootError, match=r"city\.json is damaged"):
        invented.completed(settings(tmp_path))
