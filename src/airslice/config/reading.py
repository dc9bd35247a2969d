"""Read a configuration into its tables: file first, environment over it, every problem noted.

Environment: `AIRSLICE_` and the setting's full name in upper case, with `__` for each step down;
elements of lists by their number, counted from 0. `AIRSLICE_APPS__0__SLICE_FORMAT=ogg` is
`apps[0].slice_format`. Numbers and booleans are written as in the file; a whole list or table is
written as JSON. Names without `__` that are no section are not ours: Kubernetes, for one, makes
`AIRSLICE_PORT` for a service called airslice.

msgspec reads the values; tables and lists are walked here, since it stops at the first problem.
docs/decisions/dependencies.md says why pydantic-settings does not do both.
"""

from __future__ import annotations

import difflib
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, is_dataclass
from enum import EnumMeta
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    Protocol,
    TypeVar,
    get_args,
    get_origin,
    runtime_checkable,
)

import msgspec
from msgspec import UNSET

PREFIX = "AIRSLICE_"
Table = TypeVar("Table")
NotEmpty = Annotated[str, msgspec.Meta(min_length=1)]


@dataclass(slots=True)
class Variable:
    """What the environment says of a setting and of those below it."""

    name: str = ""
    """Empty if only settings below this one are given."""
    text: str = ""
    below: dict[str, Variable] = field(default_factory=dict)
    """Settings below this one, by their names in upper case or their numbers."""

    def first_name(self) -> str:
        """Return the name of a variable for this setting or for one below it."""
        return next(iter(self.below.values())).first_name() if self.below else self.name


NOT_GIVEN = Variable()


def variables(environment: Mapping[str, str], *, sections: Iterable[str]) -> Variable:
    """Arrange the variables of `environment` that are settings as a tree like the file's."""
    known = {section.upper() for section in sections}
    root = Variable()
    for name in sorted(environment):
        setting = name.removeprefix(PREFIX)
        if setting == name or ("__" not in setting and setting not in known):
            continue
        node = root
        for step in setting.upper().split("__"):
            node = node.below.setdefault(step, Variable())
        node.name, node.text = name, environment[name]
    return root


class Setting(NamedTuple):
    """A setting of a table: its name and type in Python, and whether it must be given."""

    attribute: str
    kind: Any
    is_required: bool


def settings_of(table: Any) -> Mapping[str, Setting]:
    """Return the settings of a table, a dataclass or a struct, by their names in the file."""
    kinds = typing.get_type_hints(table, include_extras=True)
    shape: Any = msgspec.inspect.type_info(table)
    return {
        info.encode_name: Setting(info.name, kinds[info.name], info.required)
        for info in shape.fields
    }


@runtime_checkable
class Checked(Protocol):
    """A table with rules that types cannot say."""

    def problems(self) -> Iterable[tuple[str, str]]:
        """Return the names of settings below the table, each with what is wrong with it."""


