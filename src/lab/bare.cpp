// SPDX-License-Identifier: Apache-2.0
#include "lab/bare.hpp"

#include <beeline/kernel/per_cpu_map.hpp>
#include <beeline/kernel/skeleton.hpp>
#include <beeline/lab.h>

#include "bare.skel.h"

namespace beeline::lab {
namespace {

using LabCounts = kernel::PerCpuMap<std::uint32_t, bl_lab_count>;

} // namespace

struct Bare::State {
    kernel::Loaded<bare_bpf> programs;
    LabCounts counts;
};

Result<Bare> Bare::load() {
    BL_TRY(auto opened, kernel::Opened<bare_bpf>::open());
    BL_TRY(auto loaded, std::move(opened).load());
    BL_TRY(auto counts, LabCounts::share(bpf_map__fd(loaded.maps().lab_counts)));
    return Bare(std::make_unique<State>(State{.programs = std::move(loaded), .counts = std::move(counts)}));
}

Bare::Bare(std::unique_ptr<State> state) : state_(std::move(state)) {}
Bare::Bare(Bare &&) noexcept = default;
Bare::~Bare() = default;

int Bare::fd(Program program) const {
    const auto &progs = state_->programs.progs();
    switch (program) {
    case Program::drop:
        return bpf_program__fd(progs.bare_drop);
    case Program::pass:
        return bpf_program__fd(progs.bare_pass);
    case Program::tx:
        return bpf_program__fd(progs.bare_tx);
    case Program::count:
        return bpf_program__fd(progs.bare_count);
    case Program::spoil:
        return bpf_program__fd(progs.bare_spoil);
    }
    return -1;
}

Result<kernel::Link> Bare::attach(Program program, const Place &place, kernel::XdpMode mode) const {
    BL_TRY(const auto device, place.node->device(place.device));
    return place.node->within([&] { return kernel::Link::attach_xdp(fd(program), device.ifindex, mode); });
}

Result<std::uint64_t> Bare::counted() const {
    BL_TRY(const bl_lab_count sum, state_->counts.sum(0, [](bl_lab_count &total, const bl_lab_count &of_cpu) {
        total.packets += of_cpu.packets;
    }));
    return sum.packets;
}

} // namespace beeline::lab
