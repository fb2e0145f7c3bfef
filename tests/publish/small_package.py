"""A package of two small datasets, for the tests of what happens to packages."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from metadata.project import Project
from metadata.records import Records
from metadata.study import Study
from publish import manifest
from publish.package import Build, verify_transport, write_lineage, write_transport
from tests.publish.examples import adverse_events, make


def study_folder(folder: Path) -> Study:
    (folder / "redcap").mkdir(parents=True)
    (folder / "redcap" / "records.csv").write_text("record_id\n1\n", "utf-8")
    (folder / "sdtm").mkdir()
    (folder / "sdtm" / "ae.yaml").write_text("domain: AE\n", "utf-8")
    (folder / "study.yaml").write_text(
        "study: {id: S-1, title: T, synthetic: true}\nstandards: {sdtmig: '3.3', sdtm_ct: 2019-09-27}\n"
        "redcap: {}\ncutoff: 2001-12-31\nvisits: []\n",
        "utf-8",
    )
    return Study(folder)


def inputs(study: Study, **changes: object) -> manifest.Inputs:
    return manifest.Inputs(**{"study": study, "snapshot_id": "abc", "snapshot_date": "2001-12-31", **changes})  # type: ignore[arg-type]


def whole_package(out: Path, study: Study) -> Path:
    project = Project.from_payloads(
        {"dictionary": [{"field_name": "record_id", "form_name": "f"}], "project_info": {"is_longitudinal": 0}}
    )
    records = Records.from_frame(project, pd.DataFrame({"record_id": ["1"]}))
    sdtm, adam = {"AE": adverse_events()}, {"ADSL": make("ADSL", {"USUBJID": ["S1-01"]}, keys=("USUBJID",))}
    given, created = inputs(study), date(2001, 12, 31)
    with Build(out, manifest.package_id(given), study.studyid) as build:
        write_transport(build.layout, "sdtm", sdtm, created)
        write_transport(build.layout, "adam", adam, created)
        assert verify_transport(build.layout, "sdtm", sdtm, created) == [
            (build.layout.transport("sdtm") / f"{name.lower()}.xpt", len(one.frame), len(one.frame))
            for name, one in sdtm.items()
        ]
        verify_transport(build.layout, "adam", adam, created)
        write_lineage(build.layout, sdtm | adam, records)
        manifest.write(build.layout.root, given)
        return build.publish()
