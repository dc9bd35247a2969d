"""The console: a page for a person, and the small admin API behind it.

`ConsoleFacade.routes()` answers `/`, `/console/…` and `/api/…`. Everything that it shows or
orders goes through `ConsoleServices`; who may ask is `AdminAccess`'s to say.
"""

from airslice.facades.console.access import AdminAccess
from airslice.facades.console.facade import ConsoleFacade
from airslice.facades.console.room_operations import ConsoleServices

__all__ = ["AdminAccess", "ConsoleFacade", "ConsoleServices"]
