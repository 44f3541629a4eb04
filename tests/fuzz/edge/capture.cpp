// SPDX-License-Identifier: Apache-2.0
//
// Capture files: whatever the bytes are, reading ends with packets or with one error; what was read can be described,
// and comes back the same after it was written.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <beeline/edge/capture.hpp>
#include <beeline/edge/packet.hpp>
#include <beeline/kernel/fd.hpp>

namespace {

using namespace beeline;

struct Packet {
    std::uint32_t length = 0;
    std::vector<std::byte> bytes;
    bool operator==(const Packet &) const = default;
};

/// A file in memory and the path by which others open it.
struct MemoryFile {
    kernel::UniqueFd fd{::memfd_create("fuzz", MFD_CLOEXEC)};
    std::string path = "/proc/self/fd/" + std::to_string(fd.get());
};

void require(bool holds) {
    if (!holds)
        std::abort();
}

/// The packets up to the end or the first error. Not more than 1000 are kept, so that no input takes long.
std::vector<Packet> read_all(const std::string &path) {
    std::vector<Packet> packets;
    Result<edge::CaptureReader> reader = edge::CaptureReader::open(path);
    if (!reader) {
        require(!reader.error().what.empty());
        return packets;
    }
    while (packets.size() < 1000) {
        const Result<std::optional<edge::CapturedPacket>> packet = reader->next();
        if (!packet || !*packet)
            break;
        require((*packet)->number == packets.size() + 1);
        packets.push_back({(*packet)->length, {(*packet)->bytes.begin(), (*packet)->bytes.end()}});
    }
    return packets;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const MemoryFile in, out;
    if (!in.fd.valid() || !out.fd.valid() || ::write(in.fd.get(), data, size) != static_cast<ssize_t>(size))
        return -1;
    const std::vector<Packet> packets = read_all(in.path);

    Result<edge::PcapngWriter> writer = edge::PcapngWriter::create(out.path);
    require(writer.has_value());
    for (const Packet &packet : packets) {
        const std::string text = edge::describe(packet.bytes, packet.length);
        require(!text.empty() && text.find('\n') == text.npos);
        require(writer->write({.device = "veth0", .length = packet.length, .bytes = packet.bytes, .comment = text})
                    .has_value());
    }
    require(writer->flush().has_value());
    require(read_all(out.path) == packets);
    return 0;
}
