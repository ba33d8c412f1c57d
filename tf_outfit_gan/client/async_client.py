"""The client for programs on asyncio: the methods of `Client`, to await."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

from tf_outfit_gan.client.client import Client

P = ParamSpec("P")
Result = TypeVar("Result")


def _awaited(method: "Callable[Concatenate[Client, P], Result]") -> "Callable[Concatenate[AsyncClient, P], Awaitable[Result]]":
    """A method of `Client` that runs in one of the client's threads."""

    @functools.wraps(method)
    async def call(self: "AsyncClient", *args: P.args, **kwargs: P.kwargs) -> Result:
        bound = functools.partial(method, self._client, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, bound)

    return call


class AsyncClient:
    """`Client` for asyncio. Reading and encoding of pictures, which takes processor time, stays off the event loop, too.

    A call that is cancelled while it waits for its turn is not made; one that the server works at goes on there.

    Args:
        concurrency: calls at the same time; further ones wait.
        others: as `Client`'s.
    """

    def __init__(self, *args: Any, concurrency: int = 16, **kwargs: Any) -> None:
        self._client = Client(*args, **kwargs)
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="outfit-gan-client")

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Waits for the calls that run and closes the connections; the client is not used after it."""
        await asyncio.to_thread(self._threads.shutdown)
        self._client.close()

    render = _awaited(Client.render)
    render_png = _awaited(Client.render_png)
    render_jpeg = _awaited(Client.render_jpeg)
    preview = _awaited(Client.preview)
    styles = _awaited(Client.styles)
    synthesize = _awaited(Client.synthesize)
    transfer = _awaited(Client.transfer)
    slots = _awaited(Client.slots)
    describe = _awaited(Client.describe)
    status = _awaited(Client.status)
    metadata = _awaited(Client.metadata)
    wait_ready = _awaited(Client.wait_ready)
