"""The HTTP connections to one server of the engine `openai`: opened when needed, pooled."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp
from yarl import URL

from heliumql.engines.chat import error_message
from heliumql.engines.server import Server, proxy_for

_CHECK_SECONDS = 10.0
_CONNECT_SECONDS = 30.0
_LOOK_SECONDS = 2.0
_MOST_METRICS = 4_000_000  # bytes
# Below the five seconds after which common servers close an idle connection: a request that
# meets such a close is lost.
_KEEP_ALIVE = 4.0


class Line:
    """Sends requests and reads responses; knows nothing of calls."""

    def __init__(self, server: Server, key: str | None) -> None:
        self._server = server
        self._key = key
        self._headers = {"Content-Type": "application/json"}  # of requests to the API
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def models(self) -> bytes | None:
        """The server's list of models; None where it has none to show.

        Raises EngineError where it cannot be reached or refuses the key.
        """
        timeout = aiohttp.ClientTimeout(total=_CHECK_SECONDS, sock_connect=_CHECK_SECONDS / 2)
        try:
            async with self._opened().get(
                self._server.url / "models",
                headers=self._headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                body = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise self._server.unreachable(error) from None
        except (aiohttp.ClientError, OSError):
            return None  # it is there, only slow or odd, and may well answer chats
        if response.status in (401, 403):
            raise self._server.refused(response.status, self.safe(error_message(body)[0]))
        return body if response.status == 200 else None

    async def metrics(self) -> str | None:
        """What the server tells of itself for others to watch; None where it does not now.

        Raises LookupError where it never does. It lies outside the API, so no key is sent.
        """
        timeout = aiohttp.ClientTimeout(total=_LOOK_SECONDS)
        text = b""
        try:
            async with self._opened().get(
                self._server.metrics, timeout=timeout, allow_redirects=False
            ) as response:
                if 300 <= response.status < 500:
                    raise LookupError(f"no metrics: {response.status}")
                if response.status != 200:
                    return None
                async for part in response.content.iter_chunked(1 << 16):
                    text += part
                    if len(text) > _MOST_METRICS:
                        raise LookupError("too much for metrics")
        except (aiohttp.ClientError, OSError):
            return None
        return text.decode("utf-8", "replace")

    async def post(self, url: URL, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and content of the response. Raises aiohttp.ClientError or OSError,
        of which TimeoutError is one."""
        async with self._opened().post(
            url, data=body, headers=self._headers, allow_redirects=False
        ) as response:
            return response.status, response.headers, await response.read()

    def safe(self, message: str) -> str:
        """The message of a server, which may repeat the key."""
        return message.replace(self._key, "***") if self._key else message

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE),
                timeout=aiohttp.ClientTimeout(
                    total=self._server.timeout, sock_connect=_CONNECT_SECONDS
                ),
                proxy=proxy_for(self._server.url),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session
