"""``python -m flows.place.pages HOME PORT``: the pages of a place's builds, and the alerts that are posted to it.

Only builds of the place's studies are served: no snapshot, no database, no token. Requests that name another host are
refused, so that no page of elsewhere can read these in a browser.
"""

from __future__ import annotations

import html
import json
import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.place.environment import studies_in
from flows.place.home import Choices, Home
from flows.prefect_server import HOST
from flows.sandbox import wait_for_signal

FRONT = (
    ("index.html", "study page"),
    ("reports/index.html", "tables and figures"),
    ("queries.html", "queries"),
    ("validation/queries.html", "queries"),
    ("validation/acceptance.html", "acceptance"),
    ("validation/conformance.html", "conformance"),
    ("safety.html", "safety"),
)
"""The pages of a build that one begins with; those that are there are linked."""
ALERTS = "alerts"
LONGEST_ALERT = 20_000
MOST_ALERTS = 50
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}"
    "h1{font-size:1.5rem}h2{font-size:1.15rem;margin-bottom:.2rem}li{margin:.15rem 0}"
)


def front_pages(build: Path) -> list[tuple[Path, str]]:
    """Return those pages of a build that one begins with, and what each is."""
    return [(build / name, what) for name, what in FRONT if (build / name).is_file()]


def builds_of(root: Path, studies: Iterable[str]) -> list[Path]:
    """Return the folders of a place that are a build of one of its studies, or what one that stopped has left."""
    names = tuple(studies)
    found = [path for path in sorted(root.iterdir()) if path.is_dir() and is_build(path.name, names)]
    return [path for path in found if front_pages(path)]


def is_build(name: str, studies: Iterable[str]) -> bool:
    """Return True for a study's name, and for one with what was built after a dash or how it ended after a dot."""
    return any(name == study or name.startswith((f"{study}-", f"{study}.")) for study in studies)


def index_page(root: Path, studies: Iterable[str], prefect: str) -> str:
    """Return the page that links the builds of a place."""
    parts = []
    for build in builds_of(root, studies):
        links = "".join(
            f'<li><a href="{html.escape(page.relative_to(root).as_posix())}">{html.escape(what)}</a></li>'
            for page, what in front_pages(build)
        )
        parts.append(f"<h2>{html.escape(build.name)}</h2><ul>{links}</ul>")
    built = "".join(parts) or "<p>Nothing is built yet: start a run in Prefect.</p>"
    return _page("Builds", f'{built}<p><a href="{html.escape(prefect)}">Prefect: runs, schedules, alerts</a> · '
                 f'<a href="/{ALERTS}">Alerts</a></p>')  # fmt: skip


def alerts_page(alerts: Path) -> str:
    """Return the page of the last alerts, the newest first."""
    shown = "".join(
        f"<li><b>{html.escape(one['at'])}</b> {html.escape(one['subject'])}<br>{html.escape(one['body'])}</li>"
        for one in reversed(kept_alerts(alerts)[-MOST_ALERTS:])
    )
    return _page("Alerts", f"<ul>{shown}</ul>" if shown else "<p>There is no alert.</p>")


def kept_alerts(alerts: Path) -> list[dict[str, str]]:
    """Return the alerts that were posted to the place, the oldest first."""
    if not alerts.is_file():
        return []
    return [json.loads(line) for line in alerts.read_text(encoding="utf-8").splitlines()]


def keep_alert(alerts: Path, posted: Any) -> None:
    """Add an alert that was posted as ``{"subject": ..., "body": ...}``, with the time at which it came."""
    given = posted if isinstance(posted, dict) else {}
    line = {name: str(given.get(name) or "")[:LONGEST_ALERT] for name in ("subject", "body")}
    at = datetime.now(UTC).isoformat(timespec="seconds")
    with alerts.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"at": at, **line}) + "\n")
    alerts.chmod(0o600)


def _page(title: str, body: str) -> str:
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{body}</main></body></html>"
    )


def application(home: Home, choices: Choices, studies: Iterable[str]) -> Any:
    """Return the ASGI application of a place's pages."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, Response
    from starlette.routing import Mount, Route

    names = tuple(studies)

    def index(_: Request) -> Response:
        return HTMLResponse(index_page(home.root, names, f"http://{HOST}:{choices.server}/"))

    async def alerts(request: Request) -> Response:
        if request.method == "POST":
            keep_alert(home.alerts, await request.json())
            return Response(status_code=204)
        return HTMLResponse(alerts_page(home.alerts))

    return Starlette(
        routes=[
            Route("/", index),
            Route(f"/{ALERTS}", alerts, methods=["GET", "POST"]),
            Mount("/", _builds(home.root, names)),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])],
    )


def _builds(root: Path, studies: Iterable[str]) -> Any:
    """Return what serves the files of builds and answers 404 for all else in the folder."""
    from starlette.exceptions import HTTPException
    from starlette.responses import Response
    from starlette.staticfiles import StaticFiles

    class Builds(StaticFiles):
        async def get_response(self, path: str, scope: Any) -> Response:
            parts = Path(path).parts
            if not parts or not is_build(parts[0], studies) or any(part.startswith(".") for part in parts):
                raise HTTPException(404)
            return await super().get_response(path, scope)

    return Builds(directory=root, html=True)


def main(root: Path, port: int) -> None:
    """Serve the pages until SIGTERM."""
    from redcap_sandbox.server import serve

    home = Home.at(root)
    choices = home.choices() or Choices()
    studies = studies_in(Path(choices.studies) if choices.studies else None)
    with serve(application(home, choices, [study.name for study in studies]), port):
        wait_for_signal(threading.Event())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
