"""For operators: ``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A figure that operators can watch; never one of a single user, whose number has no bound."""

    name: str
    """Name in Prometheus' style, without the prefix."""
    meaning: str
    read: Callable[[], float]
    counts: bool = False
    """Whether the figure only ever grows."""


class _Readings(Collector):
    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = readings

    def collect(self) -> Iterable[Metric]:
        for reading in self._readings:
            family = CounterMetricFamily if reading.counts else GaugeMetricFamily
            yield family(f"airslice_{reading.name}", reading.meaning, value=reading.read())


class HealthFacade:
    """Tells whether the server lives, whether it takes work, and how much work it does."""

    def __init__(self, readings: Sequence[Reading], refusal: Callable[[], str]) -> None:
        """Show `readings`; `refusal` tells why no work is taken now, nothing if it is."""
        self._registry = CollectorRegistry()
        self._registry.register(_Readings(readings))
        self._refusal = refusal

    def routes(self) -> list[Route]:
        """Return the routes of health and readiness."""
        return [
            Route("/healthz", self._live, methods=["GET"]),
            Route("/readyz", self._ready, methods=["GET"]),
        ]

    def metrics_routes(self) -> list[Route]:
        """Return the route of the metrics, which may have an address of its own."""
        return [Route("/metrics", self._metrics, methods=["GET"])]

    async def _live(self, request: Request) -> Response:
        del request
        return PlainTextResponse("ok\n")

    async def _ready(self, request: Request) -> Response:
        del request
        if refusal := self._refusal():
            return PlainTextResponse(f"{refusal}\n", 503)
        return PlainTextResponse("ready\n")

    async def _metrics(self, request: Request) -> Response:
        del request
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)
