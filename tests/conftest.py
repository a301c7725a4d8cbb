"""What holds for every test: property tests are not timed, and a complete run skips nothing.

`ERYPHC_COMPLETE` is set by CI, on a machine that has everything: a test that is skipped there for
want of a component proves nothing, so it fails.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("eryphc", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("eryphc")

# Reasons that no machine can do away with, or that ask for more than CI has time for.
_GOOD_REASONS = (
    "root may do anything",
    "another user may not read the interpreter",
    "this Python unpacks without a filter",
    "no Python 3.",
    "ERYPHC_BOOT=all",
    "ERYPHC_LIBRARY=all",
)


@pytest.fixture(scope="session", autouse=True)
def own_client_locks(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests that run beside this one deploy the same catlet, and are no other run of it."""
    os.environ["XDG_RUNTIME_DIR"] = str(tmp_path_factory.mktemp("locks"))


@pytest.fixture(scope="session", autouse=True)
def own_configuration(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The key that seals what is stored is none of the user's."""
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("configuration"))


@pytest.fixture(scope="session", autouse=True)
def programs_hear_signals() -> None:
    """Programs begin with the signals as a terminal gives them, however the tests were started.

    Under `nohup`, or in the background of a script, signals are ignored, and programs inherit that,
    but no handler. So the tests go on ignoring them, and what they start does not.
    """
    for name in ("SIGINT", "SIGHUP", "SIGTERM", "SIGQUIT"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("ERYPHC_COMPLETE") and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if not any(good in reason for good in _GOOD_REASONS):
            report.outcome = "failed"
            report.longrepr = f"nothing may be missing here, yet: {reason}"
    return report
