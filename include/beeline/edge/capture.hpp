// SPDX-License-Identifier: Apache-2.0
//
// Capture files: read over libpcap (pcap and pcapng), written as pcapng with a comment on each packet.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/result.hpp>

namespace beeline::edge {

struct CapturedPacket {
    std::uint64_t number = 0;              ///< From 1.
    std::chrono::nanoseconds time{};       ///< Since the epoch.
    std::uint32_t length = 0;              ///< On the wire; more than bytes.size() when the capture cut it.
    std::span<const std::byte> bytes = {}; ///< Valid until the next call of next().
};

/// The frame as it was on the wire, with zeros for what the capture left out: lengths in headers then are no lies.
/// Valid as long as the packet's bytes and room are.
[[nodiscard]] std::span<const std::byte> whole(const CapturedPacket &packet, std::vector<std::byte> &room);

/// Reads one packet at a time; memory does not grow with the file.
class [[nodiscard]] CaptureReader {
public:
    /// path "-": standard input. Kind::config errors for what is no capture, or one of another link type than Ethernet.
    [[nodiscard]] static Result<CaptureReader> open(const std::string &path);
    CaptureReader(CaptureReader &&) noexcept;
    CaptureReader &operator=(CaptureReader &&) noexcept;
    ~CaptureReader();

    /// Nothing at the end of the file. An error names the file and the packet where it is broken.
    [[nodiscard]] Result<std::optional<CapturedPacket>> next();
    [[nodiscard]] const std::string &path() const;

private:
    struct State;
    explicit CaptureReader(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// Writes pcapng (draft-ietf-opsawg-pcapng): one section, an interface block for each device when it first appears,
/// enhanced packet blocks with nanosecond times. Little endian whatever the host.
class [[nodiscard]] PcapngWriter {
public:
    /// Creates or truncates path, mode 0600.
    [[nodiscard]] static Result<PcapngWriter> create(const std::string &path);

    struct Packet {
        std::chrono::nanoseconds time{}; ///< Since the epoch.
        std::string device = {};
        std::uint32_t length = 0; ///< On the wire.
        std::span<const std::byte> bytes = {};
        std::string comment = {}; ///< UTF-8; empty: none.
    };
    [[nodiscard]] Result<> write(const Packet &packet);
    [[nodiscard]] Result<> flush();

private:
    struct Close {
        void operator()(std::FILE *file) const { std::fclose(file); }
    };
    using File = std::unique_ptr<std::FILE, Close>;
    PcapngWriter(std::string path, File file) : path_(std::move(path)), file_(std::move(file)) {}
    Result<> put(const std::string &block);
    Result<std::uint32_t> interface(const std::string &device);
    std::string path_;
    File file_;
    std::map<std::string, std::uint32_t> interfaces_;
};

} // namespace beeline::edge
