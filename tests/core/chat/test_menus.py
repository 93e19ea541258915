"""A menu that WeChat would refuse is refused when it is written down (wechat-facts 2.5)."""

from typing import Any

import pytest

from core.chat.menus import Button, Kind, Menu, MenuError

LEAF = {
    "click": "A",
    "url": "https://x.example/",
    "key": "A",
    "appid": "wx1",
    "page": "p/1",
    "media_id": "m",
    "article_id": "a",
}
NEEDS: dict[str, set[str]] = {
    "click": {"click"},
    "view": {"url"},
    "miniprogram": {"appid", "page", "url"},
    "scancode_push": {"key"},
    "scancode_waitmsg": {"key"},
    "pic_sysphoto": {"key"},
    "pic_photo_or_album": {"key"},
    "pic_weixin": {"key"},
    "location_select": {"key"},
    "media_id": {"media_id"},
    "view_limited": {"media_id"},
    "article_id": {"article_id"},
    "article_view_limited": {"article_id"},
}


def given(names: set[str]) -> dict[str, Any]:
    return {name: LEAF[name] for name in names}


def test_every_kind_of_button_is_known() -> None:
    assert {kind.value for kind in Kind} == set(NEEDS)


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_takes_what_it_needs_and_nothing_else(kind: Kind) -> None:
    needed = NEEDS[kind.value]
    assert Button("按钮", kind=kind, **given(needed)).does is kind
    for name in LEAF:
        wrong = needed - {name} if name in needed else needed | {name}
        with pytest.raises(MenuError, match=f"menu button 按钮: {kind.value} needs"):
            Button("按钮", kind=kind, **given(wrong))


def test_what_a_short_button_does() -> None:
    assert Button("挂号", click="A").does is Kind.CLICK
    assert Button("说明", url="http://x.example/").does is Kind.VIEW
    assert Button("看病", children=(Button("挂号", click="A"),)).does is None


@pytest.mark.parametrize(
    "facts",
    [
        {"name": "空"},
        {"name": "两个", "click": "A", "url": "http://t"},
        {"name": "", "click": "A"},
        {"name": "长" * 21, "click": "A"},
        {"name": "键", "click": "K" * 129},
        {"name": "键", "key": "K" * 129, "kind": Kind.SCAN},
        {"name": "键", "key": "A"},
        {"name": "址", "url": "http://" + "t" * 1018},
        {"name": "址", "url": "weixin://dl"},
        {"name": "多", "children": tuple(Button(f"{n}", click=f"{n}") for n in range(6))},
        {"name": "深", "children": (Button("二", children=(Button("三", click="A"),)),)},
        {"name": "又", "children": (Button("二", click="A"),), "click": "A"},
        {"name": "又", "children": (Button("二", click="A"),), "kind": Kind.PLACE},
    ],
)
def test_a_button_wechat_would_refuse_is_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(MenuError, match="menu button"):
        Button(**facts)


def test_what_is_as_long_as_wechat_takes_is_taken() -> None:
    longest = Button("长" * 20, click="键" * 42 + "KK")
    address = Button("址", url="http://" + "t" * 1017)
    top = Button("看病挂号", children=(longest, address, longest, longest, longest))
    assert Menu((top, top, top)).buttons == (top, top, top)


def test_a_menu_has_one_to_three_short_buttons() -> None:
    fine = Button("看病挂号", click="A")
    assert Menu((fine,)).buttons == (fine,)
    for buttons in ((), (fine,) * 4, (Button("看病挂号啊啊", click="A"),)):
        with pytest.raises(MenuError, match="menu"):
            Menu(buttons)
