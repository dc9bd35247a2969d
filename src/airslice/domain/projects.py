"""Projects: the tenants of the smart live API."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectUser:
    """Who may fetch tokens for a project."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A tenant: whose it is, and where its broadcasts are heard."""

    project_id: str
    account_id: str
    """Whose keys sign its requests."""
    app_id: str
    """The RTC application that its live jobs publish into."""
    name: str = ""
    """A region's id, as its clients look the project up by; empty: any."""
    users: tuple[ProjectUser, ...] = ()
