// SPDX-License-Identifier: Apache-2.0
//
// The ways packets go, which tests are repeated for.
#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace beeline::edge {

struct Way {
    const char *mode;
    bool v6;
};

inline constexpr Way kWays[] = {{"native", false}, {"native", true}, {"generic", false}, {"generic", true}};

inline std::string name(const Way &way) {
    return std::string(way.mode) + (way.v6 ? "_IPv6" : "_IPv4");
}

/// By whether the sender leaves checksums to the device.
struct OffloadWay : Way {
    bool offload;
    [[nodiscard]] bool native() const { return std::string_view(mode) == "native"; }
};

inline std::string name(const OffloadWay &way) {
    return name(static_cast<const Way &>(way)) + (way.offload ? "_offload" : "_no_offload");
}

inline void PrintTo(const Way &way, std::ostream *out) {
    *out << name(way);
}
inline void PrintTo(const OffloadWay &way, std::ostream *out) {
    *out << name(way);
}

/// For INSTANTIATE_TEST_SUITE_P.
inline constexpr auto kNameOf = [](const auto &instance) { return name(instance.param); };

} // namespace beeline::edge
