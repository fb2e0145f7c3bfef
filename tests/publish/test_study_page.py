"""The first page: every link leads to a file of the package, names are escaped, verdicts are what was judged."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

from lxml import html

from publish.study_page.page import ListedOutput, write
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
                 "validation/queries.html", "reports/index.html", "reports/plan.html", "reports/T1.html",
                 "m5/datasets/s-1/tabulations/sdtm/define.html", "manifest.json"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "validation" / "conformance.json").write_text(json.dumps({"counts": COUNTS, "findings": []}))
    (tmp_path / "validation" / "queries.csv").write_text("severity,status\nerror,open\nerror,open\nnote,answered\n")
    outputs = [ListedOutput("T1", "Table 1", "<i>Ages", "Safety (N = 3)")]
    page = write(tmp_path, ABOUT, {"sdtm": folder}, {"sdtm": {"AE": adverse_events()}}, None, outputs)
    root = html.fromstring(page.read_text("utf-8"))
    links = [link.get("href") for link in root.iter("a")]
    inside = [link for link in links if link.startswith("#")]
    assert inside and all(root.get_element_by_id(link[1:]) is not None for link in inside)
    assert len(links) == len(set(links)) == len(inside) + 9
    for link in set(links) - set(inside):
        assert (tmp_path / unquote(link)).is_file(), link
        assert not re.match(r"/|[a-z]+:|\.\.", link)
    text = " ".join(root.text_content().split())
    assert "S-1 <b>" in text and "Table 1 <i>Ages, Safety (N = 3)" in text
    assert "error: 2 open" in text and "note: 1 answered" in text
    assert "9 rules, 3 findings: 1 explained by the study, 2 not, 0 for information" in text and "to look at" in text
    assert "AE Adverse Events 3 7" in text.replace("AEAdverse Events37", "AE Adverse Events 3 7")
