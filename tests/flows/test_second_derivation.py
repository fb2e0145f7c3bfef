"""A difference between an endpoint and its second derivation stops the build, and says where without a value."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.flows.conftest import ROOT, Answer

STUDY = ROOT / "mappings" / "hta_duo"


def test_a_difference_stops_publication(command: Callable[..., Answer], tmp_path: Path) -> None:
    """Emergent to seven days after the last dose, says the plan; the query of this copy ends forty days before it."""
    folder, out = tmp_path / "hta_duo", tmp_path / "package"
    shutil.copytree(STUDY, folder, ignore=shutil.ignore_patterns("__pycache__"))
    query = folder / "verify" / "adverse_events.sql"
    text = query.read_text(encoding="utf-8")
    assert "LAST_DOSE + 7" in text
    query.write_text(text.replace("LAST_DOSE + 7", "LAST_DOSE - 40"), encoding="utf-8")

    answer = command("run", folder, "--source", folder / "redcap", "--out", out)
    answer.assert_one_sentence(
        1, "Start and treatment emergence of adverse events", "verify/adverse_events.sql", "ADAE"
    )
    assert "TRTEMFL differs where USUBJID is HTADUO-SYNTH-" in answer.err
    assert "Nothing was published" in answer.err
    assert not out.exists()

    stopped = tmp_path / "package.stopped"
    found = json.loads(next(stopped.glob("**/second_derivation.json")).read_text(encoding="utf-8"))
    assert {finding["endpoint"] for finding in found["findings"]} == {"treatment_emergence"}
    assert {(finding["ours"], finding["second"]) for finding in found["findings"]} == {("Y", "")}
    assert "Start and treatment emergence" in next(stopped.glob("**/second_derivation.html")).read_text(
        encoding="utf-8"
    )
