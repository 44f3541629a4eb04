// SPDX-License-Identifier: Apache-2.0
#include "cli/event_feed.hpp"
#include "daemon/json.hpp"

#include <fmt/format.h>

namespace beeline::cli {
namespace {

constexpr std::size_t kKept = 200;

} // namespace

void EventFeed::take(edge::LogEvent event) {
    if (writer_ && written_)
        written_ = writer_->write(edge::packet_of(event));
    events_.push_back(std::move(event));
    if (events_.size() > kKept)
        events_.pop_front();
}

Result<> EventFeed::poll_daemon() {
    BL_TRY(const daemon::Json page, client_.get(fmt::format("/v1/events?since={}", last_)));
    const std::uint64_t last = page.value("last", std::uint64_t{0});
    // The events from before this command began are for looking at, not for the file.
    const bool old = !asked_;
    for (const daemon::Json &json : page.value("events", daemon::Json::array())) {
        BL_TRY(edge::LogEvent event, daemon::event_from_json(json));
        if (old)
            events_.push_back(std::move(event));
        else
            take(std::move(event));
    }
    while (events_.size() > kKept)
        events_.pop_front();
    last_ = last;
    asked_ = true;
    note_ = "log (from the daemon):";
    return {};
}

Result<> EventFeed::poll_ring() {
    if (!edge_)
        return fail(Kind::permission, 0, "no daemon to ask, and the pins are root's");
    if (reader_) {
        BL_TRY(const bool same, reader_->refresh(*edge_));
        if (!same)
            reader_.reset();
    }
    if (!reader_) {
        BL_TRY(auto reader,
               edge::EventReader::open(*edge_, pins_, [this](edge::LogEvent event) { take(std::move(event)); }));
        reader_ = std::move(reader);
    }
    BL_TRY([[maybe_unused]] const unsigned count, reader_->consume());
    note_ = "log:";
    return {};
}

Result<> EventFeed::poll() {
    // A daemon that started meanwhile wants the ring buffer: it gets it when this process ends.
    Result<> polled = !reader_ && client_.reachable() ? poll_daemon() : poll_ring();
    if (!polled)
        note_ = "log: " + polled.error().message();
    if (writer_ && written_)
        written_ = writer_->flush();
    return written_;
}

} // namespace beeline::cli
