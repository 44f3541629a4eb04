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

std::string summary(const guest::UpReport &report) {
    std::string text;
    for (const auto &[what, names] : {std::pair("new", &report.added), std::pair("gone", &report.removed),
                                      std::pair("wired anew", &report.rewired), std::pair("changed", &report.changed)})
        if (!names->empty())
            text += (text.empty() ? "" : "; ") + std::string(what) + ": " + list(*names);
    return text.empty() ? "no change" : text;
}

} // namespace beeline::daemon
