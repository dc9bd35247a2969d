"""The operations of the admin API on the outbox."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from airslice.application.delivery.deliveries import Deliveries
from airslice.domain.errors import DeliveryNotFound, InvalidInput
from airslice.facades.console import views
from airslice.facades.console.bodies import json_response
from airslice.facades.console.openapi import Operation
from airslice.facades.http.openapi import Json

PATH = "/api/deliveries"

MAX_DELIVERIES = 500
DEFAULT_DELIVERIES = 50

STATES = {"all": None, "dead": True, "pending": False}
"""What can be listed, and the value of `dead` that selects it."""

MAX_ID = 2**63 - 1


class DeliveryOperations:
    """Answers what is asked about deliveries, and what is ordered for them."""

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries

    def table(self) -> tuple[Operation, ...]:
        """Return the operations on deliveries."""
        query: dict[str, Json] = {
            "state": {"type": "string", "enum": list(STATES)},
            "after": {"type": "integer", "minimum": 0},
            "limit": {"type": "integer", "minimum": 1, "maximum": MAX_DELIVERIES},
        }
        one, errors = f"{PATH}/{{delivery_id}}", (400, 404, 503)
        return (
            Operation(
                "GET",
                PATH,
                self.list_deliveries,
                gives=views.Deliveries,
                errors=(400, 503),
                query=query,
            ),
            Operation(
                "POST", f"{PATH}/retry-dead", self.retry_dead, gives=views.Revived, errors=(503,)
            ),
            Operation("GET", one, self.show_delivery, gives=views.Delivery, errors=errors),
            Operation(
                "POST", f"{one}/retry", self.retry_delivery, gives=views.Delivery, errors=errors
            ),
        )

    async def list_deliveries(self, request: Request) -> Response:
        """List uploads and callbacks that are still to be made, or were given up."""
        state = request.query_params.get("state", "all")
        if state not in STATES:
            raise InvalidInput("state", f"expected one of {', '.join(STATES)}")
        found = await self._deliveries.page(
            dead=STATES[state],
            after_id=_number(request, "after", 0, range(MAX_ID)),
            limit=_number(request, "limit", DEFAULT_DELIVERIES, range(1, MAX_DELIVERIES + 1)),
        )
        return json_response(
            views.Deliveries(deliveries=[views.Delivery.of(delivery) for delivery in found])
        )

    async def show_delivery(self, request: Request) -> Response:
        """Show one of them."""
        return json_response(views.Delivery.of(await self._deliveries.find(_id(request))))

    async def retry_delivery(self, request: Request) -> Response:
        """Begin another round of tries for one that is dead or parked; others are unchanged."""
        return json_response(views.Delivery.of(await self._deliveries.retry(_id(request))))

    async def retry_dead(self, request: Request) -> Response:
        """Begin another round of tries for all that were given up."""
        del request
        return json_response(views.Revived(revived=await self._deliveries.retry_dead()))


def _id(request: Request) -> int:
    text = request.path_params["delivery_id"]
    if not text.isascii() or not text.isdigit() or len(text) > len(str(MAX_ID)):
        raise InvalidInput("delivery_id", "expected a number")
    if int(text) > MAX_ID:
        raise DeliveryNotFound(f"there is no delivery {text}")
    return int(text)


def _number(request: Request, name: str, default: int, allowed: range) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > len(str(MAX_ID)):
        raise InvalidInput(name, "expected a number")
    if int(text) not in allowed:
        raise InvalidInput(name, f"expected {allowed[0]} to {allowed[-1]}")
    return int(text)
