"""Who asks: an account by its signature, or a project's user by his token."""

from __future__ import annotations

from collections.abc import Sequence

from airslice.application.ports.clock import Clock
from airslice.domain.apps import Account
from airslice.domain.errors import ProjectNotFound
from airslice.domain.projects import Project
from airslice.facades.http.refusals import Refusal
from airslice.facades.huawei import errors
from airslice.facades.huawei.exchange import Exchange
from airslice.facades.huawei.signature import check, claim_of
from airslice.facades.huawei.tokens import ProjectTokens


class Access:
    """Verifies who sent a request.

    Args:
        accounts: Who may sign requests; access keys are unique.
        projects: What the accounts have.
        tokens: Verifies tokens.
        clock: Judges signatures and tokens.
    """

    def __init__(
        self,
        accounts: Sequence[Account],
        projects: Sequence[Project],
        tokens: ProjectTokens,
        clock: Clock,
    ) -> None:
        self._accounts = {account.access_key: account.id for account in accounts}
        self._secret_keys = {account.access_key: account.secret_key for account in accounts}
        self._projects = {project.project_id: project for project in projects}
        self._tokens = tokens
        self._clock = clock

    async def account(self, exchange: Exchange) -> tuple[str, bytes]:
        """Return whose request it is, and its body.

        Raises:
            Refusal: it does not prove whose it is.
        """
        token = exchange.headers.get("x-auth-token")
        if token:
            project = self._tokens.verify(token, now_s=self._now_s())
            return project.account_id, await exchange.body()
        if "authorization" not in exchange.headers:
            raise Refusal(errors.UNAUTHENTICATED, "x-auth-token not found")
        claim = claim_of(exchange.headers, secret_keys=self._secret_keys, now_s=self._now_s())
        body = await exchange.body()
        check(claim, exchange.signed(body))
        return self._accounts[claim.access_key], body

    async def project(self, exchange: Exchange, project_id: str) -> tuple[Project, bytes]:
        """Return the project whose path a request has, and its body.

        Raises:
            Refusal: it does not prove whose it is, or its token is another project's.
            ProjectNotFound: its account has no such project.
        """
        token = exchange.headers.get("x-auth-token")
        if token and self._tokens.verify(token, now_s=self._now_s()).project_id != project_id:
            raise Refusal(errors.OTHER_PROJECT)
        account_id, body = await self.account(exchange)
        if exchange.headers.get("x-project-id", project_id) != project_id:
            raise Refusal(errors.OTHER_PROJECT)
        project = self.known(project_id)
        if project.account_id != account_id:
            raise ProjectNotFound("the account has no such project")
        return project, body

    def known(self, project_id: str) -> Project:
        """Return a project, whichever account it belongs to.

        Raises:
            ProjectNotFound: there is none.
        """
        project = self._projects.get(project_id)
        if project is None:
            raise ProjectNotFound("the account has no such project")
        return project

    def _now_s(self) -> int:
        return self._clock.utc_ns() // 1_000_000_000
