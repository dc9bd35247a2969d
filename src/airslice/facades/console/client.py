"""The other end of the admin API: asks a running server, for the command line."""

from __future__ import annotations

import http.client
from typing import Self, TypeVar

import msgspec

from airslice.facades.console import views
from airslice.facades.console.delivery_operations import MAX_DELIVERIES
from airslice.facades.console.problems import ProblemDetails

TIMEOUT_S = 30
MAX_ANSWER_BYTES = 10_000_000

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - replaced, not bound
"""Where a server that listens everywhere is reached on its own machine."""

Shape = TypeVar("Shape", bound=msgspec.Struct)


class AdminRefused(Exception):
    """The server refused a request; the message is the server's own."""


class AdminClient:
    """A client of the admin API, which signs in when its context is entered.

    Raises OSError where no server answers, and AdminRefused where it refuses.
    """

    def __init__(self, host: str, port: int, password: str | None) -> None:
        """Ask the server that listens at `host` and `port`.

        Args:
            host: Host of the server's configuration; one that means any address is replaced.
            port: Port of the server's configuration.
            password: Admin password of the server's configuration; None if it needs none.
        """
        self._connection = http.client.HTTPConnection(
            _ANY_ADDRESS.get(host, host), port, timeout=TIMEOUT_S
        )
        self._password = password
        self._cookie = ""

    def __enter__(self) -> Self:
        if self._password is not None:
            try:
                self._ask("POST", "/api/session", views.Password(password=self._password))
            except BaseException:
                self._connection.close()
                raise
        return self

    def __exit__(self, *failure: object) -> None:
        self._connection.close()

    def deliveries(self, state: str) -> list[views.Delivery]:
        """Return all deliveries in a state, which is `all`, `dead` or `pending`."""
        found: list[views.Delivery] = []
        while True:
            after = found[-1].id if found else 0
            path = f"/api/deliveries?state={state}&after={after}&limit={MAX_DELIVERIES}"
            page = _read(self._ask("GET", path), views.Deliveries).deliveries
            found += page
            if len(page) < MAX_DELIVERIES:
                return found

    def delivery(self, number: int) -> views.Delivery:
        """Return the delivery with this number."""
        return _read(self._ask("GET", f"/api/deliveries/{number}"), views.Delivery)

    def retry(self, number: int) -> views.Delivery:
        """Begin another round of tries for a delivery; return the delivery as it is then."""
        return _read(self._ask("POST", f"/api/deliveries/{number}/retry"), views.Delivery)

    def retry_dead(self) -> int:
        """Begin another round of tries for all that were given up; return how many these are."""
        return _read(self._ask("POST", "/api/deliveries/retry-dead"), views.Revived).revived

    def _ask(self, method: str, path: str, body: msgspec.Struct | None = None) -> bytes:
        headers = {"Content-Type": "application/json"} if body else {}
        if self._cookie:
            headers["Cookie"] = self._cookie
        content = None if body is None else msgspec.json.encode(body)
        try:
            self._connection.request(method, path, content, headers)
            response = self._connection.getresponse()
            answer = response.read(MAX_ANSWER_BYTES)
        except http.client.HTTPException as error:
            raise OSError(f"no airslice answers: {type(error).__name__}") from error
        if response.status >= 400:
            raise AdminRefused(_problem(response.status, answer))
        if cookie := response.headers.get("Set-Cookie"):
            self._cookie = cookie.partition(";")[0]
        return answer


def _read(answer: bytes, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(answer, type=shape)
    except msgspec.DecodeError as error:
        raise AdminRefused(f"the answer is not airslice's: {error}") from error


def _problem(status: int, answer: bytes) -> str:
    try:
        return msgspec.json.decode(answer, type=ProblemDetails).detail
    except msgspec.DecodeError:
        return f"HTTP {status}"
