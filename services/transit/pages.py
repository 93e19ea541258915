"""The addresses of the ride code's pages, for their doors and for what is said in chat."""

from urllib.parse import urlencode

CODE = "/transit"
GRANT, PICTURE = f"{CODE}/grant", f"{CODE}/picture"
OPEN, CLOSE = f"{CODE}/open", f"{CODE}/close"
TRIPS, PAY = f"{CODE}/trips", f"{CODE}/pay"


class RideLinks:
    """Pages behind the login; who opens one through an account is who they are there."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")

    def to(self, page: str, account: str) -> str:
        """One of the pages above, whole."""
        return f"{self._base_url}{page}?{urlencode({'account': account})}"
