"""`work` as it runs beside any gateway, with the bench's kinds of notices."""

import sys

from bench.webhook.programs import gateway
from commands import work

if __name__ == "__main__":
    sys.exit(gateway.run(work.work))
