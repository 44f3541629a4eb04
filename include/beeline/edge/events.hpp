// SPDX-License-Identifier: Apache-2.0
//
// The log of the edge: packets that rules with `log` let through the ring buffer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <beeline/edge/capture.hpp>
#include <beeline/edge/edge.hpp>
#include <beeline/result.hpp>

namespace beeline::edge {

struct LogEvent {
    std::uint64_t number = 0;        ///< Given by whoever keeps events, from 1.
    std::chrono::nanoseconds time{}; ///< Since the epoch.
    std::string device;              ///< Name, or "if17" when the device is gone.
    std::uint32_t rule = 0;          ///< Number in the policy of that generation, from 0.
    std::string rule_text;           ///< Empty when that generation is not known any more.
    std::uint32_t generation = 0;
    std::uint32_t verdict = 0;    ///< BL_EDGE_*
    std::uint32_t length = 0;     ///< Of the frame.
    std::vector<std::byte> bytes; ///< The beginning of it, as it came in.
};

/// "rule 3 (tcp dport 22 -> log drop): drop"
[[nodiscard]] std::string comment(const LogEvent &event);
/// "12:03:01.123456 eth0 #3 drop tcp 192.0.2.1:4000 > 198.51.100.7:22 flags syn, 74 bytes"
[[nodiscard]] std::string one_line(const LogEvent &event);
/// The event as a packet of a pcapng file; refers to event's bytes.
[[nodiscard]] PcapngWriter::Packet packet_of(const LogEvent &event);

/// The one consumer of the ring buffer of the edge below `pins`: a BPF ring buffer bears one reader only, so the
/// reader holds a lock (the directory `events` below pins, flock()ed) as long as it lives.
class [[nodiscard]] EventReader {
public:
    using Callback = std::function<void(LogEvent)>;

    /// Kind::conflict when another process reads, Kind::usage when no edge is up.
    [[nodiscard]] static Result<EventReader> open(const Edge &edge, const std::filesystem::path &pins,
                                                  Callback callback);
    EventReader(EventReader &&) noexcept;
    EventReader &operator=(EventReader &&) noexcept;
    ~EventReader();

    /// Tells callback all that is there.
    [[nodiscard]] Result<unsigned> consume();
    /// Readable when there is something.
    [[nodiscard]] int epoll_fd() const;
    /// Learns the rule texts of what is live now. False: the ring buffer is another one (down and up happened), or the
    /// edge is down: open again.
    [[nodiscard]] Result<bool> refresh(const Edge &edge);

private:
    struct State;
    explicit EventReader(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace beeline::edge
