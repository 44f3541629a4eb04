// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/map_in_map.hpp>

#include <bpf/bpf.h>

namespace beeline::kernel {

Result<MapInMap> MapInMap::adopt(UniqueFd fd) {
    BL_TRY(MapInfo info, map_info(fd.get()));
    if (info.type != BPF_MAP_TYPE_ARRAY_OF_MAPS)
        return fail(Kind::state, 0, raw::describe(info) + " is no array of maps");
    return MapInMap(std::move(fd), std::move(info));
}

Result<MapInMap> MapInMap::share(int fd) {
    BL_TRY(UniqueFd own, duplicate(fd));
    return adopt(std::move(own));
}

Result<MapInMap> MapInMap::from_pin(const std::filesystem::path &path) {
    BL_TRY(UniqueFd fd, pinned_object(path));
    return adopt(std::move(fd));
}

Result<std::optional<std::uint32_t>> MapInMap::lookup_id(std::uint32_t index) const {
    std::uint32_t id = 0;
    BL_TRY(const bool found, raw::lookup(fd(), info_, &index, std::as_writable_bytes(std::span(&id, 1))));
    return found ? std::optional(id) : std::nullopt;
}

Result<std::optional<UniqueFd>> MapInMap::lookup(std::uint32_t index) const {
    BL_TRY(const std::optional<std::uint32_t> id, lookup_id(index));
    if (!id)
        return std::nullopt;
    BL_TRY(UniqueFd inner, map_by_id(*id));
    return std::optional<UniqueFd>(std::move(inner));
}

Result<> MapInMap::update(std::uint32_t index, int inner_fd) {
    if (Result<> written = raw::update(fd(), info_, &index, &inner_fd, Update::any); !written) {
        if (written.error().code == EINVAL)
            written.error().remedy = "an inner map must have the type, sizes and flags of the template";
        return written;
    }
    return {};
}

Result<> MapInMap::update_all(std::span<const std::uint32_t> indexes, std::span<const int> inner_fds) {
    auto count = static_cast<std::uint32_t>(indexes.size());
    if (count == 0 || ::bpf_map_update_batch(fd(), indexes.data(), inner_fds.data(), &count, nullptr) == 0)
        return {};
    for (std::size_t i = 0; i < indexes.size(); ++i) // each again, for an error that tells which, or without batches
        BL_CHECK(update(indexes[i], inner_fds[i]));
    return {};
}

Result<bool> MapInMap::erase(std::uint32_t index) {
    return raw::erase(fd(), info_, &index);
}

} // namespace beeline::kernel
