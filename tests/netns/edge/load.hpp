// SPDX-License-Identifier: Apache-2.0
//
// An edge under load: millions of marker packets a second sent through it, and each counted behind it by the policy
// that has judged it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <beeline/kernel/link.hpp>

#include "host.hpp"
#include "lab/generator.hpp"

namespace beeline::edge {

/// Packets behind the edge.
struct MarkCounts {
    std::uint64_t a = 0, b = 0;
    std::uint64_t unmarked = 0; ///< As they were sent: no policy has judged them.
    std::uint64_t mixed = 0;    ///< Half of a mark, or a wrong IPv4 checksum.
    std::uint64_t other = 0;    ///< Not marker packets.
    [[nodiscard]] std::uint64_t judged() const { return a + b; }
    [[nodiscard]] std::uint64_t all() const { return a + b + unmarked + mixed + other; }
};

/// Counts marker packets where they come out of the edge, and drops everything.
class [[nodiscard]] MarkCounter {
public:
    enum class Hook : std::uint8_t {
        tcx, ///< On the edge's own device, behind its program: what it has passed.
        xdp, ///< On the far end of the device that it redirects to.
    };
    [[nodiscard]] static Result<MarkCounter> attach(const lab::Node &node, const std::string &device, Hook hook);
    MarkCounter(MarkCounter &&) noexcept;
    MarkCounter &operator=(MarkCounter &&) = delete;
    ~MarkCounter();
    [[nodiscard]] MarkCounts counts() const;

private:
    struct State;
    explicit MarkCounter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// The CPUs that this process may use.
[[nodiscard]] std::vector<int> usable_cpus();

/// Sends marker packets as fast as one CPU can, until it is stopped. Over veth the far end's XDP program and what comes
/// behind it run on that CPU too.
class [[nodiscard]] Flood {
public:
    [[nodiscard]] static Result<std::unique_ptr<Flood>> start(const lab::Node &node, const std::string &device,
                                                              int cpu);
    Flood(const Flood &) = delete;
    Flood &operator=(const Flood &) = delete;
    ~Flood();

    /// Frames that the kernel has taken, and how long that took; of the whole time from start() on.
    [[nodiscard]] Result<lab::Sent> stop();

private:
    explicit Flood(lab::Generator generator) : generator_(std::move(generator)) {}
    void send(int cpu);

    lab::Generator generator_;
    std::atomic<bool> over_ = false;
    std::optional<Error> error_; ///< Written by the thread, read when it has ended.
    lab::Sent sent_;             ///< As error_.
    std::thread thread_;
};

/// Frames that found the far end's queue full: dropped by veth before any XDP program, and counted (veth_xdp_xmit).
[[nodiscard]] Result<std::uint64_t> full_queue_drops(const lab::Node &sender, const std::string &device);

/// The counts, once nothing is under way any more: `expected` of them, or what there are after some seconds.
[[nodiscard]] MarkCounts settled(const MarkCounter &counter, std::uint64_t expected);

/// All statistics of a device that are not 0, for the message of a failure.
[[nodiscard]] std::string statistics(const lab::Node &node, const std::string &device);

} // namespace beeline::edge
