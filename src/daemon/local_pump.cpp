// SPDX-License-Identifier: Apache-2.0
#include "daemon/local_pump.hpp"

#include <algorithm>
#include <utility>

namespace beeline::daemon {

Result<> LocalPump::follow() {
    if (tender_ && !tender_->current()) {
        (void)tender_->tend(); // who must be told of bytes still is, though there is nothing to tend any more
        BL_CHECK(loop_.watch(Source::sockets, std::nullopt));
        tender_.reset();
    }
    if (tender_)
        return {};
    BL_TRY(const local::Local live, local::Local::open(pins_));
    BL_TRY(const bool up, live.is_up());
    if (!up)
        return {};
    BL_TRY(auto tender, local::Tender::open(pins_));
    BL_CHECK(loop_.watch(Source::sockets, tender.fd()));
    tender_ = std::move(tender);
    return {};
}

Result<> LocalPump::tend_once() {
    const auto before = std::exchange(pause_, std::nullopt);
    if (!tender_)
        return {};
    const auto done = tender_->tend();
    if (!done) // it may be down since the last look
        return tender_->current() ? Result<>(std::unexpected(done.error())) : Result<>();
    if (done->waiting != 0)
        pause_ = before && done->filed + done->left == 0 ? std::min(*before * 2, kLongest) : kShortest;
    tell(done->splicers, "can splice()");
    tell(done->counters, "can ask FIONREAD");
    return {};
}

void LocalPump::tell(const std::vector<std::string> &programs, const char *why) {
    for (const std::string &program : programs)
        if (told_.insert(program).second)
            spdlog::info("{} {}: its sockets stay on TCP (trusted in [local] says otherwise)", program, why);
}

void LocalPump::tend() {
    errors_.report(tend_once(), "local");
}

void LocalPump::tick() {
    const Result<> followed = follow();
    errors_.report(followed ? tend_once() : followed, "local");
}

} // namespace beeline::daemon
