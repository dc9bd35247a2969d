"""The console: a page for a person, and the small admin API behind it.

`ConsoleFacade.routes()` answers `/`, `/console/…` and `/api/…`. Everything that it shows or
orders goes through `ConsoleServices`; who may ask is `AdminAccess`'s to say.
"""
