// SPDX-License-Identifier: Apache-2.0
#include "load.hpp"

#include <chrono>

#include <fmt/format.h>
#include <sched.h>

#include <beeline/kernel/device.hpp>
#include <beeline/kernel/skeleton.hpp>

#include "lab/host.hpp"
#include "marked.skel.h"
#include "marks.hpp"

namespace beeline::edge {
namespace {

constexpr std::uint16_t kMarkerPort = 7; // marks.cpp
constexpr std::uint8_t kUnmarkedTtl = 64;
constexpr std::uint32_t kFramesPerCall = 1U << 19; ///< Some 0.2 s: so long stop() waits.

/// Exactly the 64 bytes that the generator puts back for each frame: its pages come round with the marks of before.
std::vector<std::byte> marker_frame() {
    return (harness::Eth{} / harness::Ip4{.ttl = kUnmarkedTtl} / harness::Udp{.dport = kMarkerPort} /
            harness::Payload(64 - 14 - 20 - 8))
        .bytes();
}

} // namespace

struct MarkCounter::State {
    kernel::Loaded<marked_bpf> program;
    kernel::Link link;
};

Result<MarkCounter> MarkCounter::attach(const lab::Node &node, const std::string &device, Hook hook) {
    BL_TRY(auto opened, kernel::Opened<marked_bpf>::open());
    auto &constants = *opened.rodata();
    constants.ttl_of_a = kTtlOfA;
    constants.dscp_of_a = kDscpOfA;
    constants.ttl_of_b = kTtlOfB;
    constants.dscp_of_b = kDscpOfB;
    constants.ttl_unmarked = kUnmarkedTtl;
    constants.port = kMarkerPort;
    BL_TRY(auto loaded, std::move(opened).load());
    BL_TRY(const auto found, node.device(device));
    BL_TRY(auto link, node.within([&] {
        return hook == Hook::tcx ? kernel::Link::attach_tcx(bpf_program__fd(loaded.progs().marked_passed),
                                                            found.ifindex, kernel::TcxHook::ingress)
                                 : kernel::Link::attach_xdp(bpf_program__fd(loaded.progs().marked_sent), found.ifindex,
                                                            kernel::XdpMode::native);
    }));
    return MarkCounter(std::make_unique<State>(State{.program = std::move(loaded), .link = std::move(link)}));
}

MarkCounter::MarkCounter(std::unique_ptr<State> state) : state_(std::move(state)) {}
MarkCounter::MarkCounter(MarkCounter &&) noexcept = default;
MarkCounter::~MarkCounter() = default;

MarkCounts MarkCounter::counts() const {
    const auto *bss = state_->program->bss;
    const auto read = [](const auto &counter) { return __atomic_load_n(&counter, __ATOMIC_RELAXED); };
    return {.a = read(bss->by_a),
            .b = read(bss->by_b),
            .unmarked = read(bss->unmarked),
            .mixed = read(bss->mixed),
            .other = read(bss->other)};
}

std::vector<int> usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<int> cpus;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return cpus;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(static_cast<unsigned>(cpu), &set))
            cpus.push_back(cpu);
    return cpus;
}

Result<std::unique_ptr<Flood>> Flood::start(const lab::Node &node, const std::string &device, int cpu) {
    BL_TRY(auto generator,
           lab::Generator::open({.node = &node, .device = device, .frame = marker_frame(), .restore = true}));
    std::unique_ptr<Flood> flood(new Flood(std::move(generator)));
    flood->thread_ = std::thread([flood = flood.get(), cpu] { flood->send(cpu); });
    return flood;
}

Flood::~Flood() {
    over_ = true;
    if (thread_.joinable())
        thread_.join();
}

void Flood::send(int cpu) {
    auto pinned = lab::PinnedToCpu::pin(cpu);
    if (!pinned) {
        error_ = std::move(pinned).error();
        return;
    }
    const double start = lab::wall_seconds();
    while (!over_) {
        auto sent = generator_.run(kFramesPerCall, kFramesPerCall);
        if (!sent) {
            error_ = std::move(sent).error();
            return;
        }
        sent_.frames += sent->frames;
        sent_.cpu_seconds += sent->cpu_seconds;
        sent_.wall_seconds = lab::wall_seconds() - start;
    }
}

Result<lab::Sent> Flood::stop() {
    over_ = true;
    thread_.join();
    if (error_)
        return std::unexpected(*std::move(error_));
    return sent_;
}

Result<std::uint64_t> full_queue_drops(const lab::Node &sender, const std::string &device) {
    return sender.within([&]() -> Result<std::uint64_t> {
        BL_TRY(const auto ethtool, kernel::Ethtool::open());
        BL_TRY(const auto counts, ethtool.statistics(device));
        std::uint64_t sum = 0;
        bool known = false;
        for (const auto &[name, value] : counts) {
            if (!name.starts_with("tx_queue_") || !name.ends_with("_xdp_xmit_errors"))
                continue;
            known = true;
            sum += value;
        }
        if (!known)
            return fail(Kind::unsupported, 0, device + " does not count what its peer's queue refuses");
        return sum;
    });
}

MarkCounts settled(const MarkCounter &counter, std::uint64_t expected) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    MarkCounts counts = counter.counts();
    while (counts.all() != expected && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        counts = counter.counts();
    }
    return counts;
}

std::string statistics(const lab::Node &node, const std::string &device) {
    std::string text = device + ":";
    const auto shown = node.within([&]() -> Result<> {
        BL_TRY(const auto ethtool, kernel::Ethtool::open());
        BL_TRY(const auto counts, ethtool.statistics(device));
        for (const auto &[name, value] : counts)
            if (value != 0)
                text += fmt::format(" {} {}", name, value);
        return {};
    });
    return shown ? text : text + " " + shown.error().message();
}

} // namespace beeline::edge
