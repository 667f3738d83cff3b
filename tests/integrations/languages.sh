# SPDX-License-Identifier: Apache-2.0
#
# doc/languages.md with a real .NET, from npm.
page=languages.md
. "$top_srcdir/tests/integrations/manual.sh"
. "$top_srcdir/tests/real/dotnet.sh"
unset FENCEPOST_OPTIONS
has_dotnet || exit 77
manual_begin languages
cat >program.cs <<'END'
using System;
using System.Runtime.InteropServices;
public static class Program
{
	public static int Main()
	{
		Marshal.FreeHGlobal(Marshal.AllocHGlobal(100));
		return 0;
	}
}
END
make_assembly program.cs program.dll || exit 99
pairs="dotnet=$dotnet/dotnet program.dll=$work/program.dll"
try .NET mcs
grep -q "^fencepost: the CLR's garbage-collected heap in " 1/page.*.out || complain "nothing is said of the objects: $(cat 1/page.*.out)"
manual_end
