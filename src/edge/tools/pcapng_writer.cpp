// SPDX-License-Identifier: Apache-2.0
#include <beeline/edge/capture.hpp>

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include <beeline/kernel/fd.hpp>

namespace beeline::edge {
namespace {

// draft-ietf-opsawg-pcapng, sections 4 and 3.5.
constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a, kInterface = 1, kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint16_t kLinkEthernet = 1;
constexpr std::uint16_t kOptEnd = 0, kOptComment = 1, kShbApplication = 4, kIfName = 2, kIfTimeResolution = 9;
constexpr char kNanoseconds = 9; ///< Times are in units of 10^-9 s.
constexpr std::size_t kMaxOption = 65535;

void put16(std::string &out, std::uint16_t value) {
    out += static_cast<char>(value & 0xff);
    out += static_cast<char>(value >> 8);
}
void put32(std::string &out, std::uint32_t value) {
    put16(out, static_cast<std::uint16_t>(value & 0xffff));
    put16(out, static_cast<std::uint16_t>(value >> 16));
}
/// Everything in a block begins at a multiple of four bytes.
void pad(std::string &out) {
    out.append((4 - out.size() % 4) % 4, '\0');
}
void put_option(std::string &out, std::uint16_t code, std::string_view value) {
    value = value.substr(0, kMaxOption);
    put16(out, code);
    put16(out, static_cast<std::uint16_t>(value.size()));
    out += value;
    pad(out);
}

/// Type, length, body, length.
std::string block(std::uint32_t type, const std::string &body) {
    const auto length = static_cast<std::uint32_t>(body.size() + 12);
    std::string out;
    put32(out, type);
    put32(out, length);
    out += body;
    put32(out, length);
    return out;
}

std::string section_header() {
    std::string body;
    put32(body, kByteOrderMagic);
    put16(body, 1); // version 1.0
    put16(body, 0);
    put32(body, 0xffffffff); // length of the section: not known
    put32(body, 0xffffffff);
    put_option(body, kShbApplication, "beeline");
    put_option(body, kOptEnd, "");
    return block(kSectionHeader, body);
}

} // namespace

Result<PcapngWriter> PcapngWriter::create(const std::string &path) {
    kernel::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd.valid())
        return fail_errno(errno, "create " + path);
    File file(fdopen(fd.get(), "wb"));
    if (!file)
        return fail_errno(errno, "create " + path);
    (void)fd.release(); // the stream closes it
    PcapngWriter writer(path, std::move(file));
    BL_CHECK(writer.put(section_header()));
    return writer;
}

Result<> PcapngWriter::put(const std::string &block) {
    if (std::fwrite(block.data(), 1, block.size(), file_.get()) != block.size())
        return fail_errno(errno, "write " + path_);
    return {};
}

Result<std::uint32_t> PcapngWriter::interface(const std::string &device) {
    if (const auto known = interfaces_.find(device); known != interfaces_.end())
        return known->second;
    std::string body;
    put16(body, kLinkEthernet);
    put16(body, 0);
    put32(body, 0); // no limit on the bytes of a packet
    put_option(body, kIfName, device);
    put_option(body, kIfTimeResolution, std::string_view(&kNanoseconds, 1));
    put_option(body, kOptEnd, "");
    BL_CHECK(put(block(kInterface, body)));
    return interfaces_[device] = static_cast<std::uint32_t>(interfaces_.size());
}

Result<> PcapngWriter::write(const Packet &packet) {
    BL_TRY(const std::uint32_t interface_id, interface(packet.device));
    const auto time = static_cast<std::uint64_t>(packet.time.count());
    std::string body;
    put32(body, interface_id);
    put32(body, static_cast<std::uint32_t>(time >> 32));
    put32(body, static_cast<std::uint32_t>(time & 0xffffffff));
    put32(body, static_cast<std::uint32_t>(packet.bytes.size()));
    put32(body, packet.length);
    body.append(reinterpret_cast<const char *>(packet.bytes.data()), packet.bytes.size());
    pad(body);
    if (!packet.comment.empty()) {
        put_option(body, kOptComment, packet.comment);
        put_option(body, kOptEnd, "");
    }
    return put(block(kEnhancedPacket, body));
}

Result<> PcapngWriter::flush() {
    if (std::fflush(file_.get()) != 0)
        return fail_errno(errno, "write " + path_);
    return {};
}

} // namespace beeline::edge
