// SPDX-License-Identifier: Apache-2.0
//
// Log events for `top`: of the daemon when one runs, else out of the ring buffer.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include <beeline/edge/edge.hpp>
#include <beeline/edge/events.hpp>
#include <beeline/result.hpp>

#include "daemon/client.hpp"

namespace beeline::cli {

class EventFeed {
public:
    /// edge: none when this process may not look at the pins.
    EventFeed(std::optional<edge::Edge> edge, std::string pins, daemon::Client client)
        : edge_(std::move(edge)), pins_(std::move(pins)), client_(std::move(client)) {}
    EventFeed(const EventFeed &) = delete; // the reader's callback points here
    EventFeed &operator=(const EventFeed &) = delete;

    /// Also writes every event to this file.
    void write_to(edge::PcapngWriter writer) { writer_ = std::move(writer); }

    /// Takes what is new. Errors of the way to the events are no errors: note() tells them. Only the file's are.
    [[nodiscard]] Result<> poll();
    [[nodiscard]] const std::deque<edge::LogEvent> &events() const { return events_; }
    /// "log (from the daemon):"
    [[nodiscard]] const std::string &note() const { return note_; }

private:
    Result<> poll_daemon();
    Result<> poll_ring();
    void take(edge::LogEvent event);

    std::optional<edge::Edge> edge_;
    std::string pins_;
    daemon::Client client_;
    std::optional<edge::PcapngWriter> writer_;
    Result<> written_;
    std::optional<edge::EventReader> reader_;
    std::uint64_t last_ = 0;
    bool asked_ = false;
    std::deque<edge::LogEvent> events_;
    std::string note_;
};

} // namespace beeline::cli
