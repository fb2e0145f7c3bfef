"""``python -m docs.gallery``: make gallery.md and its pictures again, of packages of the bundled studies.

    redcap-cdisc run spms_aza --source mappings/spms_aza/redcap --out build/spms_aza
    redcap-cdisc run hta_duo --source mappings/hta_duo/redcap --out build/hta_duo
    python -m docs.gallery

Each template is shown by the first output of a bundled study that uses it: its declaration, and a picture of its page.
"""

from __future__ import annotations

import argparse
import inspect
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from PIL import Image
from playwright.sync_api import sync_playwright

from metadata.study import BUNDLED
from reports.templates import TEMPLATES

PAGE = Path(__file__).with_name("gallery.md")
IMAGES = Path(__file__).with_name("images")
STUDIES = ("hta_duo", "spms_aza")
COLOURS = 32
WIDTH, MOST = 1000, 760
HEAD = """# Gallery of outputs

Made by `python -m docs.gallery` from packages of the bundled studies: each template with the declaration of one output,
as it is in the study's `reports.yaml`, and a picture of its page. The patients are invented. What else a template
can say is in [the outputs](reports.md) and in the schema that `redcap-cdisc schema` writes.
"""


@dataclass(frozen=True)
class Shown:
    """The output that shows a template."""

    template: str
    study: str
    output: str

    @property
    def image(self) -> Path:
        """Where its picture is."""
        return IMAGES / f"gallery-{self.template.replace('_', '-')}.png"

    def declaration(self) -> str:
        """Return its part of reports.yaml, as it is written there."""
        lines = (BUNDLED / self.study / "reports.yaml").read_text(encoding="utf-8").splitlines()
        begin = lines.index(f"  - id: {self.output}")
        end = next((at for at in range(begin + 1, len(lines)) if lines[at].startswith("  - id: ")), len(lines))
        return "\n".join(line.removeprefix("  ") for line in lines[begin:end]).rstrip()

    def section(self) -> str:
        """Return what the page says of it."""
        purpose = (inspect.getdoc(inspect.getmodule(TEMPLATES[self.template].keys)) or "").splitlines()[0]
        about = purpose.partition(": ")[2] or purpose
        picture = f"![{self.template}: {self.output} of {self.study}](images/{self.image.name})"
        title = f"## {self.template}\n\n{about[:1].upper()}{about[1:]}"
        return f"{title}\n\n```yaml\n{self.declaration()}\n```\n\n{picture}\n"


def shown() -> Iterator[Shown]:
    """Yield the output that shows each template: the first one of the first study that uses it."""
    first: dict[str, Shown] = {}
    for study in STUDIES:
        for output in yaml.safe_load((BUNDLED / study / "reports.yaml").read_text(encoding="utf-8"))["outputs"]:
            first.setdefault(output["template"], Shown(output["template"], study, output["id"]))
    yield from (first[name] for name in TEMPLATES if name in first)


def page() -> str:
    """Return the page in Markdown."""
    return "\n".join([HEAD, *(one.section() for one in shown())])


def main() -> None:
    """Write the page and its pictures."""
    parser = argparse.ArgumentParser(
        prog="python -m docs.gallery", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--packages", type=Path, default=Path("build"), help="folder with a package of each study")
    given = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        tab = browser.new_page(viewport={"width": WIDTH, "height": MOST})
        for one in shown():
            tab.goto((given.packages / one.study / "reports" / f"{one.output}.html").absolute().as_uri())
            height = min(MOST, int(tab.evaluate("document.documentElement.scrollHeight")))
            taken = tab.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": height})
            picture = Image.open(io.BytesIO(taken)).convert("RGB").quantize(COLOURS)
            picture.save(one.image, optimize=True)
        browser.close()
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
