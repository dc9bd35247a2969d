"""All parsers that are given bytes of others."""

from __future__ import annotations

from tests.support.fuzz import answer_parsers, media_parsers, request_parsers

PARSERS = (*media_parsers.PARSERS, *request_parsers.PARSERS, *answer_parsers.PARSERS)
