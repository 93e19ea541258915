"""The demo city is looked at through the same services."""

from tests.services.conftest import citizens, hospital

__all__ = ["citizens", "hospital"]
