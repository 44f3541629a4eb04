// SPDX-License-Identifier: Apache-2.0
//
// A program outside the tree: reads a config and compiles its rules, as another project's tool would. Status 0 when the
// good one has two rules in its tables and the bad one is refused at its place.
#include <cstdio>

#include <beeline/base.h>
#include <beeline/config/config.hpp>
#include <beeline/edge/edge.hpp>
#include <beeline/edge/tables.hpp>

int main() {
    const auto [good, warnings] = beeline::config::parse(
        "[edge]\ndevices = [\"lo\"]\nrules = [\"udp dport 7999 -> rewrite dport 7998\", \"fallback -> pass\"]\n",
        "good");
    if (!good || !good->edge || good->edge->rules.size() != 2) {
        std::puts("the good config was not taken");
        return 1;
    }
    const auto tables = beeline::edge::compile(*good->edge, {});
    if (!tables) {
        std::puts(tables.error().message().c_str());
        return 1;
    }
    const auto [bad, errors] =
        beeline::config::parse("[edge]\ndevices = [\"lo\"]\nrules = [\"udp dpotr 1 -> drop\"]\n", "bad");
    if (bad || errors.empty() || errors.front().where.line != 3) {
        std::puts("the bad config was taken, or refused at a wrong place");
        return 1;
    }
    std::puts(errors.front().one_line().c_str());
    return BL_ABI_VERSION > 0 ? 0 : 1;
}
