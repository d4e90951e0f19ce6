"""What every test run starts from: a progress file of its own, never that of whoever runs it, and no haste."""

import os
import tempfile

from hypothesis import settings

settings.register_profile("patient", deadline=None)  # no test fails because the machine was busy
settings.load_profile("patient")


def pytest_configure(config):
    folder = tempfile.TemporaryDirectory(prefix="fabriclib-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    os.environ["FABRICLIB_PROGRESS"] = os.path.join(folder.name, "progress.json")
