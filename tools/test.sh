# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# ./run test; sourced by run, which has the functions packages, build, jobs, as_root, and vm_boot of tools/vm.sh.
# Every step runs whatever became of the ones before, unless its tree could not be built. The last line is the sum:
# "N passed, N failed, N skipped", and the exit status says whether N failed is 0.

: "${root:?}"
passed=0 failed=0 skipped=0 lines=()

# step NAME COMMAND...: one check that counts as one test; exit status 77: skipped, it says why.
step() {
    local name=$1 start=$SECONDS verdict=passed status=0
    shift
    echo "==== $name"
    "$@" || status=$?
    case $status in
    0) passed=$((passed + 1)) ;;
    77) verdict=skipped skipped=$((skipped + 1)) ;;
    *) verdict=FAILED failed=$((failed + 1)) ;;
    esac
    lines+=("$(printf '%-28s %-7s %4d s' "$name" "$verdict" $((SECONDS - start)))")
}

# junit FILE ATTRIBUTE: a number from the <testsuite> element that ctest writes; nothing when it wrote none.
junit() {
    [ -e "$1" ] || return 0
    sed -n "/<testsuite/,/>/ s/.*[[:space:]]$2=\"\([0-9]*\)\".*/\1/p" "$1" | head -n 1
}

# count NAME JUNIT-FILE START: adds the numbers of a ctest run that began START seconds after us.
count() {
    local total bad skip
    total=$(junit "$2" tests) bad=$(junit "$2" failures) skip=$(junit "$2" skipped)
    if [ -z "$total" ] || [ "$total" -eq 0 ]; then
        total=1 bad=1 skip=0 # ctest itself failed
    fi
    passed=$((passed + total - bad - skip)) failed=$((failed + bad)) skipped=$((skipped + skip))
    lines+=("$(printf '%-28s %d passed, %d failed, %d skipped %4d s' \
        "$1" $((total - bad - skip)) "$bad" "$skip" $((SECONDS - $3)))")
}

# suite NAME PRESET [CTEST-ARGUMENTS]: a ctest run as root, its numbers added to the sum.
suite() {
    local name=$1 tree=$root/build/$2 start=$SECONDS report=$root/build/$2/junit.xml
    shift 2
    echo "==== $name"
    as_root rm -f "$report"
    as_root ctest --test-dir "$tree" --output-on-failure --no-tests=error -j "$(nproc)" --output-junit "$report" "$@" ||
        true # what failed is in the report
    count "$name" "$report" "$start"
}

# Other people's programs, for tests of [local]; without them those skip. Why there are none is said here.
fetch_programs() {
    "$root/tools/programs" >/dev/null || true
}

# What runs in the VM: the tests of label guest, all in one boot, one after the other, and the costs. It takes one CPU, so
# it goes on beside other steps; end_vm waits for it. Where there can be no VM the tests count as skipped. That kernel is
# known to have netkit: a test that cannot find it there has failed. What is wired by veth, and what does not depend on the
# wiring, has been tested on the host, for all is six times slower there; so life, trouble and hostile guests are those of L3 only.
vm_elsewhere='veth|GuestListener|is_killed|first_up_that_fails|Guest(Life|Trouble).*netkit_l2'
vm_elsewhere+='|Hostile.*netkit_l2|(what_rules_forbid|answers_are_right|refusals_find).*netkit_l2_IPv6|GuestFacts.(Metrics|Top)|follows_the_uplink'
vm_tests=(ctest --test-dir "$root/build/release" --output-on-failure --no-tests=error -L '^guest$' -E "$vm_elsewhere")
vm_report=$root/build/release/junit-guest.xml vm_log=$root/build/release/vm-tests vm_pid='' vm_start=0

begin_vm() {
    as_root rm -f "$vm_report"
    vm_start=$SECONDS
    echo 125 "$SECONDS" >"$vm_log.tests.status" # of a part that dies without a word
    echo 125 >"$vm_log.costs.status"
    : >"$vm_log.tests"
    : >"$vm_log.costs"
    (
        status=0
        # shellcheck disable=SC2016 # for the guest's shell
        vm_boot -t 1800 -o "$vm_report" env BEELINE_MUST_HAVE="netkit devices;netkit scrub settings" bash -c \
            '"$@" --output-junit /run/junit.xml; cat /run/junit.xml >/dev/virtio-ports/out' bash "${vm_tests[@]}" \
            >"$vm_log.tests" 2>&1 || status=$?
        echo $status $SECONDS >"$vm_log.tests.status"
        status=0
        vm_bench --check >"$vm_log.costs" 2>&1 || status=$?
        echo $status >"$vm_log.costs.status"
    ) &
    vm_pid=$!
}

# told FILE STATUS: what a step in the background printed, and how it ended.
told() {
    cat "$1"
    return "$2"
}

end_vm() {
    local status ended total
    wait "$vm_pid" || true # each part has left its status
    read -r status ended <"$vm_log.tests.status"
    echo "==== tests in the VM"
    cat "$vm_log.tests"
    if [ "$status" -eq 77 ]; then # why was said
        total=$("${vm_tests[@]}" -N | sed -n 's/^Total Tests: //p')
        skipped=$((skipped + total))
        lines+=("$(printf '%-28s skipped: %d tests, for this host has no VM' "tests in the VM" "$total")")
    else
        count "tests in the VM" "$vm_report" $((SECONDS - ended + vm_start))
    fi
    step "costs in the VM" told "$vm_log.costs" "$(cat "$vm_log.costs.status")"
}

# The sanitized build takes what the tests of the release build leave of the CPUs, and no more: at the lowest priority.
sanitized_log=$root/build/sanitized.log sanitized_pid=''

begin_sanitized() {
    (
        renice -n 19 -p "$BASHPID" >/dev/null
        build fuzz -DBEELINE_TESTS=ON -- tests_unit tests_fuzz
    ) >"$sanitized_log" 2>&1 &
    sanitized_pid=$!
}

end_sanitized() {
    local status=0
    wait "$sanitized_pid" || status=$?
    cat "$sanitized_log"
    return "$status"
}

summary() {
    echo "==== summary"
    printf '%s\n' "${lines[@]}"
    echo "real time                    $((SECONDS / 60)) min $((SECONDS % 60)) s"
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
}

test_command() {
    if [ $# -gt 0 ]; then
        step "build release" build release -DBEELINE_TESTS=ON -DBEELINE_WERROR=ON
        fetch_programs
        [ "$failed" -ne 0 ] || suite "tests" release "$@"
        summary
        return
    fi
    local check
    for check in format sources scripts headers; do
        step "check $check" "$root/tools/check" "$check"
    done
    local before=$failed
    fetch_programs
    step "build release" build release -DBEELINE_TESTS=ON -DBEELINE_WERROR=ON
    begin_sanitized
    if [ "$failed" -eq "$before" ]; then
        suite "tests" release -LE '^(bench|vm)$'
        begin_vm
    fi
    before=$failed
    step "build sanitized" end_sanitized
    [ "$failed" -ne "$before" ] || suite "sanitized unit and fuzz" fuzz -L 'unit|fuzz'
    step "check tidy" "$root/tools/check" tidy
    [ -z "$vm_pid" ] || end_vm
    summary
}
