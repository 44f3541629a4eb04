// SPDX-License-Identifier: Apache-2.0
//
// BPF maps with the types of their keys and values. A map is adopted once; from then on sizes cannot disagree.
#pragma once

#include <cstring>
#include <type_traits>
#include <utility>

#include <beeline/kernel/map.hpp>

namespace beeline::kernel {

/// What may cross into a map: every byte of it is value, so that equal keys are equal bytes and no padding leaks.
template <class T>
concept AbiType =
    std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T> && std::has_unique_object_representations_v<T>;

/// A map with one value per key. Owns its descriptor; the kernel's map lives as long as anybody holds or pins it.
template <AbiType K, AbiType V>
class [[nodiscard]] Map {
public:
    using Key = K;
    using Value = V;
    using Entry = std::pair<K, V>;

    /// Takes the descriptor over, after comparing the sizes with the kernel's.
    [[nodiscard]] static Result<Map> adopt(UniqueFd fd) {
        BL_TRY(MapInfo info, map_info(fd.get()));
        BL_CHECK(raw::check_sizes(info, sizeof(K), sizeof(V)));
        if (info.per_cpu())
            return fail(Kind::state, 0, raw::describe(info) + " keeps a value per CPU", "adopt it as PerCpuMap");
        return Map(std::move(fd), std::move(info));
    }
    /// The same for a descriptor that stays its owner's (a skeleton's): a duplicate is held.
    [[nodiscard]] static Result<Map> share(int fd) {
        BL_TRY(UniqueFd own, duplicate(fd));
        return adopt(std::move(own));
    }
    [[nodiscard]] static Result<Map> from_pin(const std::filesystem::path &path) {
        BL_TRY(UniqueFd fd, pinned_object(path));
        return adopt(std::move(fd));
    }

    [[nodiscard]] Result<std::optional<V>> lookup(const K &key) const {
        V value{};
        BL_TRY(const bool found, raw::lookup(fd(), info_, &key, std::as_writable_bytes(std::span(&value, 1))));
        return found ? std::optional<V>(value) : std::nullopt;
    }
    [[nodiscard]] Result<> update(const K &key, const V &value, Update flags = Update::any) {
        return raw::update(fd(), info_, &key, &value, flags);
    }
    /// False when there was no such key.
    [[nodiscard]] Result<bool> erase(const K &key) { return raw::erase(fd(), info_, &key); }

    [[nodiscard]] Result<std::vector<K>> keys() const {
        BL_TRY(const std::vector<std::byte> bytes, raw::keys(fd(), info_));
        std::vector<K> keys(bytes.size() / sizeof(K));
        if (!keys.empty())
            std::memcpy(keys.data(), bytes.data(), bytes.size());
        return keys;
    }
    /// All entries, in no order (arrays: by index).
    [[nodiscard]] Result<std::vector<Entry>> entries() const {
        BL_TRY(const raw::Entries found, raw::entries(fd(), info_, sizeof(V)));
        std::vector<Entry> entries(found.count);
        for (std::size_t i = 0; i < found.count; ++i) {
            std::memcpy(&entries[i].first, found.keys.data() + i * sizeof(K), sizeof(K));
            std::memcpy(&entries[i].second, found.values.data() + i * sizeof(V), sizeof(V));
        }
        return entries;
    }
    /// Calls f(key, value) for every entry.
    template <class F>
    [[nodiscard]] Result<> for_each(F &&f) const {
        BL_TRY(const std::vector<Entry> all, entries());
        for (const auto &[key, value] : all)
            f(key, value);
        return {};
    }
    /// Deletes every entry (not for arrays, which have none to delete).
    [[nodiscard]] Result<> clear() {
        BL_TRY(const std::vector<K> all, keys());
        for (const K &key : all)
            BL_CHECK(erase(key));
        return {};
    }

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] const MapInfo &info() const noexcept { return info_; }
    [[nodiscard]] Result<> pin(const std::filesystem::path &path) const { return pin_object(fd(), path); }

private:
    Map(UniqueFd fd, MapInfo info) : fd_(std::move(fd)), info_(std::move(info)) {}
    UniqueFd fd_;
    MapInfo info_;
};

/// A longest-prefix-match trie. K begins with the prefix length in bits (__u32, host order); the address follows.
template <AbiType K, AbiType V>
requires(sizeof(K) > sizeof(std::uint32_t)) class [[nodiscard]] LpmMap : public Map<K, V> {
public:
    [[nodiscard]] static Result<LpmMap> adopt(UniqueFd fd) {
        BL_TRY(auto map, (Map<K, V>::adopt(std::move(fd))));
        if (map.info().type != BPF_MAP_TYPE_LPM_TRIE)
            return fail(Kind::state, 0, raw::describe(map.info()) + " is no LPM trie");
        return LpmMap(std::move(map));
    }
    [[nodiscard]] static Result<LpmMap> share(int fd) {
        BL_TRY(UniqueFd own, duplicate(fd));
        return adopt(std::move(own));
    }
    [[nodiscard]] static Result<LpmMap> from_pin(const std::filesystem::path &path) {
        BL_TRY(UniqueFd fd, pinned_object(path));
        return adopt(std::move(fd));
    }

private:
    explicit LpmMap(Map<K, V> map) : Map<K, V>(std::move(map)) {}
};

/// A view that cannot change the map, for `status` and `top`.
template <class M>
class [[nodiscard]] ReadOnly {
public:
    explicit ReadOnly(M map) : map_(std::move(map)) {}
    [[nodiscard]] const M &operator*() const noexcept { return map_; }
    [[nodiscard]] const M *operator->() const noexcept { return &map_; }

private:
    M map_;
};

} // namespace beeline::kernel
