"""What is counted: by account, kind and outcome, and how long replies took."""

from prometheus_client.parser import text_string_to_metric_families

from core.metrics import Metrics


def counted() -> Metrics:
    metrics = Metrics()
    for seconds in (0.001, 0.002, 0.02, 9.0):
        metrics.answered("city", "text", "replied", seconds)
    metrics.answered("school", "click", "failed", 0.004)
    return metrics


def test_prometheus_reads_what_was_counted() -> None:
    families = {
        family.name: family
        for family in text_string_to_metric_families(counted().exposition().decode())
        if family.name.startswith("bianmin")
    }
    messages = {tuple(each.labels.values()): each.value for each in families["bianmin_messages"].samples}
    assert messages == {("city", "text", "replied"): 4, ("school", "click", "failed"): 1}
    city = {
        each.labels.get("le", each.name.rpartition("_")[2]): each.value
        for each in families["bianmin_reply_seconds"].samples
        if each.labels["account"] == "city"
    }
    assert (city["0.001"], city["0.0025"], city["0.025"], city["4.5"], city["+Inf"]) == (1, 2, 3, 3, 4)
    assert (city["count"], round(city["sum"], 3)) == (4, 9.023)


def test_the_health_page_asks_by_kind_and_for_the_time_most_replies_took() -> None:
    metrics = counted()
    assert metrics.by_kind() == {"text": 4, "click": 1}
    assert metrics.within(0.5) == 0.005
    assert metrics.within(0.8) == 0.025
    assert metrics.within(0.99) == float("inf")
    assert Metrics().within(0.5) is None
