# SPDX-License-Identifier: Apache-2.0
#
# The plug-in of pytest, with the real pytest: the function that leaks in C fails and says where, a fixture
# that does is an error, and the tests after them pass.
. "$top_srcdir/tests/integrations/manual.sh"
manual_begin pytest
for python in python3 /usr/bin/python3 none; do
	"$python" -c 'import pytest, ctypes' 2>/dev/null && break
done
test $python != none || { echo 'no pytest here (Debian: apt-get install python3-pytest)'; exit 77; }
export PYTHONDONTWRITEBYTECODE=1 PYTEST_ADDOPTS='-p no:cacheprovider' PYTEST_DISABLE_PLUGIN_AUTOLOAD=1
ln -s "$(command -v $python)" bin/python3
cat >names.c <<'END'
#include <stdlib.h>
static char *volatile kept;
void forget(size_t size) { ((char *)malloc(size))[0] = 'x'; }
void keep(size_t size) { kept = malloc(size); }
void keep_nothing(void) { kept = NULL; }
END
gcc -g -O0 -shared -fPIC names.c -o names.so || exit 99

# ---- As the manual has it
manual_program pytest python >test_names.py
eval "$(manual_command pytest 1)" >out 2>err
status=$?
test $status -eq 1 && grep -q '^=* 1 failed, 1 passed in ' out || complain "the manual's: status $status: $(cat out err)"
grep -q '^fencepost: leak of 1,000 bytes in 1 block at names.c:3 in forget$' out || complain "the manual's: $(cat out err)"

# ---- More ways to leak, and not to
cat >test_more.py <<'END'
import ctypes
import pytest

names = ctypes.CDLL("./names.so")


class Cycle:
    def __init__(self):
        self.me = self

    def __del__(self):
        names.forget(2222)


@pytest.fixture
def forgetful():
    yield
    names.forget(3333)


def test_keeps():
    names.keep(4444)


def test_loses_what_another_kept():
    names.keep_nothing()


def test_cycle():
    Cycle()


def test_fixture(forgetful):
    pass


def test_fails_and_leaks():
    names.forget(5555)
    assert False


@pytest.mark.xfail
def test_expected():
    assert False


def test_last():
    pass
END
more() { PYTHONPATH=$integrations "$@" python3 -m pytest -p fencepost_pytest -v test_more.py; }
more fencepost run >out 2>err
sed -nE 's/^test_more.py::(test_[a-z_]*) ([A-Z]+).*/\1 \2/p' out >found
diff - found <<'END' || complain "outcomes: $(cat out err)"
test_keeps PASSED
test_loses_what_another_kept FAILED
test_cycle FAILED
test_fixture PASSED
test_fixture ERROR
test_fails_and_leaks FAILED
test_expected XFAIL
test_last PASSED
END
# ---- The message of each is its own leak.
sed -nE 's/^_+ (ERROR at teardown of )?(test_[a-z_]*) _+$/\2/p; s/^fencepost: leak of ([0-9,]+) bytes in 1 block at names.c:([0-9]+) .*/\1 \2/p' out >found
diff - found <<'END' || complain "messages: $(cat out)"
test_fixture
3,333 3
test_loses_what_another_kept
4,444 4
test_cycle
2,222 3
test_fails_and_leaks
5,555 3
END

# ---- Without Fencepost
more env >out 2>err
grep -q '^=* 1 failed, 5 passed, 1 xfailed in ' out || complain "without Fencepost: $(cat out err)"
test "$(grep -c '^fencepost: leaks are not looked for: start the tests with fencepost run$' out)" -eq 1 ||
	complain "without Fencepost it said: $(cat out err)"
exit $bad
