#!/usr/bin/env bash
# Tests tools/setup with fake package tools: what it installs, its messages if it cannot install, and its speed if
# nothing is missing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

isolate bash env awk cut dirname
run_setup() { PATH=$bin "$root/tools/setup" "$@"; }

# installed PACKAGE...: the packages that the fake dpkg-query reports as installed
installed() { fake dpkg-query "$(printf "echo '%s installed'\n" "$@")"; }
user() { fake id "echo $1"; }

everything=(g++ cmake ninja-build libdnnl-dev libcli11-dev libspdlog-dev libfmt-dev zlib1g-dev nlohmann-json3-dev
  libtomlplusplus-dev libgtest-dev libgmock-dev clang libssl-dev python3 python3-pil python3-numpy clang-format
  libbenchmark-dev libopenmpi-dev openmpi-bin xz-utils)
without_two=(g++ cmake ninja-build libcli11-dev libspdlog-dev libfmt-dev nlohmann-json3-dev libtomlplusplus-dev)
fake apt-get

# Nothing missing: returns immediately without output or questions.
user 1000
installed "${everything[@]}"
start=${EPOCHREALTIME/[.,]/}
expect_run 0 run_setup --tests
expect "in under a second" [ $((${EPOCHREALTIME/[.,]/} - start)) -lt 1000000 ]
expect_silent
expect "only dpkg-query is called" [ "$(calls | cut -d' ' -f1 | sort -u)" = dpkg-query ]

# Neither root nor sudo: prints the package names and the command; exit code 1, nothing is attempted.
installed "${without_two[@]}"
forget_calls
expect_run 1 run_setup
expect_said "missing packages: libdnnl-dev zlib1g-dev"
expect_said "  apt-get install libdnnl-dev zlib1g-dev"
expect "apt-get is not called" eval '! calls | grep -q ^apt-get'

# With tests, the packages for them are needed too; a command on the PATH makes its package unnecessary.
fake clang-format
expect_run 1 run_setup --tests
expect_said "apt-get install libdnnl-dev zlib1g-dev libgtest-dev libgmock-dev clang libssl-dev python3 \
python3-pil python3-numpy libbenchmark-dev libopenmpi-dev openmpi-bin xz-utils"
no_fake clang-format

# A package that is only partly installed counts as missing.
fake dpkg-query "$(printf "echo '%s installed'\n" "${everything[@]/libfmt-dev/libfmt0}"); echo 'libfmt-dev config-files'"
expect_run 1 run_setup
expect_said "apt-get install libfmt-dev"

# sudo that needs a password, without a terminal: as without sudo.
installed "${without_two[@]}"
fake sudo 'exit 1'
expect_run 1 run_setup
expect_said "missing packages: libdnnl-dev zlib1g-dev"

# sudo without a password.
# shellcheck disable=SC2016  # expanded by the fake
fake sudo '[ "$1" = -n ] || exit 1; shift; exec "$@"'
fake true
forget_calls
expect_run 0 run_setup
expect "sudo never asks" eval '! calls | grep "^sudo" | grep -qv "^sudo -n"'
expect "installs exactly these" eval 'calls | grep -q "^apt-get .*install .* libdnnl-dev zlib1g-dev$"'

# Root.
user 0
no_fake sudo
forget_calls
expect_run 0 run_setup
expect_said "installing libdnnl-dev zlib1g-dev"
expect "installs exactly these" eval 'calls | grep -q "^apt-get .*install .* libdnnl-dev zlib1g-dev$"'

# Root without a network.
fake apt-get 'echo "E: Temporary failure resolving" >&2; exit 100'
expect_run 1 run_setup
expect_said "apt-get could not install them"
expect_said "  apt-get install libdnnl-dev zlib1g-dev"

# Not a system with apt: prints the package names; exit code 1 if the commands are missing too.
no_fake apt-get
no_fake dpkg-query
expect_run 1 run_setup
expect_said "libdnnl-dev"
expect_said "not found on the PATH: g++ cmake ninja"
for command in g++ cmake ninja; do fake "$command"; done
expect_run 0 run_setup
expect_said "libdnnl-dev"

expect_run 2 run_setup --test
expect_said "unknown argument '--test'"
expect_run 0 run_setup --help
expect_said "tools/setup [--tests]"

finish
