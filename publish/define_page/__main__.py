"""Print the page of a define.xml: ``python -m publish.define_page FILE > define.html``."""

from __future__ import annotations

import sys
from pathlib import Path

from metadata.errors import RedcapCdiscError
from publish.disk import outside


def main(arguments: list[str]) -> int:
    """Print the page of the file that is named and return 0; 2 for a wrong call, 1 if it is no define.xml."""
    from publish.define_page.page import define_page

    if len(arguments) != 1:
        print("usage: python -m publish.define_page FILE > define.html", file=sys.stderr)  # noqa: T201
        return 2
    try:
        with outside(f"read {arguments[0]}"):
            document = Path(arguments[0]).read_bytes()
        sys.stdout.buffer.write(define_page(document))
    except RedcapCdiscError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
