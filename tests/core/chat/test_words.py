"""Words come from templates, nothing is left blank, and a reply is put together from them."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from core.chat.replies import Article, Image, Link, Music, News, Said, Silence, Text, Transfer, Video, Voice
from core.chat.speech import join, say
from core.chat.words import CityFacts, Words, clock, day, quoted, until, yuan
from core.clock import CITY_ZONE
from core.errors import BootError
from tests.core.chat.teahouse import TEAS, TEMPLATES
from tests.support.talk import words_of


@pytest.fixture
def words() -> Words:
    return words_of(TEMPLATES)


def test_a_missing_fact_is_an_error_and_no_blank(words: Words) -> None:
    with pytest.raises(UndefinedError, match="title"):
        words.render("chat/cancelled")


def test_a_missing_template_is_named(words: Words) -> None:
    with pytest.raises(TemplateNotFound, match="nowhere"):
        words.render("teahouse/nowhere")
    assert not words.has("teahouse/nowhere")


def test_a_broken_template_stops_the_boot(tmp_path: Path) -> None:
    (tmp_path / "broken.txt").write_text("{% if %}")
    with pytest.raises(BootError, match=r"broken\.txt"):
        Words(tmp_path)


def test_a_question_has_a_lead_and_a_line_for_each_option(words: Words) -> None:
    question = words.question("teahouse/tea", options=TEAS)
    assert (question.lead, question.label(TEAS[0])) == ("请选茶：", "龙井")
    assert words.question("teahouse/seat", options=TEAS).label(TEAS[1]) == "碧螺春"


def test_the_city_stands_in_every_template(tmp_path: Path) -> None:
    (tmp_path / "who.txt").write_text("{{ city.name }} {{ city.desk_phone }}")
    assert Words(tmp_path, CityFacts(name="江城")).render("who") == "江城 12345"


def test_filters() -> None:
    assert day(date(2026, 11, 25)) == "11月25日 周三"
    assert until(datetime(2026, 11, 25, 9, tzinfo=CITY_ZONE)) == "11月25日 周三 09:00"
    assert until(datetime(2026, 11, 25, tzinfo=CITY_ZONE)) == "11月24日 周二 24:00", "as people say it"
    assert day(datetime(2026, 11, 24, 18, 0, tzinfo=UTC)) == "11月25日 周三"
    assert clock(datetime(2026, 11, 24, 1, 5, tzinfo=UTC)) == "09:05"
    assert [yuan(0), yuan(1250), yuan(500), yuan(5)] == ["0 元", "12.50 元", "5 元", "0.05 元"]
    assert quoted('<a href="x">点\n我</a>') == 'a href="x"点 我/a'
    assert quoted("长" * 30) == "长" * 20 + "…"


def test_days_are_named_as_people_say_them_on_that_day(tmp_path: Path) -> None:
    (tmp_path / "line.txt").write_text(
        "{% macro option(it) %}{{ it | day }}{% endmacro %}{{ it | day }}|{{ it | short_day }}"
    )
    words = Words(tmp_path).on(date(2026, 11, 22))
    said = [words.render("line", it=date(2026, 11, each)) for each in (21, 22, 23, 24, 25, 29)]
    assert said == [
        "11月21日 周六|11月21日",
        "今天 11月22日 周日|今天",
        "明天 11月23日 周一|明天",
        "后天 11月24日 周二|后天",
        "11月25日 周三|11月25日",
        "11月29日 周日|11月29日",
    ]
    late = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)  # half past midnight in the city
    assert words.question("line", it=late).label(late) == "明天 11月23日 周一"
    assert Words(tmp_path).render("line", it=late) == "11月23日 周一|11月23日"


def test_every_kind_of_reply_is_said(words: Words) -> None:
    card = Article(title="品茶会")
    assert say(News((card,)), words, 7) == Said(type="news", at=7, articles=(card,))
    assert say(Image("m"), words, 7) == Said(type="image", at=7, media_id="m")
    assert say(Voice("m"), words, 7) == Said(type="voice", at=7, media_id="m")
    assert say(Video("m", "t", "d"), words, 7).title == "t"
    assert say(Music("m", url="u"), words, 7).thumb_media_id == "m"
    assert say(Transfer("kf1"), words, 7) == Said(type="transfer_customer_service", at=7, agent="kf1")
    assert say(Silence(), words, 7) == Said(type="", at=7)
    link = say(Link("teahouse/hello", 'http://t/?a=1&b="2"', "去<看>"), words, 7)
    assert link.text == '茶馆欢迎您。\n<a href="http://t/?a=1&amp;b=&quot;2&quot;">去看</a>'
    assert say(Text("teahouse/hello"), words, 7).text == "茶馆欢迎您。"


def test_texts_are_joined_and_a_card_comes_alone() -> None:
    one, two = Said(type="text", at=1, text="一"), Said(type="text", at=1, text="二")
    card = Said(type="image", at=1, media_id="m")
    assert join([one, Said(type="", at=1), two], 5) == Said(type="text", at=5, text="一\n\n二")
    assert join([one, card], 5) == card
    assert join([], 5) == Said(type="", at=5)
