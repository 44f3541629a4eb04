// SPDX-License-Identifier: Apache-2.0
#include "marks.hpp"

#include <atomic>

#include <fmt/format.h>

namespace beeline::edge {
namespace {

/// Offsets in a frame without tags and options.
constexpr std::size_t kTos = 15, kTtl = 22, kPayload = 42;

std::uint8_t byte_at(const Bytes &frame, std::size_t at) {
    return static_cast<std::uint8_t>(frame.at(at));
}

} // namespace

std::string name(Mark mark) {
    switch (mark) {
    case Mark::none:
        return "none";
    case Mark::a:
        return "a";
    case Mark::b:
        return "b";
    case Mark::mixed:
        return "mixed";
    case Mark::lost:
        return "lost";
    }
    return "?";
}

const std::string &rule_of_a() {
    static const std::string rule = fmt::format("udp dport 7 -> rewrite ttl {} dscp {}", kTtlOfA, kDscpOfA);
    return rule;
}

const std::string &rule_of_b() {
    static const std::string rule = fmt::format("udp dport 7 -> rewrite ttl {} dscp {}", kTtlOfB, kDscpOfB);
    return rule;
}

Text marking_a(std::vector<std::string> devices) {
    return {.devices = std::move(devices), .rules = {"tcp dport 9 -> drop", rule_of_a(), "udp dport 7 -> drop"}};
}

Text marking_b(std::vector<std::string> devices) {
    Text text{.devices = std::move(devices), .rules = {"tcp dport 8 -> drop", "udp dport 8 -> drop"}};
    for (int port = 100; port < 140; ++port) // Long enough to be scanned out of line.
        text.rules.push_back(fmt::format("udp dport 7 sport {} -> drop", port));
    text.rules.push_back(rule_of_b());
    text.rules.emplace_back("udp dport 7 -> drop");
    return text;
}

Mark probe(const Wire &from, const Wire &to) {
    static std::atomic<unsigned> number = 0;
    const Bytes frame = (harness::Eth{} / harness::Ip4{} / harness::Udp{.dport = 7} /
                         harness::Payload(fmt::format("probe {:08}", ++number)))
                            .bytes();
    to.forget();
    if (!from.send(frame))
        return Mark::lost;
    while (const auto arrived = to.receive(std::chrono::seconds(2))) {
        const Bytes &bytes = arrived->bytes;
        if (bytes.size() != frame.size() ||
            !std::equal(bytes.begin() + kPayload, bytes.end(), frame.begin() + kPayload))
            continue;
        const std::uint8_t ttl = byte_at(bytes, kTtl), dscp = byte_at(bytes, kTos) >> 2;
        return bytes == frame                       ? Mark::none
               : ttl == kTtlOfA && dscp == kDscpOfA ? Mark::a
               : ttl == kTtlOfB && dscp == kDscpOfB ? Mark::b
                                                    : Mark::mixed;
    }
    return Mark::lost;
}

} // namespace beeline::edge
