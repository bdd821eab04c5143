"""The command `backstep`: reads the options, takes the port, says the address, opens the browser
and ends at once when asked to."""

from __future__ import annotations

import argparse
import asyncio
import errno
import logging
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Sequence
from dataclasses import replace
from types import FrameType
from typing import NoReturn

import uvicorn

from app import __version__, settings
from app.settings import Settings, SettingsError

GRACE_SECONDS = 1  # for answers under way; open streams have ended themselves by then
LAST_SECONDS = 0.3  # for what runs in threads: nobody waits for its answer any more


class Server(uvicorn.Server):
    """uvicorn, but it tells the application at the first signal, before it waits for anybody."""

    def __init__(self, config: uvicorn.Config, *, url: str, browser: bool) -> None:
        super().__init__(config)
        self.url = url
        self.browser = browser
        self.stopping: asyncio.Event = config.app.state.stopping  # type: ignore[union-attr]
        self.loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        if self.started:
            print(f"Backstep is at {self.url}  (Ctrl-C ends it)", flush=True)
            if self.browser:
                threading.Thread(target=webbrowser.open, args=(self.url,), daemon=True).start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets=sockets)
        # A long calculation in a thread would keep the process alive. The store is made to be cut
        # off at any moment, and the pages have gone.
        last = threading.Timer(LAST_SECONDS, os._exit, args=(0,))
        last.daemon = True
        last.start()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self.stopping.set)


def _worth_saying(record: logging.LogRecord) -> bool:
    """Requests that were cut off because we are ending are no news."""
    error = record.exc_info[1] if record.exc_info else None
    cut_off = isinstance(error, asyncio.CancelledError)
    return not cut_off and not record.msg.startswith("Cancel %s running task")


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        chosen = read(arguments)
        listener = listen(chosen.host, chosen.port)
    except (SettingsError, PortError) as error:
        print(f"backstep: {error}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, _end)
    with listener:
        try:
            return serve(chosen, listener)
        except KeyboardInterrupt:
            return 0


def serve(chosen: Settings, listener: socket.socket) -> int:
    from app.main import create_app
    from app.sessions.errors import StoreError

    app = create_app(chosen)
    try:
        app.state.desk.open()
    except StoreError as error:
        print(f"backstep: {error}", file=sys.stderr)
        return 1
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    logging.getLogger("uvicorn.error").addFilter(_worth_saying)
    browser = chosen.browser and has_screen()
    server = Server(config, url=address(chosen.host, listener), browser=browser)
    server.run(sockets=[listener])
    if not server.started:
        return 1
    # All is closed. To take the interpreter down piece by piece would take longer than all before.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def read(arguments: Sequence[str] | None) -> Settings:
    parser = argparse.ArgumentParser(
        prog="backstep",
        description="Walk through backpropagation one step at a time, in the browser.",
        epilog=environment_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=port_number, help="port to listen on (8000; 0: any free)")
    parser.add_argument("--store", metavar="sqlite:///FILE", help="where sessions are kept")
    parser.add_argument("--no-browser", action="store_true", help="do not open the browser")
    parser.add_argument("--version", action="version", version=f"backstep {__version__}")
    options = parser.parse_args(arguments)
    chosen = Settings.from_environment()
    given = {name: getattr(options, name) for name in ("host", "port", "store")}
    chosen = replace(chosen, **{name: it for name, it in given.items() if it is not None})
    return replace(chosen, browser=False) if options.no_browser else chosen


def environment_help() -> str:
    rows = [f"  {name} ({default})\n      {says}" for name, default, says in settings.table()]
    return "settings from the environment:\n" + "\n".join(rows)


def port_number(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"not a port, 0 to 65535: {text!r}")
    return int(text)


class PortError(OSError):
    """The port cannot be had, in words."""


def listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else is started, so that a taken one can be said in words."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, OverflowError, UnicodeError):
        raise PortError(f"no such address here: {host} port {port}") from None
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name != "nt":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise PortError(_why_not(error, host, port)) from None
    return listener


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} is taken: another program, maybe another Backstep, listens there.\n"
            f"Try another one:  backstep --port {port + 1 if port < 65_535 else 0}"
        )
    if error.errno == errno.EACCES:
        return f"port {port} needs an administrator's rights; try one above 1023"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"this machine has no address {host}; try --host 127.0.0.1"
    return f"cannot listen on {host} port {port}: {error.strerror or error}"


def address(host: str, listener: socket.socket) -> str:
    """What to type into the browser on this machine."""
    port = listener.getsockname()[1]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)
    if ":" in name and not name.startswith("["):
        name = f"[{name}]"
    return f"http://{name}:{port}"


def has_screen() -> bool:
    """Without a screen `webbrowser` may start a text browser in the server's own terminal."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _end(sig: int, frame: FrameType | None) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
