// SPDX-License-Identifier: Apache-2.0
//
// Names that follow from the network and the attachment, so that every verb finds what ADD made without a file.
#include <fmt/format.h>

#include "cni/request.hpp"

namespace beeline::cni {
namespace {

/// FNV-1a, 64 bits.
std::uint64_t hash(std::string_view text, std::uint64_t from = 0xcbf29ce484222325U) {
    for (const char c : text)
        from = (from ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return from;
}

std::uint64_t hash_of(std::string_view network, const Attachment &attachment) {
    const std::string_view separator("\0", 1);
    return hash(attachment.device, hash(separator, hash(attachment.container, hash(separator, hash(network)))));
}

} // namespace

std::string name_prefix(std::string_view network) {
    return fmt::format("cni-{:08x}-", static_cast<std::uint32_t>(hash(network) >> 32));
}

std::string guest_name(std::string_view network, const Attachment &attachment) {
    return fmt::format("{}{}-{:016x}", name_prefix(network), attachment.container.substr(0, 12),
                       hash_of(network, attachment));
}

std::string host_device(std::string_view network, const Attachment &attachment) {
    return fmt::format("blc{:012x}", hash_of(network, attachment) >> 16); // 15 bytes: IFNAMSIZ - 1
}

} // namespace beeline::cni
