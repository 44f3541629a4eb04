// SPDX-License-Identifier: Apache-2.0
//
// What the writer writes is read by others: libpcap, and Wireshark's tools where they are installed.
#include <array>
#include <cstdio>
#include <memory>

#include <gmock/gmock.h>

#include <beeline/edge/capture.hpp>
#include <beeline/edge/events.hpp>

#include <harness/assert.hpp>
#include <harness/packet.hpp>

#include "unit/edge_tools/temp_file.hpp"

namespace beeline::edge {
namespace {

using namespace harness;
using testing::HasSubstr;

/// Output of a program, with its errors; nothing when it is not installed.
std::optional<std::string> output_of(const std::string &command) {
    const auto close = [](std::FILE *file) { pclose(file); };
    const std::unique_ptr<std::FILE, decltype(close)> pipe(popen((command + " 2>&1; echo status=$?").c_str(), "r"),
                                                           close);
    std::string text;
    std::array<char, 4096> buffer{};
    while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
        text.append(buffer.data(), got);
    return text.find("status=127") == std::string::npos ? std::optional(text) : std::nullopt;
}

LogEvent event(const std::string &device, Bytes bytes, std::uint32_t length) {
    LogEvent made;
    made.time = std::chrono::seconds(1'700'000'000) + std::chrono::nanoseconds(123'456'789);
    made.device = device;
    made.rule = 2;
    made.rule_text = "udp dport 53 -> log drop";
    made.verdict = 1;
    made.length = length;
    made.bytes = std::move(bytes);
    return made;
}

class Pcapng : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_VALUE(auto writer, PcapngWriter::create(file_.path()));
        const Bytes frame = (Eth{} / Ip4{} / Udp{.dport = 53} / Payload("odd")).bytes(); // 45 bytes: padded
        for (const LogEvent &one : {event("eth0", frame, static_cast<std::uint32_t>(frame.size())),
                                    event("eth1", truncate(frame, 40), 1500), event("eth0", frame, 45)})
            ASSERT_OK(writer.write(packet_of(one)));
        ASSERT_OK(writer.flush());
    }
    TempFile file_;
};

TEST_F(Pcapng, IsReadByLibpcap) {
    ASSERT_VALUE(auto reader, CaptureReader::open(file_.path()));
    ASSERT_VALUE(const auto first, reader.next());
    EXPECT_EQ(first->bytes.size(), 45U);
    EXPECT_EQ(first->time, std::chrono::seconds(1'700'000'000) + std::chrono::nanoseconds(123'456'789));
    ASSERT_VALUE(const auto second, reader.next());
    EXPECT_EQ(second->bytes.size(), 40U);
    EXPECT_EQ(second->length, 1500U);
    ASSERT_VALUE(const auto third, reader.next());
    EXPECT_EQ(third->number, 3U);
    ASSERT_VALUE(const auto end, reader.next());
    EXPECT_FALSE(end.has_value());
}

TEST_F(Pcapng, ShowsRuleAndVerdictInWireshark) {
    const auto text = output_of("tshark -r " + file_.path() +
                                " -T fields -e frame.number -e frame.interface_name -e frame.len -e frame.comment");
    if (!text)
        GTEST_SKIP() << "tshark is not installed";
    EXPECT_THAT(*text, HasSubstr("1\teth0\t45\trule 3 (udp dport 53 -> log drop): drop\n"));
    EXPECT_THAT(*text, HasSubstr("2\teth1\t1500\trule 3 (udp dport 53 -> log drop): drop\n"));
    EXPECT_THAT(*text, HasSubstr("3\teth0\t45\trule 3"));
    EXPECT_THAT(*text, HasSubstr("status=0"));
}

TEST_F(Pcapng, IsCountedByCapinfos) {
    const auto text = output_of("capinfos " + file_.path());
    if (!text)
        GTEST_SKIP() << "capinfos is not installed";
    EXPECT_THAT(*text, HasSubstr("Number of packets:   3"));
    EXPECT_THAT(*text, HasSubstr("pcapng"));
    EXPECT_THAT(*text, HasSubstr("Number of interfaces in file: 2"));
    EXPECT_THAT(*text, HasSubstr("nanosecond"));
}

TEST(PcapngErrors, NameTheFile) {
    const auto writer = PcapngWriter::create("/nonexistent/log.pcapng");
    ASSERT_FALSE(writer.has_value());
    EXPECT_THAT(writer.error().message(), HasSubstr("/nonexistent/log.pcapng"));
}

TEST(PcapngErrors, AFullDiskIsTold) {
    auto writer = PcapngWriter::create("/dev/full");
    ASSERT_TRUE(writer.has_value());
    EXPECT_FALSE(writer->flush().has_value());
}

} // namespace
} // namespace beeline::edge
