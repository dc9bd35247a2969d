"""The command `airslice`.

Exit codes: 0 done, 1 it failed, 2 it was asked wrongly (command line or configuration).
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from airslice import __version__
from airslice.config import ConfigError, Settings, fresh_config, load
from airslice.domain.room import is_valid_id
from airslice.domain.room_token import Privilege, RoomClaims, mint

if TYPE_CHECKING:
    from airslice.domain.apps import RtcApp
    from airslice.facades.console import views
    from airslice.facades.console.client import AdminClient

    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

T = TypeVar("T")

DEFAULT_CONFIG = Path("airslice.toml")

DURATION_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
MAX_EXPIRES_S = 3_650 * DURATION_UNITS_S["d"]


class UsageError(Exception):
    """The command cannot be carried out as given; the message says what to do instead."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; None takes the process's own arguments."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except (ConfigError, UsageError) as error:
        for line in str(error).splitlines():
            print(f"airslice: {line}", file=sys.stderr)
        return 2
    except OSError as error:  # a port in use, a full disk: the system's words are the best
        print(f"airslice: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT, as shells say it
    return code


def _init(options: argparse.Namespace) -> int:
    path: Path = options.path
    if path.is_dir():
        path /= DEFAULT_CONFIG
    if path.exists() and not options.force:
        raise UsageError(f"{path} exists already; --force replaces it, with other keys")
    _write_private(path, fresh_config())
    config = "" if path == DEFAULT_CONFIG else f" --config {path}"
    print(f"wrote {path}, with fresh keys; nobody but you can read it")
    print(f"next:  airslice serve{config}")
    print(f"       airslice token{config} --room ROOM --user USER")
    return 0


def _write_private(path: Path, text: str) -> None:
    """Write a file that is never readable by others, not even while it is written."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)


def _serve(options: argparse.Namespace) -> int:
    settings = load(options.config)
    from airslice.wiring import serve  # loading the media engine takes a second

    return serve(settings)


def _check_config(options: argparse.Namespace) -> int:
    settings = load(options.config)
    server = settings.server
    print(f"{options.config} is right:")
    print(f"  http       {server.http}")
    told = f", told to clients as {', '.join(server.advertise)}" if server.advertise else ""
    print(f"  media      {server.media}, UDP{told}")
    print(f"  accounts   {', '.join(account.id for account in settings.accounts) or 'none'}")
    for app in settings.apps:
        rate = f"{app.sample_rate_hz} Hz"
        print(f"  app        {app.app_id} of {app.account_id}, {app.slice_format}, {rate}")
    return 0


def _token(options: argparse.Namespace) -> int:
    app = _choose_app(load(options.config), options.app)
    now_s = int(time.time())
    granted = [Privilege.SUBSCRIBE_STREAM]
    if not options.subscribe_only:
        granted.append(Privilege.PUBLISH_STREAM)
    claims = RoomClaims.lasting(
        options.room, options.user, granted, now_s=now_s, valid_s=options.expires
    )
    nonce = secrets.randbits(32)
    print(mint(claims, app_id=app.app_id, app_key=app.app_key, nonce=nonce))
    return 0


def _choose_app(settings: Settings, app_id: str | None) -> RtcApp:
    if not settings.apps:
        raise UsageError("the configuration has no [[apps]]; a token belongs to one")
    if app_id is None and len(settings.apps) == 1:
        return settings.apps[0]
    known = ", ".join(app.app_id for app in settings.apps)
    if app_id is None:
        raise UsageError(f"there are several apps, name one: --app, of {known}")
    for app in settings.apps:
        if app.app_id == app_id:
            return app
    raise UsageError(f"there is no app {app_id}; there are: {known}")


def _demo(options: argparse.Namespace) -> int:
    try:
        from airslice.demo import run
    except ModuleNotFoundError as error:
        if error.name != "aiortc":
            raise
        raise UsageError("the demo publishes with aiortc: pip install 'airslice[demo]'") from error
    return run(options.directory)


def _list_deliveries(options: argparse.Namespace) -> int:
    state = "dead" if options.dead else "all"
    for delivery in _ask(options, lambda server: server.deliveries(state)):
        due = "-" if delivery.state in ("held", "dead") else _utc(delivery.due_ms)
        what = delivery.event_type or f"{delivery.user_id} {delivery.index}"
        print(
            f"{delivery.id:>8}  {delivery.kind:<8}  {delivery.state:<7}  {delivery.attempts:>3}"
            f"  {due:<20}  {delivery.destination}  {what}  {delivery.last_error}".rstrip()
        )
    return 0


def _show_delivery(options: argparse.Namespace) -> int:
    _print_delivery(_ask(options, lambda server: server.delivery(options.id)))
    return 0


def _retry_deliveries(options: argparse.Namespace) -> int:
    if options.dead == (options.id is not None):
        raise UsageError("name one delivery, or --dead for all that were given up")
    if options.dead:
        print(f"{_ask(options, lambda server: server.retry_dead())} deliveries are tried anew")
    else:
        _print_delivery(_ask(options, lambda server: server.retry(options.id)))
    return 0


def _print_delivery(delivery: views.Delivery) -> None:
    for name in delivery.__struct_fields__:
        value = getattr(delivery, name)
        if value is not None:
            print(f"{name:<12} {_utc(value) if name.endswith('_ms') else value}".rstrip())


def _ask(options: argparse.Namespace, question: Callable[[AdminClient], T]) -> T:
    """Ask the server of this configuration, which has to run."""
    from airslice.facades.console.client import AdminClient, AdminRefused

    server = load(options.config).server
    try:
        with AdminClient(server.http.host, server.http.port, server.admin_password) as client:
            return question(client)
    except AdminRefused as error:
        raise UsageError(str(error)) from error
    except ConnectionError as error:
        raise UsageError(f"no server runs at {server.http}: {error.strerror}") from error


def _utc(time_ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_ms / 1000)) if time_ms else "now"


def _id(text: str) -> str:
    if not is_valid_id(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 to 128 of a-z A-Z 0-9 _ @ - .")
    return text


def _duration_s(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    seconds = int(match[1]) * DURATION_UNITS_S[match[2]] if match else 0
    if not 0 < seconds <= MAX_EXPIRES_S:
        raise argparse.ArgumentTypeError(f"{text!r} is not like 90s, 15m, 1h or 7d")
    return seconds


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airslice",
        description="Slice the audio of WebRTC rooms; let virtual presenters speak in them.",
        epilog="Start with: airslice demo",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"airslice {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_init(commands)
    _add_serve(commands)
    _add_check_config(commands)
    _add_token(commands)
    _add_deliveries(commands)
    _add_demo(commands)
    return parser


def _add_init(commands: _Commands) -> None:
    init = _add_command(
        commands,
        "init",
        "write a configuration with fresh keys",
        examples=("airslice init", "airslice init /etc/airslice.toml"),
    )
    init.add_argument(
        "path",
        nargs="?",
        type=Path,
        default=DEFAULT_CONFIG,
        metavar="PATH",
        help="file to write, or the folder for it (default: %(default)s)",
    )
    init.add_argument("--force", action="store_true", help="replace the file if there is one")
    init.set_defaults(run=_init)


def _add_serve(commands: _Commands) -> None:
    serve = _add_command(
        commands,
        "serve",
        "run the server",
        examples=("airslice serve", "AIRSLICE_SERVER__HTTP=0.0.0.0:8080 airslice serve"),
    )
    _add_config(serve)
    serve.set_defaults(run=_serve)


def _add_check_config(commands: _Commands) -> None:
    check = _add_command(
        commands,
        "check-config",
        "say what is wrong with a configuration, all of it",
        examples=("airslice check-config --config airslice.toml",),
    )
    _add_config(check)
    check.set_defaults(run=_check_config)


def _add_token(commands: _Commands) -> None:
    token = _add_command(
        commands,
        "token",
        "print a room token, with which a user publishes",
        examples=(
            "airslice token --room lobby --user alice",
            "airslice token --room lobby --user bob --expires 15m --subscribe-only",
        ),
    )
    _add_config(token)
    token.add_argument("--room", required=True, type=_id, help="id of the room")
    token.add_argument("--user", required=True, type=_id, help="id of the user")
    token.add_argument("--app", help="id of the app; needed where there are several")
    token.add_argument(
        "--expires",
        type=_duration_s,
        default="1h",
        metavar="TIME",
        help="how long it is valid: 90s, 15m, 1h, 7d (default: %(default)s)",
    )
    token.add_argument("--subscribe-only", action="store_true", help="may listen, not publish")
    token.set_defaults(run=_token)


def _add_deliveries(commands: _Commands) -> None:
    deliveries = _add_command(
        commands,
        "deliveries",
        "uploads and callbacks that are still to be made, or were given up",
        examples=(
            "airslice deliveries list --dead",
            "airslice deliveries show 17",
            "airslice deliveries retry 17",
            "airslice deliveries retry --dead",
        ),
    )
    actions = deliveries.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="list them, oldest first")
    listing.add_argument("--dead", action="store_true", help="only those that were given up")
    listing.set_defaults(run=_list_deliveries)
    show = actions.add_parser("show", help="show one of them")
    show.add_argument("id", type=int, metavar="ID")
    show.set_defaults(run=_show_delivery)
    retry = actions.add_parser("retry", help="try one anew that failed, or all that were given up")
    retry.add_argument("id", type=int, nargs="?", metavar="ID")
    retry.add_argument("--dead", action="store_true", help="all that were given up")
    retry.set_defaults(run=_retry_deliveries)
    for action in (listing, show, retry):
        _add_config(action)


def _add_demo(commands: _Commands) -> None:
    demo = _add_command(
        commands,
        "demo",
        "let a live job speak, slice it and verify every callback",
        examples=("airslice demo", "airslice demo /tmp/airslice-demo"),
    )
    demo.add_argument(
        "directory",
        nargs="?",
        type=Path,
        default=Path("airslice-demo"),
        metavar="DIR",
        help="where its server keeps everything; an earlier demo's is replaced"
        " (default: %(default)s)",
    )
    demo.set_defaults(run=_demo)


def _add_command(
    commands: _Commands, name: str, summary: str, *, examples: Sequence[str]
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog="\n  ".join(("examples:", *examples)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_config(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--config",
        type=Path,
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help="configuration (default: %(default)s)",
    )
