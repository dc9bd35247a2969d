"""The admin API's document says what is there."""

from __future__ import annotations

import httpx
import msgspec

from tests.support.stages.console_stand_ins import APP_ID


async def test_the_openapi_document_describes_what_is_there(client: httpx.AsyncClient) -> None:
    document = (await client.get("/api/openapi.json")).json()

    assert document["openapi"].startswith("3.1")
    names = {
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    }
    assert names == {
        "show_session", "sign_in", "sign_out", "list_apps", "mint_token", "show_room",
        "start_slicing", "stop_slicing", "list_slices",
        "list_deliveries", "show_delivery", "retry_delivery", "retry_dead",
        "list_live_jobs", "block_live_job",
    }  # fmt: skip
    references = set(_references(document))
    assert references == {
        f"#/components/schemas/{name}" for name in document["components"]["schemas"]
    }
    for path, operations in document["paths"].items():
        for method in operations:
            concrete = path.format(app_id=APP_ID, room_id="lobby", delivery_id=1, job_id="job")
            response = await client.request(method, concrete, content=b"")
            assert str(response.status_code) in operations[method]["responses"], (method, path)


def _references(node: object) -> list[str]:
    text = msgspec.json.encode(node).decode()
    return [piece.partition('"')[0] for piece in text.split('"$ref":"')[1:]]
