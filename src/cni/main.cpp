// SPDX-License-Identifier: Apache-2.0
//
// beeline-cni: a CNI plugin (main, that is, interface plugin). Container runtimes run it; docs/guest.md says how to
// have them do so.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>

#include "cni/verbs.hpp"

int main() {
    const beeline::cni::Environment environment = [](const char *name) -> std::optional<std::string> {
        const char *value = std::getenv(name);
        return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
    };
    const std::string input{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
    const beeline::cni::Outcome outcome = beeline::cni::serve(environment, input);
    std::fputs(outcome.output.c_str(), stdout);
    return std::fflush(stdout) != 0 || outcome.failed ? 1 : 0;
}
