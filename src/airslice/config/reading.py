"""Read a configuration into its shape: file first, environment over it, every problem noted.

Environment: `AIRSLICE_` and the setting's full name in upper case, with `__` for each step down;
elements of lists by their number, counted from 0. `AIRSLICE_APPS__0__SLICE_FORMAT=ogg` is
`apps[0].slice_format`. Numbers and booleans are written as in the file; a whole list or table is
written as JSON. Names without `__` that are no section are not ours: Kubernetes, for one, makes
`AIRSLICE_PORT` for a service called airslice.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, UNSET, Struct

from airslice.config.problems import Problems

PREFIX = "AIRSLICE_"
Table = TypeVar("Table", bound=Struct)


@dataclass(slots=True)
class Override:
    """What the environment says of a setting and of those below it."""

    variable: str = ""
    text: str | None = None
    below: dict[str, Override] = field(default_factory=dict)
    """By name, in upper case, or by number."""


def overrides(environment: Mapping[str, str], sections: Iterable[str]) -> Override:
    """Arrange the variables of `environment` that are settings as a tree like the file's."""
    known = {section.upper() for section in sections}
    root = Override()
    for variable in sorted(environment):
        name = variable.removeprefix(PREFIX)
        if name == variable or ("__" not in name and name not in known):
            continue
        node = root
        for step in name.upper().split("__"):
            node = node.below.setdefault(step, Override())
        node.variable = variable
        node.text = environment[variable]
    return root


class Reader:
    """Reads raw values into the types of a shape, noting what does not fit.

    What could not be read is left out or replaced by its default; the result counts only if
    no problem was noted.
    """

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def table(self, shape: type[Table], raw: object, override: Override, name: str) -> Table | None:
        """Read a table, or None if a required setting is missing or unreadable."""
        if not isinstance(raw, dict):
            self._problems.add(name, "expected a table")
            return None
        values: dict[str, Any] = {}
        fields = {info.encode_name: info for info in msgspec.structs.fields(shape)}
        for key, info in fields.items():
            below = override.below.get(key.upper(), Override())
            inner = f"{name}.{key}" if name else key
            given = key in raw or below.variable or below.below
            if not given and (info.default is UNSET or _table_of(info.type) is None):
                if info.default is NODEFAULT and info.default_factory is NODEFAULT:
                    self._problems.add(inner, "is missing")
                continue
            value = self._value(info.type, raw.get(key, UNSET), below, inner)
            if value is not UNSET:
                values[info.name] = value
        self._refuse_unknown(raw, override, name, known=list(fields))
        required = (info.name for info in fields.values() if info.required)
        return shape(**values) if all(key in values for key in required) else None

    def _value(self, kind: Any, raw: object, override: Override, name: str) -> Any:
        """Read any value; UNSET if it cannot be read. `raw` is UNSET where the file has none."""
        strict = True
        if override.variable:
            name = f"{name} ({override.variable})"
        table = _table_of(kind)
        if override.text is not None:
            raw, strict = override.text, False
            if table or get_origin(kind) in (list, dict):
                try:
                    raw, strict = msgspec.json.decode(override.text), True
                except msgspec.DecodeError:
                    self._problems.add(name, "expected JSON")
                    return UNSET
        if table:
            read = self.table(table, {} if raw is UNSET else raw, override, name)
            return UNSET if read is None else read
        if get_origin(kind) is list:
            return self._list(get_args(kind)[0], [] if raw is UNSET else raw, override, name)
        if override.below:
            self._problems.add(_first_variable(override), f"{name} has nothing below it")
            return UNSET
        return self._plain(kind, raw, name, strict=strict)

    def _list(self, kind: Any, raw: object, override: Override, name: str) -> Any:
        if not isinstance(raw, list):
            self._problems.add(name, "expected a list")
            return UNSET
        items: list[object] = list(raw)
        below = dict(override.below)
        while str(len(items)) in below:
            items.append(UNSET)
        read = [
            self._value(kind, item, below.pop(str(index), Override()), f"{name}[{index}]")
            for index, item in enumerate(items)
        ]
        for step, node in below.items():
            self._problems.add(
                _first_variable(node),
                f"{step} is no number of an element; {name} has {len(items)}, counted from 0",
            )
        return [item for item in read if item is not UNSET]

    def _plain(self, kind: Any, raw: object, name: str, *, strict: bool) -> Any:
        try:
            return msgspec.convert(raw, kind, strict=strict)
        except msgspec.ValidationError as error:
            if get_origin(kind) is Literal:
                choices = ", ".join(str(choice) for choice in get_args(kind))
                self._problems.add(name, f"expected one of {choices}")
            elif "length >= 1" in str(error):
                self._problems.add(name, "is empty")
            else:
                # The messages tell types and bounds, never the value, which may be a secret.
                self._problems.add(name, str(error).replace("Expected", "expected"))
            return UNSET

    def _refuse_unknown(
        self, raw: Mapping[str, object], override: Override, name: str, *, known: list[str]
    ) -> None:
        for key in raw:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
                self._problems.add(f"{name}.{key}" if name else key, f"no such setting{hint}")
        names = {key.upper() for key in known}
        for step, node in override.below.items():
            if step not in names:
                self._problems.add(_first_variable(node), f"no such setting as {step.lower()}")


def _table_of(kind: Any) -> type[Struct] | None:
    """Return the table type that `kind` is, alone or in a union with UNSET."""
    members = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    return next((m for m in members if isinstance(m, type) and issubclass(m, Struct)), None)


def _first_variable(node: Override) -> str:
    """Return the name of a variable at or below `node`."""
    while node.below:
        node = next(iter(node.below.values()))
    return node.variable
