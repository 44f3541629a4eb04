// SPDX-License-Identifier: Apache-2.0
//
// The last log events, for whoever asks over the control socket.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include <beeline/edge/events.hpp>

namespace beeline::daemon {

/// Bounded; the oldest go first. Any thread.
class EventLog {
public:
    static constexpr std::size_t kCapacity = 1000;

    /// Numbers the event.
    void add(edge::LogEvent event) {
        const std::scoped_lock lock(mutex_);
        event.number = ++last_;
        events_.push_back(std::move(event));
        if (events_.size() > kCapacity)
            events_.pop_front();
    }

    struct Page {
        std::uint64_t last = 0;   ///< Ask with since = last next time.
        std::uint64_t missed = 0; ///< Events after `since` that are gone already.
        std::vector<edge::LogEvent> events = {};
    };
    /// Events with a number above since. A since from the future (the daemon was restarted) counts as 0.
    [[nodiscard]] Page since(std::uint64_t since) const {
        const std::scoped_lock lock(mutex_);
        if (since > last_)
            since = 0;
        Page page{.last = last_};
        const std::uint64_t first = last_ - events_.size(); // number of the newest one that is gone
        page.missed = first > since ? first - since : 0;
        for (const edge::LogEvent &event : events_)
            if (event.number > since)
                page.events.push_back(event);
        return page;
    }
    [[nodiscard]] std::uint64_t total() const {
        const std::scoped_lock lock(mutex_);
        return last_;
    }

private:
    mutable std::mutex mutex_;
    std::deque<edge::LogEvent> events_;
    std::uint64_t last_ = 0;
};

} // namespace beeline::daemon
