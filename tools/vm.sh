# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# ./run vm; sourced by run. `./run vm`, `./run vm prog`: the tests of a label; anything else is a command of the guest:
# `./run vm uname -r`, `./run vm bash -c '...'`; `./run vm bench`: docs/cost.md. Options of tools/vm/boot come first: `./run vm -t 60 -i COMMAND`.
# Exit status: the command's, or 77 with the reason where this host can have no guest.
: "${root:?}" "${install:?}"

# vm_boot [OPTIONS] COMMAND: a command on the guest's kernel, by tools/vm/boot.
vm_boot() {
    local kernel
    (packages vm) || {
        echo "vm: skipped: no QEMU, and it cannot be installed here" >&2
        return 77
    }
    kernel=$("$root/tools/vm/kernel") || return
    as_root "$root/tools/vm/boot" -k "$kernel" "$@"
}

# vm_bench [--json] [--check|--write] [CASE...]: what things cost in instructions. --check and --write: docs/cost.md.
vm_bench() {
    local arguments=() word document=docs/cost.md changed='' status=0
    for word; do
        case $word in
        --check) arguments+=(--check "$root/$document") ;;
        --write)
            changed=$root/build/release/cost.md
            arguments+=(--write "$root/$document" --to /dev/virtio-ports/out)
            ;;
        *) arguments+=("$word") ;;
        esac
    done
    vm_boot -i -o "${changed:-/dev/null}" "$root/build/release/bench/cost/bench_cost" "${arguments[@]}" || status=$?
    if [ -n "$changed" ] && [ $status -eq 0 ]; then
        cat "$changed" >"$root/$document"
    fi
    return $status
}

vm_command() {
    local options=() tests=" unit abi prog netns vm guest fuzz packaging "
    while [[ ${1:-} == -* ]]; do
        options+=("$1")
        [ "$1" = -i ] || { options+=("${2:-}") && shift; }
        shift
    done
    [ $# -gt 0 ] || set -- guest
    if [ "$1" = bench ]; then
        { packages build peer test && build release -DBEELINE_TESTS=ON -- bench_cost; } >&2 # stdout is for figures
        shift
        vm_bench "$@"
        return
    fi
    if [ $# -eq 1 ] && [[ $tests == *" $1 "* ]]; then
        packages build peer test
        build release -DBEELINE_TESTS=ON
        set -- ctest --test-dir "$root/build/release" --output-on-failure --no-tests=error -L "^$1$"
    fi
    vm_boot "${options[@]}" "$@"
}
