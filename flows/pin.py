"""Writing the terminology that a study uses into its folder."""

from __future__ import annotations

import json


def show_pin(name: str, as_json: bool) -> None:
    """Pin a study's codelists and say what was written."""
    from metadata.study import Study
    from sdtm.build.pinned_codelists import pin

    study = Study.open(name)
    path, count = pin(study)
    if as_json:
        print(json.dumps({"file": str(path), "codelists": count}))  # noqa: T201
    else:
        print(f"{path}: {count} codelists")  # noqa: T201
