"""Old runs and old files go, by a rule that is written here; a Prefect flow.

* Flow runs that ended more than so many days ago, by Prefect's variable ``redcap_cdisc_keep_runs_days`` (90).
* Of each package's folder ``<out>.d``, builds besides the current one, but for the newest, by
  ``redcap_cdisc_keep_builds`` (5). The current one, what a build at work fills, and anything in a folder ``releases``
  are never touched.
* Snapshots as old as that of which no build that stays was made, but for the newest of each study and the one from
  which the next extraction begins.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.variables import Variable

from flows.error_messages import neutral
from flows.old_builds import remove_old_builds, remove_old_snapshots
from flows.place.bootstrap import DEFAULTS, KEEP_BUILDS, KEEP_RUNS
from flows.place.environment import builds_folder

AT_ONCE = 200
ENDED = ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"]


@flow(name="clean-up", flow_run_name="clean-up", persist_result=False, log_prints=False)
def clean_up() -> dict[str, int]:
    """Remove old flow runs, snapshots and builds; returns how many of each."""
    return neutral(_clean_up)


def _clean_up() -> dict[str, int]:
    root, before = builds_folder(), datetime.now(UTC) - timedelta(days=_kept(KEEP_RUNS))
    builds = remove_old_builds(root, _kept(KEEP_BUILDS))
    snapshots = remove_old_snapshots(root, before)
    removed = {"runs": _remove_runs(before), "builds": len(builds), "snapshots": len(snapshots)}
    gone = "".join(f"* {path.relative_to(root).as_posix()}\n" for path in [*builds, *snapshots])
    text = f"{removed['runs']} flow runs, {len(builds)} builds and {len(snapshots)} snapshots were removed.\n\n{gone}"
    create_markdown_artifact(text, "clean-up", "What the clean-up removed")
    return removed


def _kept(name: str) -> int:
    return int(str(Variable.get(name, DEFAULTS[name])))


def _remove_runs(before: datetime) -> int:
    """Remove flow runs that ended before a time; returns how many."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter

    which = FlowRunFilter.model_validate(
        {"state": {"type": {"any_": ENDED}}, "end_time": {"before_": before.isoformat()}}
    )
    count = 0
    with get_client(sync_client=True) as client:
        while found := client.read_flow_runs(flow_run_filter=which, limit=AT_ONCE):
            for run in found:
                client.delete_flow_run(run.id)
            count += len(found)
    return count
