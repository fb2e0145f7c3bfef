"""The first page: every link leads to a file of the package, names are escaped, verdicts are what was judged."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

from lxml import html

from publish.index_page.page import write
from tests.publish.examples import adverse_events

ABOUT = {
    "study": "S-1 <b>", "notice": "Synthetic data", "package": "0" * 16,
    "snapshot": {"id": "abc", "date": "2001-12-31"},
    "standards": {"sdtmig": "3.3"}, "versions": {"redcap-cdisc": "1"},
}  # fmt: skip
COUNTS = {"rules": 9, "findings": 3, "explained": 1, "unexplained": 2}


def test_the_page(tmp_path: Path) -> None:
    folder = tmp_path / "m5" / "datasets" / "s-1" / "tabulations" / "sdtm"
    for name in ("m5/datasets/s-1/tabulations/sdtm/ae.xpt", "dataset-json/sdtm/ae.json", "validation/conformance.html",
                 "reports/index.html", "m5/datasets/s-1/tabulations/sdtm/define.html", "manifest.json"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "validation" / "conformance.json").write_text(json.dumps({"counts": COUNTS, "findings": []}))
    page = write(tmp_path, ABOUT, {"sdtm": folder}, {"sdtm": {"AE": adverse_events()}})
    root = html.fromstring(page.read_text("utf-8"))
    links = [link.get("href") for link in root.iter("a")]
    assert len(links) == len(set(links)) == 6
    for link in links:
        assert (tmp_path / unquote(link)).is_file(), link
        assert not re.match(r"/|[a-z]+:|\.\.", link)
    text = " ".join(root.text_content().split())
    assert "S-1 <b>: submission package" in text
    assert "9 rules, 3 findings: 1 explained by the study, 2 not, 0 for information" in text and "to look at" in text
    assert "AE Adverse Events 3 7" in text.replace("AEAdverse Events37", "AE Adverse Events 3 7")
