// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <spdlog/spdlog.h>

#include <beeline/result.hpp>

namespace beeline::daemon {

/// An error that comes back every second is told when it begins, not sixty times a minute.
class Repeated {
public:
    void report(const Result<> &result, const char *what) {
        const std::string now = result ? "" : result.error().message();
        if (now != last_ && !now.empty())
            spdlog::warn("{}: {}", what, now);
        last_ = now;
    }

private:
    std::string last_;
};

} // namespace beeline::daemon
