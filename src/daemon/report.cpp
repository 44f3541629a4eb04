// SPDX-License-Identifier: Apache-2.0
#include "daemon/report.hpp"

#include <utility>

namespace beeline::daemon {

std::string list(const std::vector<std::string> &names) {
    std::string text;
    for (const std::string &name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

namespace {

/// The first ones, when there are hundreds.
std::string shortened(const std::vector<std::string> &names) {
    constexpr std::ptrdiff_t kShown = 10;
    const auto more = static_cast<std::ptrdiff_t>(names.size()) - kShown;
    if (more <= 1)
        return list(names);
    return list({names.begin(), names.begin() + kShown}) + " and " + std::to_string(more) + " more";
}

} // namespace

std::string summary(const guest::UpReport &report) {
    std::string text;
    for (const auto &[what, names] : {std::pair("new", &report.added), std::pair("gone", &report.removed),
                                      std::pair("wired anew", &report.rewired), std::pair("changed", &report.changed)})
        if (!names->empty())
            text += (text.empty() ? "" : "; ") + std::string(what) + ": " + shortened(*names);
    return text.empty() ? "no change" : text;
}

} // namespace beeline::daemon
