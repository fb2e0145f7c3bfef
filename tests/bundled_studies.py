"""The studies that come with the software and begin with REDCap records; the others begin with datasets."""

from __future__ import annotations

from metadata.study import BUNDLED

OF_RECORDS = sorted(path.parent.name for path in BUNDLED.glob("*/redcap"))
