# SPDX-License-Identifier: Apache-2.0
"""Leaks per test for pytest: the test that leaks fails, and says where the lost blocks were allocated.

    PYTHONPATH=/usr/share/fencepost/integrations fencepost run python3 -m pytest -p fencepost_pytest

Blocks are those of malloc: of extension modules and what ctypes calls. A test function that leaks fails; a
fixture that leaks when it is torn down is an error of the last test that used it, as pytest has it. Without
Fencepost the plug-in says so once and does nothing.
"""
import ctypes
import gc

import pytest

_TEXT_BYTES = 16384


def _find():
    """fp_has_new_leaks() of <fencepost/fencepost.h>, or None without Fencepost."""
    try:
        function = ctypes.CDLL(None).fp_has_new_leaks
    except AttributeError:
        return None
    function.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
    function.restype = ctypes.c_bool
    return function


_has_new_leaks = _find()
_text = ctypes.create_string_buffer(_TEXT_BYTES)


def _leaks():
    """What was lost since leaks were last looked for, as text, or None."""
    # Objects in a cycle are freed now, and what their modules forget is lost now.
    gc.collect()
    if not _has_new_leaks(_text, _TEXT_BYTES):
        return None
    return "this test leaked\n" + _text.value.decode("utf-8", "replace")


def pytest_report_header():
    if _has_new_leaks is None:
        return "fencepost: leaks are not looked for: start the tests with fencepost run"
    return "fencepost: each test is checked for leaks"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if _has_new_leaks is not None:
        # What was lost before is not this test's.
        gc.collect()
        _has_new_leaks(None, 0)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if _has_new_leaks is None or call.when == "setup":
        return
    leaks = _leaks()
    if leaks is None:
        return
    if report.outcome == "passed":
        report.outcome = "failed"
        report.longrepr = leaks
    else:
        report.sections.append(("Fencepost", leaks))
