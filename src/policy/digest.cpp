// SPDX-License-Identifier: Apache-2.0
#include <beeline/policy/expand.hpp>

namespace beeline::policy {

std::uint64_t digest(std::span<const std::byte> bytes, std::uint64_t so_far) {
    for (const std::byte byte : bytes)
        so_far = (so_far ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3U;
    return so_far;
}

std::uint64_t digest(const SetTable &set) {
    std::uint64_t hash = digest(std::as_bytes(std::span(set.prefixes4)));
    hash = digest(std::as_bytes(std::span(set.prefixes6)), hash);
    for (const bl_set_key &key : set.members) // the index is no part of what is in the set
        hash = digest(std::as_bytes(std::span(&key.data, 1)), hash);
    return hash;
}

} // namespace beeline::policy
