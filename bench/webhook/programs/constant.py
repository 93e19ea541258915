"""Program (a): aiohttp alone reads the body and answers a constant; nobody can be faster with it."""

from aiohttp import web

from bench.webhook.plan import PATH, Plan
from bench.webhook.programs.serving import serve


async def build(_plan: Plan) -> web.Application:
    """Make the application."""
    app = web.Application()
    app.router.add_post(PATH, _answer)
    return app


async def _answer(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(text="success")


if __name__ == "__main__":
    serve(build)
