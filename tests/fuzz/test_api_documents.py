"""Whatever a document allows and forbids is sent; each answer is one that the document names."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeAlias

import pytest
import requests
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.fuzz import tally
from tests.support.fuzz.documents import DOCUMENTS, Document
from tests.support.fuzz.effort import LONGER, MULTIPLIER, effort
from tests.support.server.running_server import RunningServer
from tests.support.waiting import PATIENCE_S

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
BOUNDS = 40
"""Per operation: requests at the bounds of the document and beyond them."""

EXAMPLES = {GenerationMode.POSITIVE: 10, GenerationMode.NEGATIVE: 5}
"""Per operation: requests that the document allows, and others, on top of that."""

AnyCase: TypeAlias = "Case[Any]"
Operation: TypeAlias = "APIOperation[Any, Any, Any, Any]"

RATE_WAIT_S = 0.05
RATE_TRIES = 40


@LONGER
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_answers_are_those_of_the_document(document: Document, attacked: RunningServer) -> None:
    schema = schemathesis.openapi.from_url(attacked.base_url + document.path)
    schema.validate()
    attack = Attack(document, attacked)
    shapes: set[str] = set()

    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        generation = schema.config.generation_for(operation=operation)
        shape = shape_of(operation)
        bounds = schema.iter_coverage_cases(
            operation, generation_modes=list(EXAMPLES), generation_config=generation
        )
        if shape not in shapes or MULTIPLIER > 1:
            for case in spread([*bounds], BOUNDS * MULTIPLIER):
                attack.send(case, attack.ids)
        shapes.add(shape)
        for mode, examples in EXAMPLES.items():
            cases = operation.as_strategy(generation_mode=mode)
            filled = st.sampled_from([{}, attack.ids, attack.known])
            try:
                effort(examples)(given(cases, filled)(attack.send))()
            except Unsatisfiable:  # where nothing is asked for, nothing can be wrong
                assert mode is GenerationMode.NEGATIVE

    assert attack.never_answered_well() <= document.out_of_reach


class Attack:
    """Sends the requests of one document, and judges the answers."""

    def __init__(self, document: Document, server: RunningServer) -> None:
        self._name = document.name
        self._url = server.base_url
        self._auth = document.credentials(server)
        self.ids = document.ids(server)
        self.known = {**self.ids, **document.known(server)}
        self._session = requests.Session()
        self._answers: dict[str, Counter[int]] = {}

    def send(self, case: AnyCase, filled: Mapping[str, Any]) -> None:
        """Send one request, with what is filled in in place of what was generated."""
        for part in (case.path_parameters, case.query, case.body):
            put_in(part, filled)
        with tally.counted(self._name):
            response = self._answer(case)
            case.validate_response(response, checks=CHECKS)
        status = response.status_code
        tally.ANSWERS.setdefault(self._name, Counter())[status] += 1
        self._answers.setdefault(case.operation.label, Counter())[status] += 1

    def never_answered_well(self) -> set[str]:
        """Return the operations that no request got through to."""
        return {
            operation
            for operation, answers in self._answers.items()
            if min(answers, default=0) > 299
        }

    def _answer(self, case: AnyCase) -> Response:
        """Send a request, slower if it comes too fast; a refusal for a while is an answer."""
        for _ in range(RATE_TRIES):
            response = case.call(self._url, self._session, auth=self._auth, timeout=PATIENCE_S)
            if response.status_code != 429 or "retry-after" in response.headers:
                break
            time.sleep(RATE_WAIT_S)
        return response


def spread(cases: list[AnyCase], count: int) -> list[AnyCase]:
    """Return less than twice as many cases as `count`, if need be with equal gaps between them."""
    return cases[:: max(1, len(cases) // count)]


def shape_of(operation: Operation) -> str:
    """Return what a request is made of, the same for versions that differ in nothing else."""
    raw = operation.definition.raw
    return json.dumps([raw.get("parameters"), raw.get("requestBody")])


def put_in(part: Any, known: Mapping[str, Any]) -> None:
    """Replace the values of known names, at any depth."""
    if isinstance(part, dict):
        for name in part:
            if name in known:
                part[name] = known[name]
            else:
                put_in(part[name], known)
    elif isinstance(part, list):
        for item in part:
            put_in(item, known)