class Reader:
    """Reads raw values into the types of tables, noting what does not fit."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        """What was noted, a line each, beginning with the full name of the setting."""

    def note(self, name: str, problem: str) -> None:
        """Note that the setting with the full name `name` has a problem."""
        self.problems.append(f"{name}: {problem}")

    def table(self, kind: type[Table], raw: object, over: Variable, name: str) -> Table | None:
        """Read a table; None if a setting of it is missing, unknown or of another type.

        A text that does not mean what it should, and what the table's own `problems` yields, is
        noted but leaves the table whole, so that tables can be compared. What is returned counts
        only if nothing was noted.

        Args:
            kind: Dataclass or struct.
            raw: What the file has there.
            over: What the environment says of it.
            name: Full name of the table; empty for the whole file.
        """
        if not isinstance(raw, dict):
            self.note(name, "expected a table")
            return None
        prefix = f"{name}." if name else ""
        settings = settings_of(kind)
        values: dict[str, Any] = {}
        for key, setting in settings.items():
            below = over.below.get(key.upper(), NOT_GIVEN)
            if key in raw or below is not NOT_GIVEN or setting.is_required:
                value = self._value(setting.kind, raw.get(key, UNSET), below, prefix + key)
                if value == "" and setting.is_required:
                    self.note(prefix + key, "is empty")
                    value = UNSET
                values[setting.attribute] = value
        if self._has_unknown(raw, over, prefix, list(settings)) or UNSET in values.values():
            return None
        table = kind(**values)
        if isinstance(table, Checked):
            for key, problem in table.problems():
                self.note(prefix + key, problem)
        return table

    def _value(self, kind: Any, raw: object, over: Variable, name: str) -> Any:
        """Read any value; UNSET if it cannot be read. `raw` is UNSET where the file has none."""
        kind, is_optional = _without_none(kind)
        is_table, is_list = _is_table(kind), get_origin(kind) is tuple
        if over.name:
            name = f"{name} ({over.name})"
            raw = over.text
            if is_table or is_list or get_origin(kind) is Mapping:
                try:
                    raw = msgspec.json.decode(over.text)
                except msgspec.DecodeError:
                    self.note(name, "expected JSON")
                    return UNSET
        if is_optional and (raw is None or (raw == "" and not is_table)):
            return None
        if is_table:
            read = self.table(kind, {} if raw is UNSET else raw, over, name)
            return UNSET if read is None else read
        if is_list:
            return self._list(get_args(kind)[0], [] if raw is UNSET else raw, over, name)
        if over.below:
            self.note(over.first_name(), f"{name} has nothing below it")
        elif raw is UNSET:
            self.note(name, "is missing")
        else:
            return self._plain(kind, raw, name, strict=not over.name)
        return UNSET

    def _list(self, kind: Any, raw: object, over: Variable, name: str) -> Any:
        if not isinstance(raw, list):
            self.note(name, "expected a list")
            return UNSET
        items: list[object] = list(raw)
        below = dict(over.below)
        while str(len(items)) in below:
            items.append(UNSET)
        read = [
            self._value(kind, item, below.pop(str(index), NOT_GIVEN), f"{name}[{index}]")
            for index, item in enumerate(items)
        ]
        for step, node in below.items():
            self.note(
                node.first_name(),
                f"{step} is no number of an element; {name} has {len(items)}, counted from 0",
            )
        return UNSET if below or UNSET in read else tuple(read)

    def _plain(self, kind: Any, raw: object, name: str, *, strict: bool) -> Any:
        meaning = _meaning(kind)
        try:
            value = msgspec.convert(raw, NotEmpty if meaning else kind, strict=strict)
        except msgspec.ValidationError as error:
            # The messages tell types and bounds, never the value, which may be a secret.
            problem = str(error).replace("Expected", "expected")
            if choices := _choices(kind):
                problem = f"expected one of {', '.join(map(str, choices))}"
            self.note(name, "is empty" if "length >= 1" in problem else problem)
            return UNSET
        try:
            return meaning(value) if meaning else value
        except ValueError as error:
            self.note(name, str(error))
            return value

    def _has_unknown(
        self, raw: Mapping[str, object], over: Variable, prefix: str, known: list[str]
    ) -> bool:
        """Note settings that do not exist, and return whether there are any."""
        unknown = [key for key in raw if key not in known]
        for key in unknown:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
            self.note(prefix + key, f"no such setting{hint}")
        stray = over.below.keys() - {key.upper() for key in known}
        for step in sorted(stray):
            self.note(over.below[step].first_name(), f"no such setting as {step.lower()}")
        return bool(unknown or stray)


def _is_table(kind: Any) -> bool:
    return is_dataclass(kind) or hasattr(kind, "__struct_fields__")


def _without_none(kind: Any) -> tuple[Any, bool]:
    """Return a type without None, and whether None was part of it."""
    members = get_args(kind) if get_origin(kind) in (typing.Union, UnionType) else (kind,)
    return typing.Union[tuple({*members} - {NoneType})], NoneType in members  # noqa: UP007


def _meaning(kind: Any) -> Callable[[str], object] | None:
    """Return the function of `texts` with which a type is annotated, if it is."""
    notes = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return next((note for note in notes if callable(note)), None)


def _choices(kind: Any) -> Iterable[object]:
    """Return the values that a type lists, if it lists them."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    return kind if isinstance(kind, EnumMeta) else ()
