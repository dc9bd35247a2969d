"""Volcengine's wire: the RTC audio slicing operations (StartSegment and its family).

    facade.py           the ASGI application: read, verify, dispatch, answer
    signature.py        HMAC-SHA256 request signatures
    operations.py       the table of (Action, Version), and what each one calls
    bodies.py           JSON, form and query parameters → wire structs
    requests.py         wire structs of requests → the domain's values
    storage_config.py   where slices go, as the wire says it
    responses.py        the domain's values → wire structs of responses
    envelope.py         ResponseMetadata and Result
    errors.py           every error on this wire

Source: https://www.volcengine.com/docs/6348/1188212 and its neighbours.
"""

from airslice.facades.volcengine.facade import VolcengineFacade
from airslice.facades.volcengine.operations import SliceTasks

__all__ = ["SliceTasks", "VolcengineFacade"]
