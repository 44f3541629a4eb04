# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# ./run test; sourced by run, which has the functions packages, build, jobs, as_root.
# Every step runs whatever became of the ones before, unless its tree could not be built. The last line is the sum:
# "N passed, N failed, N skipped", and the exit status says whether N failed is 0.

: "${root:?}"
passed=0 failed=0 skipped=0 lines=()

# step NAME COMMAND...: one check that counts as one test.
step() {
    local name=$1 start=$SECONDS verdict=passed
    shift
    echo "==== $name"
    if "$@"; then
        passed=$((passed + 1))
    else
        verdict=FAILED
        failed=$((failed + 1))
    fi
    lines+=("$(printf '%-28s %-7s %4d s' "$name" "$verdict" $((SECONDS - start)))")
}

# junit FILE ATTRIBUTE: a number from the <testsuite> element that ctest writes.
junit() {
    sed -n "/<testsuite/,/>/ s/.*[[:space:]]$2=\"\([0-9]*\)\".*/\1/p" "$1" | head -n 1
}

# suite NAME PRESET [CTEST-ARGUMENTS]: a ctest run as root, its numbers added to the sum.
suite() {
    local name=$1 tree=$root/build/$2 start=$SECONDS report=$root/build/$2/junit.xml total bad skip
    shift 2
    echo "==== $name"
    as_root rm -f "$report"
    as_root ctest --test-dir "$tree" --output-on-failure --no-tests=error -j "$(nproc)" --output-junit "$report" "$@" ||
        true # what failed is in the report
    total=$(junit "$report" tests) bad=$(junit "$report" failures) skip=$(junit "$report" skipped)
    if [ -z "$total" ] || [ "$total" -eq 0 ]; then
        total=1 bad=1 skip=0 # ctest itself failed
    fi
    passed=$((passed + total - bad - skip)) failed=$((failed + bad)) skipped=$((skipped + skip))
    lines+=("$(printf '%-28s %d passed, %d failed, %d skipped %4d s' \
        "$name" $((total - bad - skip)) "$bad" "$skip" $((SECONDS - start)))")
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
        [ "$failed" -ne 0 ] || suite "tests" release "$@"
        summary
        return
    fi
    local check
    for check in format sources scripts headers; do
        step "check $check" "$root/tools/check" "$check"
    done
    local before=$failed
    step "build release" build release -DBEELINE_TESTS=ON -DBEELINE_WERROR=ON
    [ "$failed" -ne "$before" ] || suite "tests" release -LE 'bench'
    before=$failed
    step "build sanitized" build fuzz -DBEELINE_TESTS=ON -- tests_unit tests_fuzz
    [ "$failed" -ne "$before" ] || suite "sanitized unit and fuzz" fuzz -L 'unit|fuzz'
    step "check tidy" "$root/tools/check" tidy
    summary
}
