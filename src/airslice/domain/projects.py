"""Projects: the tenants of the smart live API."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectUser:
    """A user who may fetch access tokens for a project."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A tenant: the account it belongs to, and where its broadcasts are heard."""

    project_id: str
    account_id: str
    """The account whose keys sign the project's requests."""
    app_id: str
    """The RTC application that the project's live jobs publish into."""
    name: str = ""
    """Id of the region by which clients look the project up; empty: any region."""
    users: tuple[ProjectUser, ...] = ()
