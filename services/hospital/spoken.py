"""How citizens name doctors: the aliases of what we offer. Days and times are understood by the chat."""


def doctor_names(surname: str, given_name: str, title: str) -> tuple[str, ...]:
    """陈静: 陈静, 陈医生, 陈大夫, and 陈主任 where the title says so."""
    calls = ["医生", "大夫", *(["主任"] if "主任" in title else [])]
    return (
        surname + given_name,
        *(f"{name}{call}" for name in (surname, surname + given_name) for call in calls),
    )
