# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What ./check and ./demo have in common: installing packages and building. To be sourced, at the
# top of the source tree.

SHOWN_LINES=60                  # of the output of something that failed

if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
else
	bold='' red='' green='' yellow='' plain=''
fi

heading()
{
	printf '\n%s== %s%s\n' "$bold" "$*" "$plain"
}

# The end of a log, indented.
show_end()
{
	tail -n "$SHOWN_LINES" "$1" | sed 's/^/    /'
}

# ---- packages ----

# "package reason" a line: what building needs.
packages_to_build()
{
	cat <<'END'
gcc the compiler
libc6-dev headers of the C library
meson configures the build
ninja-build runs the build
pkgconf tells the compiler where the libraries are
libdpdk-dev DPDK 22.11 with its drivers (net_pcap, net_af_packet, net_tap, net_memif ...)
libjansson-dev JSON, for the control socket
libevent-dev the control thread's event loop
libedit-dev editing lines in millctl
libpcap-dev looks into captures before net_pcap replays them
zlib1g-dev millbench reads compressed routing tables
END
}

package_installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# As whom packages can be installed: sets `as`, or says what to run and fails.
packages_find_root()
{
	as=()
	[ "$(id -u)" -ne 0 ] || return 0
	if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
		as=(sudo)
		return 0
	fi
	echo "They can not be installed from here: this is not root, and sudo does not make it so."
	echo "Run this as root, then $0 again:"
	echo "    apt-get update && apt-get $1"
	return 1
}

# Reads "package reason" lines; says what is missing, and why it is wanted, and installs it. With
# $install = no it only says so. Fails if something is missing thereafter.
packages_install()
{
	local package reason words log status=0 missing=() as

	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		echo "This is not Debian: nothing is installed; .ci/setup.sh says what is needed."
		return 0
	fi
	while read -r package reason; do
		package_installed "$package" && continue
		[ ${#missing[@]} -gt 0 ] || heading "packages that are missing"
		printf '    %-20s %s\n' "$package" "$reason"
		missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	words="install -y --no-install-recommends ${missing[*]}"
	if [ "${install:-yes}" = no ]; then
		echo "Not installed, as told. To do it: apt-get update && apt-get $words"
		return 1
	fi
	packages_find_root "$words" || return 1
	echo "Installing them: ${as[*]}${as:+ }apt-get update && ${as[*]}${as:+ }apt-get $words"
	log=$(mktemp)
	"${as[@]}" apt-get update -q >"$log" 2>&1 || status=1
	# shellcheck disable=SC2086 # a word a package
	[ "$status" -ne 0 ] ||
		"${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q $words >>"$log" 2>&1 ||
		status=1
	if [ "$status" -ne 0 ]; then
		show_end "$log"
		echo "That failed."
	else
		echo "Installed."
	fi
	rm -f "$log"
	return "$status"
}

# ---- building ----

# Was the directory configured with these options?
build_configured()
{
	local dir=$1 option
	shift
	[ -f "$dir/build.ninja" ] || return 1
	for option in "$@"; do
		option=${option#-D}
		grep -qxF "${option%%=*} = ${option#*=}" "$dir/meson-private/cmd_line.txt" ||
			return 1
	done
}

# Configure a build directory, or bring it up to date; what it says goes to stdout.
build_configure()
{
	local dir=$1
	shift
	if build_configured "$dir" "$@"; then
		ninja -C "$dir" build.ninja && return
	elif [ -f "$dir/build.ninja" ]; then
		meson configure "$dir" "$@" && ninja -C "$dir" build.ninja && return
	fi
	# One that can not be reused (moved here, or half made) is made anew.
	if [ -d "$dir/meson-private" ]; then
		meson setup --wipe "$dir" "$@" && return
		rm -rf "$dir"
	fi
	meson setup "$dir" "$@"
}

# build DIRECTORY -DNAME=VALUE...: configure and compile; on failure shows why.
build()
{
	local dir=$1 log status=0
	shift
	log=$(mktemp)
	if ! build_configure "$dir" "$@" >"$log" 2>&1; then
		show_end "$log"
		status=1
	elif ! ninja -C "$dir" >"$log" 2>&1; then
		# The compiler's words, from the first error on.
		grep -vE '^\[[0-9]+/[0-9]+\]|^ninja: Entering' "$log" | head -n "$SHOWN_LINES" |
			sed 's/^/    /'
		status=1
	fi
	rm -f "$log"
	return "$status"
}
