// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <beeline/local/local.hpp>
#include <beeline/result.hpp>

#include "daemon/event_loop.hpp"
#include "daemon/repeated.hpp"

namespace beeline::daemon {

/// Lets connections onto the short cut between sockets and off it, over `down` and `up` of other processes.
class LocalPump {
public:
    LocalPump(EventLoop &loop, std::filesystem::path pins) : loop_(loop), pins_(std::move(pins)) {}

    /// Finds out what is up, and tends it.
    void tick();
    /// When the tender's descriptor was readable, or pause() is over.
    void tend();
    /// Sockets wait to be read empty, of which there is no event: how long until they are looked at again.
    [[nodiscard]] std::optional<std::chrono::milliseconds> pause() const { return pause_; }

private:
    // Every look is at all sockets: those who keep us waiting are asked less and less often.
    static constexpr std::chrono::milliseconds kShortest{2}, kLongest{100};
    Result<> follow();
    Result<> tend_once();
    void tell(const std::vector<std::string> &programs, const char *why);
    EventLoop &loop_;
    std::filesystem::path pins_;
    std::optional<local::Tender> tender_;
    std::optional<std::chrono::milliseconds> pause_;
    std::set<std::string> told_; ///< Programs that were found unfit.
    Repeated errors_;
};

} // namespace beeline::daemon
