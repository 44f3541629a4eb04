// SPDX-License-Identifier: Apache-2.0
#include <beeline/edge/capture.hpp>

#include <cerrno>
#include <sys/stat.h>

#include <pcap/pcap.h>

#include <fmt/format.h>

namespace beeline::edge {

struct CaptureReader::State {
    struct Close {
        void operator()(pcap_t *file) const { pcap_close(file); }
    };
    std::string path;
    std::unique_ptr<pcap_t, Close> file;
    std::uint64_t packets = 0;
};

CaptureReader::CaptureReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
CaptureReader::CaptureReader(CaptureReader &&) noexcept = default;
CaptureReader &CaptureReader::operator=(CaptureReader &&) noexcept = default;
CaptureReader::~CaptureReader() = default;

namespace {

/// Things that are no capture for reasons libpcap would put differently on each system.
Result<> check_file(const std::string &path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0)
        return fail(errno == EACCES ? Kind::permission : Kind::config, errno, path);
    if (S_ISDIR(status.st_mode))
        return fail(Kind::config, EISDIR, path, "a capture file is needed");
    if (S_ISREG(status.st_mode) && status.st_size == 0)
        return fail(Kind::config, 0, path + ": the file is empty", "a capture has at least a header");
    return {};
}

/// libpcap puts the name of the file in front of some messages only.
std::string without_name(const std::string &message, const std::string &path) {
    const std::string prefix = path + ": ";
    return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

} // namespace

std::span<const std::byte> whole(const CapturedPacket &packet, std::vector<std::byte> &room) {
    if (packet.length <= packet.bytes.size())
        return packet.bytes;
    room.assign(packet.bytes.begin(), packet.bytes.end());
    room.resize(packet.length);
    return room;
}

Result<CaptureReader> CaptureReader::open(const std::string &path) {
    if (path != "-")
        BL_CHECK(check_file(path));
    char message[PCAP_ERRBUF_SIZE] = {};
    State state{.path = path, .file = {}, .packets = 0};
    state.file.reset(pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, message));
    if (!state.file)
        return fail(Kind::config, 0, path + ": " + without_name(message, path),
                    "a pcap or pcapng file is needed (tcpdump -w)");
    if (const int type = pcap_datalink(state.file.get()); type != DLT_EN10MB) {
        const char *name = pcap_datalink_val_to_name(type);
        return fail(Kind::config, 0,
                    fmt::format("{}: packets of link type {}", path, name != nullptr ? name : std::to_string(type)),
                    "capture on one Ethernet device (tcpdump -i DEV -w FILE); 'any' has another header");
    }
    return CaptureReader(std::make_unique<State>(std::move(state)));
}

Result<std::optional<CapturedPacket>> CaptureReader::next() {
    pcap_pkthdr *header = nullptr;
    const u_char *bytes = nullptr;
    const int got = pcap_next_ex(state_->file.get(), &header, &bytes);
    if (got == PCAP_ERROR_BREAK)
        return std::nullopt;
    if (got != 1)
        return fail(Kind::config, 0,
                    fmt::format("{}: packet {}: {}", state_->path, state_->packets + 1,
                                without_name(pcap_geterr(state_->file.get()), state_->path)),
                    "the file is damaged or was cut off");
    ++state_->packets;
    CapturedPacket packet;
    packet.number = state_->packets;
    // With nanosecond precision tv_usec holds nanoseconds.
    packet.time = std::chrono::seconds(header->ts.tv_sec) + std::chrono::nanoseconds(header->ts.tv_usec);
    packet.length = header->len;
    packet.bytes = std::as_bytes(std::span(bytes, header->caplen));
    return packet;
}

const std::string &CaptureReader::path() const {
    return state_->path;
}

} // namespace beeline::edge
