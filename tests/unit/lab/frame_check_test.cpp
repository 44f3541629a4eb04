// SPDX-License-Identifier: Apache-2.0
#include "lab/frame_check.hpp"

#include <gtest/gtest.h>

#include "lab/frames.hpp"

namespace beeline::lab {
namespace {

using Frame = std::vector<std::byte>;

Frame hex(std::string_view text) {
    Frame bytes;
    std::string pair;
    for (const char c : text) {
        if (c == ' ')
            continue;
        pair.push_back(c);
        if (pair.size() == 2) {
            bytes.push_back(static_cast<std::byte>(std::stoi(pair, nullptr, 16)));
            pair.clear();
        }
    }
    return bytes;
}

Frame udp(const std::string &source, const std::string &destination, std::size_t size = 101) {
    const auto frame = build({.source = source, .destination = destination, .bytes = size});
    return frame ? *frame : Frame{};
}

constexpr std::string_view kEther4 = "0200000000020200000000010800 ";
// A SYN from 192.0.2.1:80 to 198.51.100.2:1025, its TCP checksum (bytes 50, 51) left out.
constexpr std::string_view kTcpSyn =
    "450000280001000040068dc7 c0000201c6336402 00500401 0000000000000000 50022000 0000 0000";

TEST(LabFrameCheck, SumsAsRfc1071Says) {
    // The example of RFC 1071, section 3.
    EXPECT_EQ(sum_words(hex("0001 f203 f4f5 f6f7")), 0xddf2);
    EXPECT_EQ(sum_words(hex("01")), 0x0100);
    EXPECT_EQ(sum_words(hex("ffff ffff")), 0xffff);
}

TEST(LabFrameCheck, BuiltFramesAreGoodInBothFamiliesAndAllSizes) {
    for (std::size_t size = 62; size < 130; ++size) {
        for (const Frame &frame : {udp("10.9.0.1", "10.9.0.2", size), udp("fd09::1", "fd09::2", size)}) {
            ASSERT_EQ(frame.size(), size);
            const FrameSums sums = check_frame(frame);
            EXPECT_EQ(sums.l4, Sum::good);
            EXPECT_EQ(sums.protocol, 17);
            EXPECT_TRUE(sums.complete());
        }
    }
    EXPECT_EQ(check_frame(udp("10.9.0.1", "10.9.0.2")).ip, Sum::good);
    EXPECT_EQ(check_frame(udp("fd09::1", "fd09::2")).ip, Sum::absent);
}

TEST(LabFrameCheck, EverySpoiledByteThatASumCoversIsFound) {
    for (const Frame &good : {udp("10.9.0.1", "10.9.0.2"), udp("fd09::1", "fd09::2")}) {
        // From the IP addresses on: before them, v6 has fields that no sum covers.
        for (std::size_t at = 26; at < good.size(); ++at) {
            Frame spoiled = good;
            spoiled[at] ^= std::byte{0x10};
            EXPECT_FALSE(check_frame(spoiled).complete()) << "byte " << at << " of " << good.size();
        }
    }
}

TEST(LabFrameCheck, AHandMadeTcpSegmentIsJudgedByItsField) {
    Frame frame = hex(std::string(kEther4) + std::string(kTcpSyn));
    // ~(c000 + 0201 + c633 + 6402 + 6 + 20 + 0050 + 0401 + 5002 + 2000), folded.
    std::uint32_t sum = 0xc000 + 0x0201 + 0xc633 + 0x6402 + 6 + 20 + 0x0050 + 0x0401 + 0x5002 + 0x2000;
    sum = (sum & 0xffff) + (sum >> 16);
    const std::uint32_t check = ~sum & 0xffff;
    frame[50] = static_cast<std::byte>(check >> 8);
    frame[51] = static_cast<std::byte>(check);
    EXPECT_EQ(check_frame(frame).l4, Sum::good);
    EXPECT_EQ(check_frame(frame).protocol, 6);
    frame[51] ^= std::byte{1};
    EXPECT_EQ(check_frame(frame).l4, Sum::bad);
}

TEST(LabFrameCheck, ThePseudoHeadersSumAloneIsPartial) {
    Frame frame = hex(std::string(kEther4) + std::string(kTcpSyn));
    std::uint32_t sum = 0xc000 + 0x0201 + 0xc633 + 0x6402 + 6 + 20;
    sum = (sum & 0xffff) + (sum >> 16);
    frame[50] = static_cast<std::byte>(sum >> 8);
    frame[51] = static_cast<std::byte>(sum);
    EXPECT_EQ(check_frame(frame).l4, Sum::partial);
    EXPECT_FALSE(check_frame(frame).complete());
}

TEST(LabFrameCheck, NoUdpChecksumIsFineOverIpv4Only) {
    Frame v4 = udp("10.9.0.1", "10.9.0.2"), v6 = udp("fd09::1", "fd09::2");
    v4[kUdpSum4] = v4[kUdpSum4 + 1] = std::byte{0};
    v6[kUdpSum6] = v6[kUdpSum6 + 1] = std::byte{0};
    EXPECT_EQ(check_frame(v4).l4, Sum::absent);
    EXPECT_TRUE(check_frame(v4).complete());
    EXPECT_EQ(check_frame(v6).l4, Sum::bad);
}

TEST(LabFrameCheck, FragmentsHaveNoSumOfTheirOwn) {
    Frame frame = udp("10.9.0.1", "10.9.0.2");
    frame[20] = std::byte{0x20};  // More fragments...
    frame[24] ^= std::byte{0x20}; // ...and the header's sum with it.
    EXPECT_EQ(check_frame(frame).l4, Sum::absent);
    EXPECT_EQ(check_frame(frame).ip, Sum::good);
}

TEST(LabFrameCheck, LooksBehindTagsAndExtensionHeaders) {
    Frame tagged = udp("10.9.0.1", "10.9.0.2");
    const Frame tags = hex("88a80001 81000002");
    tagged.insert(tagged.begin() + 12, tags.begin(), tags.end());
    EXPECT_EQ(check_frame(tagged).l4, Sum::good);

    Frame v6 = udp("fd09::1", "fd09::2");
    const Frame hop_by_hop = hex("1100010400000000"); // Next UDP, padding.
    v6.insert(v6.begin() + 54, hop_by_hop.begin(), hop_by_hop.end());
    v6[20] = std::byte{0};
    v6[19] = static_cast<std::byte>(v6.size() - 54);
    EXPECT_EQ(check_frame(v6).l4, Sum::good);
}

TEST(LabFrameCheck, TruncationsAtEveryByteAreMalformedNotRead) {
    for (const Frame &good : {udp("10.9.0.1", "10.9.0.2"), udp("fd09::1", "fd09::2")}) {
        for (std::size_t length = 15; length < good.size(); ++length) {
            const Frame cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length)); // Exact, for ASan.
            EXPECT_TRUE(check_frame(cut).malformed) << length;
        }
    }
}

TEST(LabFrameCheck, TotalsCountWhatWasChecked) {
    SumTotals totals;
    totals.add(check_frame(udp("10.9.0.1", "10.9.0.2")));
    totals.add(check_frame(udp("fd09::1", "fd09::2")));
    EXPECT_TRUE(totals.clean());
    Frame spoiled = udp("10.9.0.1", "10.9.0.2");
    spoiled.back() ^= std::byte{1};
    totals.add(check_frame(spoiled));
    EXPECT_FALSE(totals.clean());
    EXPECT_EQ(totals.text(), "3 frames: 0 TCP, 3 UDP, 0 ICMP checked, 1 bad");
}

} // namespace
} // namespace beeline::lab
