"""Whom the services ask outside this process: institutions, WeChat Pay and who signs ride codes."""

from collections.abc import Mapping
from dataclasses import dataclass

from commands.paying import Pay
from services.citizens.institutions import Institution
from services.transit.issuer import Issuer


@dataclass(frozen=True, slots=True)
class Outside:
    """The ways out, each opened once."""

    institutions: Mapping[str, Institution]
    paying: Pay
    issuer: Issuer
