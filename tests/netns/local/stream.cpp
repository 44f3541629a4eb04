// SPDX-License-Identifier: Apache-2.0
#include "stream.hpp"

#include <random>
#include <string>

namespace beeline::conformance {
namespace {

constexpr std::size_t kPeriod = 1048573;

/// One period and kLongest bytes of the next.
const std::string &table() {
    static const std::string bytes = [] {
        std::mt19937 random(7);
        std::string made(kPeriod + Stream::kLongest, '\0');
        for (std::size_t i = 0; i < made.size(); ++i)
            made[i] = i < kPeriod ? static_cast<char>(random()) : made[i - kPeriod];
        return made;
    }();
    return bytes;
}

} // namespace

std::string_view Stream::ahead(std::size_t size) const {
    return std::string_view(table()).substr((number_ * 104729 + position_) % kPeriod, size);
}

bool Stream::check(std::string_view bytes) {
    while (intact_ && !bytes.empty()) {
        const std::string_view expected = ahead(std::min(bytes.size(), kLongest));
        intact_ = bytes.starts_with(expected);
        if (intact_) {
            advance(expected.size());
            bytes.remove_prefix(expected.size());
        }
    }
    return intact_;
}

} // namespace beeline::conformance
