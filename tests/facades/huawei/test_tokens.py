"""Tokens that stand for a project's user, and what ends them."""

from __future__ import annotations

import base64
import json

import pytest

from airslice.domain.projects import Project, ProjectUser
from airslice.facades.http.refusals import Refusal
from airslice.facades.huawei.tokens import ProjectTokens
from tests.support.stages.smart_live_stage import PROJECT, SECOND

P = PROJECT.project_id


class TestClaims:
    def test_a_changed_claim_is_refused(self) -> None:
        tokens = ProjectTokens([PROJECT, SECOND], bytes(32))
        claim, _, signature = tokens.mint(PROJECT, PROJECT.users[0], now_s=0).partition(".")
        facts = json.loads(base64.urlsafe_b64decode(claim + "=="))
        facts["expires_at_s"] += 1
        longer = base64.urlsafe_b64encode(json.dumps(facts).encode()).decode().rstrip("=")

        with pytest.raises(Refusal, match="decrypt token fail"):
            tokens.verify(f"{longer}.{signature}", now_s=0)

    @pytest.mark.parametrize(
        "users", [(), (ProjectUser(name="operator", password="new"),)], ids=["gone", "changed"]
    )
    def test_a_token_ends_with_its_user_and_password(self, users: tuple[ProjectUser, ...]) -> None:
        token = ProjectTokens([PROJECT], bytes(32)).mint(PROJECT, PROJECT.users[0], now_s=0)
        changed = Project(project_id=P, account_id="a", app_id="b", users=users)

        with pytest.raises(Refusal, match="decrypt token fail"):
            ProjectTokens([changed], bytes(32)).verify(token, now_s=0)

    def test_a_token_ends_with_the_master_key(self) -> None:
        token = ProjectTokens([PROJECT], bytes(32)).mint(PROJECT, PROJECT.users[0], now_s=0)

        with pytest.raises(Refusal, match="decrypt token fail"):
            ProjectTokens([PROJECT], b"x" * 32).verify(token, now_s=0)
