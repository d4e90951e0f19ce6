"""What every test run starts from: a progress file of its own, never that of whoever runs it."""

import os
import tempfile


def pytest_configure(config):
    folder = tempfile.TemporaryDirectory(prefix="fabriclib-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    os.environ["FABRICLIB_PROGRESS"] = os.path.join(folder.name, "progress.json")
