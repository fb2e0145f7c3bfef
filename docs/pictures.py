"""``python -m docs.pictures``: take the pictures of data-managers.md again, from a place that is up.

    redcap-cdisc up --home /srv/redcap-cdisc
    python -m docs.pictures [--port 4200] [--pages-port 4202] [--study spms_aza]

Starts one run that ends and one that cannot (a cut-off before anybody consented), waits, and writes docs/images/.
"""

from __future__ import annotations

import argparse
import io
import shutil
import time
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).with_name("images")
FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
COLOURS = 48
BEFORE_ANYBODY = "1990-01-01"


class Place:
    """A place that is up: its Prefect, and its pages."""

    def __init__(self, port: int, pages: int, study: str) -> None:
        self.prefect, self.pages, self.study = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{pages}", study
        self._api = httpx.Client(base_url=f"{self.prefect}/api", timeout=60)

    def deployment(self) -> dict[str, Any]:
        """The deployment that builds the study."""
        return dict(self._api.get(f"/deployments/name/study-build/{self.study}").raise_for_status().json())

    def page_of_run(self, **parameters: Any) -> str:
        """Run the build to its end and return the address of the page that it left."""
        made = self.deployment()
        body = {"parameters": {**made["parameters"], **parameters}}
        run = self._api.post(f"/deployments/{made['id']}/create_flow_run", json=body).raise_for_status().json()["id"]
        while self._api.get(f"/flow_runs/{run}").json()["state"]["type"] not in FINAL:
            time.sleep(1)
        wanted = {"artifacts": {"flow_run_id": {"any_": [run]}, "key": {"like_": "-run"}}}
        [artifact] = self._api.post("/artifacts/filter", json=wanted).json()
        return f"{self.prefect}/artifacts/artifact/{artifact['id']}"


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(
        prog="python -m docs.pictures", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=4200)
    parser.add_argument("--pages-port", type=int, default=4202)
    parser.add_argument("--study", default="spms_aza")
    given = parser.parse_args()
    place = Place(given.port, given.pages_port, given.study)
    wanted = {
        "run-done": place.page_of_run(),
        "run-stopped": place.page_of_run(cutoff=BEFORE_ANYBODY, publish=False),
        "run-form": f"{place.prefect}/deployments/deployment/{place.deployment()['id']}/run",
        "study-page": f"{place.pages}/{place.study}/index.html",
        "queries": f"{place.pages}/{place.study}/validation/queries.html",
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": 1100, "height": 700})
        for name, address in wanted.items():
            page.goto(address)
            page.wait_for_timeout(3000)  # Prefect's pages fill themselves after they are loaded
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
            picture.save(IMAGES / f"{name}.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
