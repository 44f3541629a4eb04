// SPDX-License-Identifier: Apache-2.0
//
// Random policies, and random packets that hit their rules or just miss them. Equal seeds give equal cases.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <vector>

#include <beeline/edge/policy.hpp>
#include <harness/packet.hpp>

namespace beeline::model {

class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}

    [[nodiscard]] std::uint64_t bits() { return engine_(); }
    /// 0..limit - 1.
    [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
    /// low..high.
    [[nodiscard]] std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
    /// True in percent of the cases.
    [[nodiscard]] bool chance(unsigned percent) { return below(100) < percent; }
    template <class T>
    [[nodiscard]] T pick(std::initializer_list<T> values) {
        return values.begin()[below(values.size())];
    }
    template <class T>
    [[nodiscard]] const T &pick(const std::vector<T> &values) {
        return values[below(values.size())];
    }

private:
    std::mt19937_64 engine_;
};

/// Names that the generated policies use; the test says what they stand for.
inline constexpr const char *kDevice = "lo";       ///< The one that receives.
inline constexpr const char *kOtherDevice = "far"; ///< Another one.

// Values that meet each other often: rules and packets are both made of them.
[[nodiscard]] edge::Prefix random_address(Random &random, edge::Family family); ///< A full-length prefix.
[[nodiscard]] edge::Prefix random_prefix(Random &random);
[[nodiscard]] edge::Prefix masked_prefix(edge::Prefix address, unsigned bits);
[[nodiscard]] std::uint16_t random_port(Random &random);
[[nodiscard]] edge::Mac random_mac(Random &random);
[[nodiscard]] std::uint16_t random_vlan(Random &random);
[[nodiscard]] std::uint16_t random_ethertype(Random &random);
[[nodiscard]] std::uint8_t random_proto(Random &random);
[[nodiscard]] std::uint8_t random_byte(Random &random); ///< Often 0, 1, 64, 255.

/// 1 to 40 rules, the last one a fallback.
[[nodiscard]] edge::Policy random_policy(Random &random);

/// So many rules, for tables of many entries.
[[nodiscard]] edge::Policy long_policy(Random &random, std::size_t rules);

/// A frame of 14 to about 1,600 bytes for one of the rules of the policy, or one that is close to it, or odd.
[[nodiscard]] harness::Bytes random_packet(Random &random, const edge::Policy &policy);

} // namespace beeline::model
