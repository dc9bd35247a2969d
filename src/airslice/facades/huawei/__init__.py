"""Huawei's wire: MetaStudio smart live, and what its clients need of IAM.

    facade.py       the ASGI application: read, verify, dispatch, answer
    exchange.py     a request as it arrived, and how it is answered
    access.py       who asks: by signature or token
    signature.py    SDK-HMAC-SHA256 request signatures
    tokens.py       tokens of a project's users
    identity.py     POST /v3/auth/tokens, GET /v3/projects
    operations.py   the table of operations
    calls.py        the use cases, and what an operation is handed
    bodies.py       JSON and query parameters → wire structs
    live_rooms.py, live_room_lists.py, live_jobs.py, commands.py, audience_events.py, rules.py,
    platforms.py, user_config.py
                    a kind of object each: wire structs ↔ the domain's values, and operations
    scripts.py, layers.py, callbacks.py, fields.py
                    wire structs that several of these are made of
    openapi.py      the OpenAPI document, made from the same tables
    errors.py       every error on this wire

The misspellings of this wire (SHARED_TO_OHTERS, TOO_LESSS_SCRIPT_ITEMS, UNKNOW, …) stay in here.

Source: https://support.huaweicloud.com/api-metastudio/ListSmartLive.html and its neighbours;
huaweicloudsdkmetastudio 3.1.219.
"""
