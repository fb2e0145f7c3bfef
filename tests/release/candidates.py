"""A small study with approvers, and packages of it that hold what a release looks at: no build is needed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from metadata.study import Study
from publish import manifest

RECORDED = """
strength: record
people:
  - {name: Ana Ruiz, roles: [data manager]}
  - {name: Boris Stein, roles: [statistician, builder]}
  - {name: Carla Wu, roles: [sponsor]}
unblinding: [statistician]
"""
STUDY = """
study: {id: S-1, title: T, synthetic: true}
standards: {sdtmig: '3.3', sdtm_ct: 2019-09-27}
redcap: {}
cutoff: 2001-12-31
visits: []
"""
HEADER = "query_id,severity,rule,form,field,status\n"


def small_study(folder: Path, approvers: str = RECORDED) -> Study:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(STUDY, "utf-8")
    if approvers:
        (folder / "approvers.yaml").write_text(approvers, "utf-8")
    return Study(folder)


def small_package(
    out: Path, study: Study, snapshot: str = "abc", queries: str = "", findings: tuple[dict[str, object], ...] = ()
) -> Path:
    """Write a package as a build leaves it: ``out`` is a link to ``<out>.d/<id>``."""
    inputs = manifest.Inputs(study, snapshot, "2001-12-31")
    made = out.with_name(f"{out.name}.d") / manifest.package_id(inputs)
    (made / "validation").mkdir(parents=True)
    (made / "validation" / "queries.csv").write_text(HEADER + queries, "utf-8")
    counts = {"rules": 1, "not_judged": 0, "findings": len(findings), "explained": 0, "unexplained": len(findings)}
    judged = {"standard": "3.3", "terminology": "t", "counts": counts, "findings": list(findings)}
    (made / "validation" / "conformance.json").write_text(json.dumps(judged), "utf-8")
    unmet = {"sentence": "AGE is above 17", "met": True, "observed": None}
    accepted = {"datasets": [{"dataset": "DM", "rows": 1, "expectations": [unmet]}]}
    (made / "validation" / "acceptance.json").write_text(json.dumps(accepted), "utf-8")
    manifest.write(made, inputs)
    out.unlink(missing_ok=True)
    out.symlink_to(made.relative_to(out.parent), target_is_directory=True)
    return out


def finding(records: int = 2) -> dict[str, object]:
    return {
        "rule": "age.limit",
        "dataset": "DM",
        "variable": "AGE",
        "severity": "error",
        "records": records,
        "sentence": "A subject is younger than 120 years.",
        "explained": "",
    }


def key_pair(folder: Path, name: str) -> tuple[Path, str]:
    """Make a key without a passphrase and return its file and the public key."""
    path = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return path, path.with_suffix(".pub").read_text("ascii").strip()


def signed_approvers(keys: dict[str, str]) -> str:
    """Return approvers.yaml with a key for Ana Ruiz (data manager) and Boris Stein (statistician)."""
    roles = {"Ana Ruiz": "data manager", "Boris Stein": "statistician"}
    people = [f"  - {{name: {name}, roles: [{roles[name]}], key: {key}}}" for name, key in keys.items()]
    return "\n".join(["strength: signature", "unblinding: [statistician]", "people:", *people, ""])
