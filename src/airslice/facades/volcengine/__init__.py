"""Volcengine's wire: RTC audio slicing (StartSegment and its family), and rooms' moderation.

    facade.py           the ASGI application: read, verify, dispatch, answer
    signature.py        HMAC-SHA256 request signatures
    operations.py       the table of (Action, Version), and what each one calls
    bodies.py           JSON, form and query parameters → wire structs
    requests.py         wire structs of requests → the domain's values
    moderation.py       the same of bans, kicks and who is in a room
    callbacks.py        the same of callback settings
    storage_config.py   where slices go, as the wire says it
    responses.py        the domain's values → wire structs of responses
    envelope.py         ResponseMetadata and Result
    errors.py           every error on this wire
    openapi.py          all of this as an OpenAPI document

Source: https://www.volcengine.com/docs/6348/1188212 and its neighbours.
"""
