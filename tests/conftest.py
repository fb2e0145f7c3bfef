"""Property tests: slowness on a busy machine is no failure; continuous integration always tries the same examples."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "busy", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("busy")
