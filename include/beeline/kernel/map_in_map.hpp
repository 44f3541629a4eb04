// SPDX-License-Identifier: Apache-2.0
//
// An array of maps: one slot is one write, so that a whole table is swapped at once.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include <beeline/kernel/typed_map.hpp>

namespace beeline::kernel {

/// BPF_MAP_TYPE_ARRAY_OF_MAPS. Programs see a new inner map from their next run on; update() returns only when the
/// programs that might still use the old one are through (the kernel waits for them, Linux 4.20 and later).
class [[nodiscard]] MapInMap {
public:
    [[nodiscard]] static Result<MapInMap> adopt(UniqueFd fd);
    [[nodiscard]] static Result<MapInMap> share(int fd);
    [[nodiscard]] static Result<MapInMap> from_pin(const std::filesystem::path &path);

    /// The inner map at index, opened by its id; nothing when the slot is empty.
    [[nodiscard]] Result<std::optional<UniqueFd>> lookup(std::uint32_t index) const;
    [[nodiscard]] Result<std::optional<std::uint32_t>> lookup_id(std::uint32_t index) const;
    [[nodiscard]] Result<> update(std::uint32_t index, int inner_fd);
    /// Several slots, in this order, as one call: since Linux 6.8 the kernel waits for programs once, and not for each.
    /// indexes and fds have one size. On an error the first ones may be written.
    [[nodiscard]] Result<> update_all(std::span<const std::uint32_t> indexes, std::span<const int> inner_fds);
    /// Empties the slot; false when it was empty.
    [[nodiscard]] Result<bool> erase(std::uint32_t index);

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] const MapInfo &info() const noexcept { return info_; }
    [[nodiscard]] Result<> pin(const std::filesystem::path &path) const { return pin_object(fd(), path); }

private:
    MapInMap(UniqueFd fd, MapInfo info) : fd_(std::move(fd)), info_(std::move(info)) {}
    UniqueFd fd_;
    MapInfo info_;
};

/// A table for such an array: an inner map with these rows, whose number the kernel need not know beforehand.
template <AbiType Row>
[[nodiscard]] Result<UniqueFd> make_table(std::string name, const std::vector<Row> &rows) {
    BL_TRY(UniqueFd fd, create_map({.type = BPF_MAP_TYPE_ARRAY,
                                    .name = std::move(name),
                                    .value_size = sizeof(Row),
                                    .max_entries = static_cast<std::uint32_t>(rows.size()),
                                    .flags = BPF_F_INNER_MAP}));
    BL_TRY(const MapInfo info, map_info(fd.get()));
    for (std::uint32_t i = 0; i < rows.size(); ++i)
        BL_CHECK(raw::update(fd.get(), info, &i, &rows[i], Update::any));
    return fd;
}

} // namespace beeline::kernel
