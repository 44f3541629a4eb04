// SPDX-License-Identifier: Apache-2.0
//
// Capture files, good and broken, put together byte by byte.
#include <gmock/gmock.h>

#include <beeline/edge/capture.hpp>

#include <harness/assert.hpp>

#include "unit/edge_tools/temp_file.hpp"

namespace beeline::edge {
namespace {

using testing::HasSubstr;

std::string le32(std::uint32_t value) {
    std::string bytes;
    for (int shift = 0; shift < 32; shift += 8)
        bytes += static_cast<char>(value >> shift & 0xff);
    return bytes;
}
std::string le16(std::uint16_t value) {
    return le32(value).substr(0, 2);
}

/// The header of a classic pcap file (draft-ietf-opsawg-pcap), microseconds.
std::string pcap_header(std::uint32_t link = 1, std::uint32_t magic = 0xa1b2c3d4) {
    return le32(magic) + le16(2) + le16(4) + le32(0) + le32(0) + le32(65535) + le32(link);
}
std::string record(std::uint32_t captured, std::uint32_t length, std::size_t bytes, std::uint32_t fraction = 5) {
    return le32(1) + le32(fraction) + le32(captured) + le32(length) + std::string(bytes, 'x');
}
std::string block(std::uint32_t type, const std::string &body) {
    const auto length = static_cast<std::uint32_t>(body.size() + 12);
    return le32(type) + le32(length) + body + le32(length);
}
std::string section() {
    return block(0x0a0d0d0a, le32(0x1a2b3c4d) + le16(1) + le16(0) + le32(0xffffffff) + le32(0xffffffff));
}
std::string interface(std::uint16_t link) {
    return block(1, le16(link) + le16(0) + le32(0));
}
std::string enhanced(std::uint32_t interface, std::uint32_t captured, std::uint32_t length, std::size_t bytes) {
    return block(6, le32(interface) + le32(0) + le32(1) + le32(captured) + le32(length) + std::string(bytes, 'y'));
}

/// Reads a file to its end: the number of packets, or the error.
Result<std::uint64_t> read_all(const std::string &content) {
    const TempFile file(content);
    BL_TRY(auto reader, CaptureReader::open(file.path()));
    std::uint64_t packets = 0;
    for (;;) {
        BL_TRY(const auto packet, reader.next());
        if (!packet)
            return packets;
        if (packet->number != ++packets)
            return fail(Kind::state, 0, "packets are not numbered from 1");
    }
}

TEST(Capture, ReadsPcap) {
    const TempFile file(pcap_header() + record(20, 20, 20) + record(14, 1500, 14));
    ASSERT_VALUE(auto reader, CaptureReader::open(file.path()));
    ASSERT_VALUE(const auto first, reader.next());
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(first->bytes.size(), 20U);
    EXPECT_EQ(first->time, std::chrono::seconds(1) + std::chrono::microseconds(5));
    ASSERT_VALUE(const auto second, reader.next());
    ASSERT_TRUE(second.has_value());
    EXPECT_EQ(second->number, 2U);
    EXPECT_EQ(second->bytes.size(), 14U);
    EXPECT_EQ(second->length, 1500U) << "of the wire, not of the capture";
    ASSERT_VALUE(const auto end, reader.next());
    EXPECT_FALSE(end.has_value());
}

TEST(Capture, ReadsNanosecondsAndPcapng) {
    const TempFile nanoseconds(pcap_header(1, 0xa1b23c4d) + record(14, 14, 14, 999'999'999));
    ASSERT_VALUE(auto reader, CaptureReader::open(nanoseconds.path()));
    ASSERT_VALUE(const auto packet, reader.next());
    EXPECT_EQ(packet->time, std::chrono::seconds(1) + std::chrono::nanoseconds(999'999'999));
    ASSERT_VALUE(const auto count,
                 read_all(section() + interface(1) + enhanced(0, 16, 16, 16) + enhanced(0, 60, 60, 60)));
    EXPECT_EQ(count, 2U);
}

TEST(Capture, AFileWithoutPacketsIsGood) {
    ASSERT_VALUE(const auto count, read_all(pcap_header()));
    EXPECT_EQ(count, 0U);
}

struct Broken {
    const char *name;
    std::string content;
    const char *error; ///< Part of the message.
};

class BrokenCapture : public testing::TestWithParam<Broken> {};

TEST_P(BrokenCapture, IsToldInOneLine) {
    const auto read = read_all(GetParam().content);
    ASSERT_FALSE(read.has_value()) << GetParam().name;
    EXPECT_EQ(read.error().kind, Kind::config);
    EXPECT_THAT(read.error().message(), HasSubstr(GetParam().error)) << GetParam().name;
    EXPECT_THAT(read.error().message(), HasSubstr("/bl-file-")) << "the file is named";
    EXPECT_EQ(read.error().message().find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    All, BrokenCapture,
    testing::Values(
        Broken{"empty", "", "the file is empty"}, Broken{"one byte", "x", "truncated dump file"},
        Broken{"text", "this is no capture, it is a text file\n", "unknown file format"},
        Broken{"magic alone", le32(0xa1b2c3d4), "truncated dump file"},
        Broken{"half a header", pcap_header().substr(0, 20), "truncated dump file"},
        Broken{"raw IP", pcap_header(101) + record(20, 20, 20), "link type RAW"},
        Broken{"cooked", pcap_header(113) + record(20, 20, 20), "link type LINUX_SLL"},
        Broken{"no such link type", pcap_header(60000) + record(20, 20, 20), "link type 60000"},
        Broken{"half a record header", pcap_header() + record(20, 20, 20) + "1234567", "packet 2: truncated"},
        Broken{"half a packet", pcap_header() + record(20, 20, 7), "packet 1: truncated"},
        Broken{"absurd length", pcap_header() + record(0x7fffffff, 20, 20), "packet 1: "},
        Broken{"version 9", le32(0xa1b2c3d4) + le16(9) + pcap_header().substr(6), "version"},
        Broken{"pcapng: half a section", section().substr(0, 10), "unknown file format"},
        Broken{"pcapng: no interface", section() + enhanced(0, 14, 14, 14), ""},
        Broken{"pcapng: interface 7", section() + interface(1) + enhanced(7, 14, 14, 14), "packet 1: "},
        Broken{"pcapng: cut block", section() + interface(1) + enhanced(0, 14, 14, 14).substr(0, 30), "packet 1: "},
        Broken{"pcapng: captured beyond the block", section() + interface(1) + enhanced(0, 5000, 5000, 16),
               "packet 1: "},
        Broken{"pcapng: raw IP", section() + interface(101) + enhanced(0, 20, 20, 20), "link type RAW"},
        Broken{"pcapng: block of odd length", section() + interface(1) + le32(6) + le32(33) + std::string(40, 'z'),
               "packet 1: "}));

TEST(Capture, MissingFilesAndDirectoriesAreNamed) {
    const auto missing = CaptureReader::open("/nonexistent/file.pcap");
    ASSERT_FALSE(missing.has_value());
    EXPECT_THAT(missing.error().message(), HasSubstr("/nonexistent/file.pcap: No such file"));
    const auto directory = CaptureReader::open("/tmp");
    ASSERT_FALSE(directory.has_value());
    EXPECT_THAT(directory.error().message(), HasSubstr("Is a directory"));
}

} // namespace
} // namespace beeline::edge
