# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# ./run vm; sourced by run. `./run vm`, `./run vm prog`: the tests of a label; anything else is a command of the guest:
# `./run vm uname -r`, `./run vm bash -c '...'`. Options of tools/vm/boot come first: `./run vm -t 60 -i COMMAND`.
# Exit status: the command's, or 77 with the reason where this host can have no guest.
: "${root:?}" "${install:?}"

vm_command() {
    local options=() status=0 kernel tests
    while [[ ${1:-} == -* ]]; do
        options+=("$1")
        [ "$1" = -i ] || { options+=("${2:-}") && shift; }
        shift
    done
    [ $# -gt 0 ] || set -- netns
    tests=" unit abi prog netns vm fuzz packaging "
    if [ $# -eq 1 ] && [[ $tests == *" $1 "* ]]; then
        packages build peer test
        build release -DBEELINE_TESTS=ON
        set -- ctest --test-dir "$root/build/release" --output-on-failure --no-tests=error -L "^$1$"
    fi
    (packages vm) || status=$?
    if [ $status -ne 0 ]; then
        [ "$install" = yes ] || exit $status
        echo "vm: skipped: QEMU cannot be installed here" >&2
        exit 77
    fi
    kernel=$("$root/tools/vm/kernel")
    as_root "$root/tools/vm/boot" -k "$kernel" "${options[@]}" "$@"
}
