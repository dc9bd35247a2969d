from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from airslice.facades.health import HealthFacade, Reading


class Figures:
    refusal = ""
    streams = 3
    datagrams = 41


@pytest.fixture
def figures() -> Figures:
    return Figures()


@pytest.fixture
async def http(figures: Figures) -> AsyncIterator[httpx.AsyncClient]:
    readings = [
        Reading(name="streams", meaning="Published streams.", read=lambda: figures.streams),
        Reading(name="datagrams", meaning="Received.", read=lambda: figures.datagrams, counts=True),
    ]
    health = HealthFacade(readings, refusal=lambda: figures.refusal)
    app = Starlette(routes=[*health.routes(), *health.metrics_routes()])
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as http:
        yield http


async def test_a_server_that_answers_lives(http: httpx.AsyncClient, figures: Figures) -> None:
    figures.refusal = "the disk is full"

    assert (await http.get("/healthz")).status_code == 200


async def test_a_server_is_ready_while_it_takes_work(
    http: httpx.AsyncClient, figures: Figures
) -> None:
    assert (await http.get("/readyz")).status_code == 200

    figures.refusal = "the disk is full"

    refused = await http.get("/readyz")
    assert (refused.status_code, refused.text) == (503, "the disk is full\n")


async def test_prometheus_reads_the_metrics(http: httpx.AsyncClient) -> None:
    response = await http.get("/metrics")

    families = {f.name: f for f in text_string_to_metric_families(response.text)}
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert families["airslice_streams"].type == "gauge"
    assert families["airslice_streams"].documentation == "Published streams."
    assert families["airslice_datagrams"].type == "counter"
    assert [s.name for s in families["airslice_datagrams"].samples] == ["airslice_datagrams_total"]


async def test_each_scrape_reads_anew(http: httpx.AsyncClient, figures: Figures) -> None:
    assert "airslice_datagrams_total 41.0" in (await http.get("/metrics")).text

    figures.datagrams = 42

    assert "airslice_datagrams_total 42.0" in (await http.get("/metrics")).text


async def test_the_process_of_one_server_shows_nothing_of_others(http: httpx.AsyncClient) -> None:
    text = (await http.get("/metrics")).text

    assert {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")} == {
        "airslice_streams",
        "airslice_datagrams_total",
    }
