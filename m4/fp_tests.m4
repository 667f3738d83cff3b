# SPDX-License-Identifier: Apache-2.0
#
# FP_TESTS: what "make check" builds before it runs anything, FP_TEST_WANTED. That is all test
# programs, or with TESTS=... on the command line those that are named there and what they run: a
# program whose name does not begin with "test_" is there to be run by the tests of its directory, and
# some directories run those of others, too. GNU make works it out each time: automake sees names of
# variables only.
AC_DEFUN([FP_TESTS], [
  AC_SUBST([FP_TEST_HELPERS],
    ['$(foreach program,$(FP_TEST_BINARIES),$(if $(filter test_%,$(notdir $(program))),$(filter %/test_races %/test_overcommit,$(program)),$(program)))'])
  AC_SUBST([FP_TEST_NEEDS_cli], ['tests/report/% tests/e2e/% tests/preload/% tests/html/%'])
  AC_SUBST([FP_TEST_NEEDS_fuzz], ['tests/cli/%'])
  AC_SUBST([FP_TEST_NEEDS_html], ['tests/report/% tests/e2e/%'])
  AC_SUBST([FP_TEST_NEEDS_preload], ['tests/e2e/%'])
  AC_SUBST([FP_TEST_NEEDS_real], ['tests/e2e/% tests/preload/%'])
  AC_SUBST([FP_TEST_DIRECTORIES], ['$(sort $(dir $(TESTS)))'])
  AC_SUBST([FP_TEST_NEEDED],
    ['$(filter $(TESTS),$(FP_TEST_BINARIES)) $(filter $(addsuffix %,$(FP_TEST_DIRECTORIES)) $(foreach directory,$(FP_TEST_DIRECTORIES),$(FP_TEST_NEEDS_$(notdir $(patsubst %/,%,$(directory))))),$(FP_TEST_HELPERS))'])
  AC_SUBST([FP_TEST_WANTED],
    ['$(if $(and $(filter command,$(firstword $(origin TESTS))),$(TESTS)),$(FP_TEST_NEEDED),$(FP_TEST_BINARIES))'])
])
