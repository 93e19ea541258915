"""What people ask before they go to a hospital, where it publishes nothing about it."""

from tests.services.ward import Ward
from tests.support.talk import Talk


async def test_what_a_hospital_does_not_publish_is_asked_for_by_phone(talk: Talk, ward: Ward) -> None:
    del ward
    for question in ("带身份证吗", "怎么取号", "用医保吗", "几点开门"):
        assert "测试医院：请打电话 0199-5550000 问" in await talk.says(question)
