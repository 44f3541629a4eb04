# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# ./run vm; sourced by run. `./run vm`, `./run vm prog`: the tests of a label; anything else is a command of the guest:
# `./run vm uname -r`, `./run vm bash -c '...'`. Options of tools/vm/boot come first: `./run vm -t 60 -i COMMAND`.
# Exit status: the command's, or 77 with the reason where this host can have no guest.
: "${root:?}" "${install:?}"

# vm_boot [OPTIONS] COMMAND: a command on the guest's kernel, by tools/vm/boot.
vm_boot() {
    local status=0 kernel
    (packages vm) || status=$?
    if [ $status -ne 0 ]; then
        [ "$install" = yes ] || return $status
        echo "vm: skipped: QEMU cannot be installed here" >&2
        return 77
    fi
    kernel=$("$root/tools/vm/kernel") || return
    as_root "$root/tools/vm/boot" -k "$kernel" "$@"
}

vm_command() {
    local options=() tests=" unit abi prog netns vm guest fuzz packaging "
    while [[ ${1:-} == -* ]]; do
        options+=("$1")
        [ "$1" = -i ] || { options+=("${2:-}") && shift; }
        shift
    done
    [ $# -gt 0 ] || set -- guest
    if [ $# -eq 1 ] && [[ $tests == *" $1 "* ]]; then
        packages build peer test
        build release -DBEELINE_TESTS=ON
        set -- ctest --test-dir "$root/build/release" --output-on-failure --no-tests=error -L "^$1$"
    fi
    vm_boot "${options[@]}" "$@"
}
