// SPDX-License-Identifier: Apache-2.0
#include "lab/generator.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include <beeline/kernel/prog.hpp>
#include <beeline/kernel/skeleton.hpp>

#include "lab/frames.hpp"
#include "lab/host.hpp"

#include "livegen.skel.h"

namespace beeline::lab {

struct Generator::State {
    kernel::Loaded<livegen_bpf> programs;
    kernel::NetNs netns; ///< The device is looked up in the namespace of the calling thread.
    std::vector<std::byte> frame;
    int program = -1; ///< Of programs.
    std::uint32_t ifindex = 0;
};

Result<Generator> Generator::open(const Options &options) {
    BL_TRY(const kernel::Device device, options.node->device(options.device));
    BL_TRY(auto netns, options.node->within([] { return kernel::NetNs::current(); }));
    BL_TRY(auto opened, kernel::Opened<livegen_bpf>::open());
    opened.rodata()->cfg = options.flows;
    if (options.restore) {
        if (options.frame.size() < BL_LAB_HEADER)
            return fail(Kind::usage, EINVAL, "restore the headers of a frame of less than 64 bytes");
        std::memcpy(opened.rodata()->header.words, options.frame.data(), BL_LAB_HEADER);
        opened.rodata()->header.restore = 1;
    }
    BL_TRY(auto loaded, std::move(opened).load());
    const bpf_program *program = options.transmit ? loaded.progs().livegen_send : loaded.progs().livegen_drop;
    const int fd = bpf_program__fd(program);
    return Generator(std::make_unique<State>(State{.programs = std::move(loaded),
                                                   .netns = std::move(netns),
                                                   .frame = options.frame,
                                                   .program = fd,
                                                   .ifindex = static_cast<std::uint32_t>(device.ifindex)}));
}

Generator::Generator(std::unique_ptr<State> state) : state_(std::move(state)) {}
Generator::Generator(Generator &&) noexcept = default;
Generator::~Generator() = default;

Result<Sent> Generator::run(std::uint64_t frames, std::uint32_t per_call) const {
    return state_->netns.within([&]() -> Result<Sent> {
        xdp_md context{};
        context.data_end = static_cast<std::uint32_t>(state_->frame.size());
        context.ingress_ifindex = state_->ifindex;
        Sent sent;
        const double wall = wall_seconds(), cpu = thread_cpu_seconds();
        while (sent.frames < frames) {
            const auto now = static_cast<std::uint32_t>(std::min<std::uint64_t>(frames - sent.frames, per_call));
            BL_CHECK(kernel::test_run(state_->program,
                                      {.data = state_->frame, .ctx = context, .repeat = now, .live_frames = true}));
            sent.frames += now;
        }
        sent.cpu_seconds = thread_cpu_seconds() - cpu;
        sent.wall_seconds = wall_seconds() - wall;
        return sent;
    });
}

bl_lab_flows source_ports(std::uint32_t n, bool v6) {
    return {.flows = n,
            .first = 1024,
            .field = static_cast<__u16>(v6 ? kSourcePort6 : kSourcePort4),
            .check = static_cast<__u16>(v6 ? kUdpSum6 : kUdpSum4),
            ._pad = 0};
}

bl_lab_flows sources(std::uint32_t n, bool v6) {
    return {.flows = n,
            .first = 0,
            .field = static_cast<__u16>(v6 ? kSource6Low : kSource4Low),
            .check = static_cast<__u16>(v6 ? kUdpSum6 : kIpSum4),
            ._pad = 0};
}

} // namespace beeline::lab
