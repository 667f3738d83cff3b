# SPDX-License-Identifier: Apache-2.0
#
# Sourced by peers.sh: take_source PACKAGE PATH... leaves these parts of a Debian source package under
# sources/PACKAGE, below the working directory. apt is asked with lists of its own, in that directory,
# so nothing of the machine's is changed; what is there already is not fetched again.
take_source() {
	package=$1
	shift
	test ! -d "sources/$package" || return 0
	begin_apt && (cd apt && apt-get -q -c "$PWD/apt.conf" source --download-only "$package") >apt/log 2>&1 ||
		{ tail -n 3 apt/log; echo "apt-get source $package: not to be had here"; return 1; }
	archive=$(ls apt/"$package"_*.orig.tar.* | head -n 1)
	mkdir -p "sources/$package.new"
	case $package in
	gcc-*) # an archive in an archive
		inner=$(tar -tf "$archive" | grep '\.tar\.[a-z0-9]*$' | head -n 1)
		tar -xf "$archive" -C apt "$inner" && unpack "apt/$inner" "$@"
		rm -rf "apt/${inner%%/*}"
		;;
	*) unpack "$archive" "$@" ;;
	esac && mv "sources/$package.new" "sources/$package"
}

unpack() { # unpack ARCHIVE PATH...: without the directory that all is in
	from=$1
	shift
	patterns=
	for part; do
		patterns="$patterns */$part"
	done
	set -f
	# shellcheck disable=SC2086  # a list of patterns
	tar -xf "$from" -C "sources/$package.new" --strip-components=1 --wildcards $patterns
	set +f
}

begin_apt() {
	test ! -f apt/apt.conf || return 0
	mkdir -p apt/lists/partial apt/archives/partial || return 1
	. /etc/os-release
	test "$ID" = debian || { echo 'source packages are taken from Debian only'; return 1; }
	echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $VERSION_CODENAME main" \
		>apt/sources.list
	cat >apt/apt.conf <<END
Dir::Etc::sourcelist "$PWD/apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$PWD/apt/lists";
Dir::Cache "$PWD/apt/archives";
APT::Sandbox::User "root";
END
	apt-get -q -c "$PWD/apt/apt.conf" update >apt/log 2>&1 || { tail -n 3 apt/log; rm apt/apt.conf; return 1; }
}
