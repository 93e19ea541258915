"""The addresses of a citizen's own pages, for what is said in chat."""

from urllib.parse import urlencode

PAGE = "/me"


class OwnPages:
    """Pages behind the login; who opens one through an account is who they are there."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")

    def me(self, account: str) -> str:
        """我的."""
        return f"{self._base_url}{PAGE}?{urlencode({'account': account})}"
