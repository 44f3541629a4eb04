// SPDX-License-Identifier: Apache-2.0
#include "lab/payload.hpp"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace beeline::lab {
namespace {

std::span<const std::byte> bytes(const char *text) {
    return std::as_bytes(std::span(text, std::strlen(text)));
}

TEST(LabPayload, HashesAsFnv1aSays) {
    // Test vectors of draft-eastlake-fnv, appendix C.
    EXPECT_EQ(hash({}), 0xcbf29ce484222325U);
    EXPECT_EQ(hash(bytes("a")), 0xaf63dc4c8601ec8cU);
    EXPECT_EQ(hash(bytes("foobar")), 0x85944171f73967e8U);
}

TEST(LabPayload, MessagesHaveTheWantedSizesAndAreIntact) {
    PayloadSource source(7, 20, 40);
    std::size_t least = 1000, most = 0;
    for (int i = 0; i < 500; ++i) {
        const auto message = source.next();
        least = std::min(least, message.size());
        most = std::max(most, message.size());
        EXPECT_TRUE(intact(message));
        EXPECT_EQ(header_of(message)->number, static_cast<std::uint32_t>(i));
    }
    EXPECT_EQ(least, 20U);
    EXPECT_EQ(most, 40U);
}

TEST(LabPayload, SameSeedSameMessagesOtherSeedOthers) {
    PayloadSource a(1, 100, 100), b(1, 100, 100), c(2, 100, 100);
    const auto message = a.next();
    EXPECT_EQ(message, b.next());
    EXPECT_NE(message, c.next());
}

TEST(LabPayload, AnyFlippedBitIsFound) {
    PayloadSource source(3, 64, 64);
    const auto message = source.next();
    for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
        auto spoiled = message;
        spoiled[bit / 8] ^= std::byte{1} << bit % 8;
        EXPECT_FALSE(intact(spoiled)) << "bit " << bit;
    }
}

TEST(LabPayload, CutOrLengthenedMessagesAreNotIntact) {
    PayloadSource source(3, 64, 64);
    auto message = source.next();
    for (std::size_t length = 0; length < message.size(); ++length)
        EXPECT_FALSE(intact(std::span(message).first(length)));
    message.push_back(std::byte{0});
    EXPECT_FALSE(intact(message));
}

TEST(LabPayload, AnImpossibleLengthIsNoHeader) {
    std::vector<std::byte> message(kMinMessage, std::byte{0xff});
    EXPECT_FALSE(header_of(message).has_value());
}

TEST(LabPayload, SizesAreClamped) {
    PayloadSource small(1, 0, 0), large(1, 1 << 20, 1 << 20);
    EXPECT_EQ(small.next().size(), kMinMessage);
    EXPECT_EQ(large.next().size(), kMaxMessage);
}

} // namespace
} // namespace beeline::lab
