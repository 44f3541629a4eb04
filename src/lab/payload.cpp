// SPDX-License-Identifier: Apache-2.0
#include "lab/payload.hpp"

#include <algorithm>
#include <cstring>

namespace beeline::lab {

std::uint64_t hash(std::span<const std::byte> bytes) {
    std::uint64_t value = 0xcbf29ce484222325;
    for (const std::byte b : bytes) {
        value ^= std::to_integer<std::uint64_t>(b);
        value *= 0x100000001b3;
    }
    return value;
}

PayloadSource::PayloadSource(std::uint64_t seed, std::size_t min_bytes, std::size_t max_bytes)
    : random_(seed), min_(std::clamp(min_bytes, kMinMessage, kMaxMessage)),
      max_(std::clamp(max_bytes, min_, kMaxMessage)) {}

std::vector<std::byte> PayloadSource::next() {
    std::vector<std::byte> message(std::uniform_int_distribution<std::size_t>(min_, max_)(random_));
    const std::span body = std::span(message).subspan(kMinMessage);
    for (std::size_t at = 0; at < body.size(); at += sizeof(std::uint64_t)) {
        const std::uint64_t word = random_();
        std::memcpy(body.data() + at, &word, std::min(sizeof word, body.size() - at));
    }
    const MessageHeader header{
        .hash = hash(body) ^ number_, .number = number_, .bytes = static_cast<std::uint32_t>(body.size())};
    std::memcpy(message.data(), &header, sizeof header);
    ++number_;
    return message;
}

std::optional<MessageHeader> header_of(std::span<const std::byte> bytes) {
    MessageHeader header;
    if (bytes.size() < sizeof header)
        return std::nullopt;
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.bytes > kMaxMessage - kMinMessage)
        return std::nullopt;
    return header;
}

bool intact(std::span<const std::byte> message) {
    const auto header = header_of(message);
    return header && message.size() == kMinMessage + header->bytes &&
           (hash(message.subspan(kMinMessage)) ^ header->number) == header->hash;
}

} // namespace beeline::lab
