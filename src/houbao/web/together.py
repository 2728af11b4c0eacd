"""The figures of several processes, summed by whichever is asked."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

TOGETHER = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder in which the processes of one server count. prometheus_client reads it when it is imported, so it is
set before anything counts."""


@contextmanager
def counting_together(processes: int) -> Generator[None]:
    """Where there are several, their figures are summed: whichever is asked answers for all. Before anything counts. A
    folder that is named already stays."""
    if processes == 1 or TOGETHER in os.environ:
        yield
        return
    with TemporaryDirectory(prefix="houbao-figures-") as folder:
        os.environ[TOGETHER] = folder
        try:
            yield
        finally:
            del os.environ[TOGETHER]
