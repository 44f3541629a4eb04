// SPDX-License-Identifier: Apache-2.0
#include "cost/edge.hpp"

#include <linux/bpf.h>

#include <beeline/kernel/prog.hpp>

#include "lab/bench_edge.hpp"

namespace beeline::cost {

namespace {

constexpr std::uint32_t kRepeat = 20'000;

} // namespace

Result<std::vector<double>> drop(const std::vector<std::string> &rules, unsigned runs) {
    BL_TRY(lab::Lab lab, lab::Lab::create("cost"));
    BL_TRY(const auto cable, lab::DropLab::create(lab));
    BL_TRY(const edge::Kept kept, edge::Kept::create());
    BL_TRY(const auto program, lab::load_policy(rules, cable->receiver(), kept));
    BL_TRY(const auto empty, kernel::load_xdp_constant(XDP_PASS));
    std::vector<double> costs;
    for (unsigned run = 0; run < runs; ++run) {
        BL_TRY(const double base, lab::time_program(empty.get(), *cable, kRepeat, XDP_PASS));
        BL_TRY(const double took, lab::time_program(program.fd("edge_policy"), *cable, kRepeat, XDP_DROP));
        costs.push_back(took - base);
    }
    return costs;
}

} // namespace beeline::cost
