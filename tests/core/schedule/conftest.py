"""The bureau of the delivery tests."""

from tests.core.delivery.conftest import bureau, town

__all__ = ["bureau", "town"]
