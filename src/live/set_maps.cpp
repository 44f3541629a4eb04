// SPDX-License-Identifier: Apache-2.0
#include "live/set_maps.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <string_view>
#include <unordered_set>

#include <beeline/kernel/map_in_map.hpp>
#include <beeline/kernel/typed_map.hpp>
#include <beeline/policy/parse.hpp>

namespace beeline::live {
namespace {

using kernel::UniqueFd;
using policy::Family;
using policy::Mac;
using policy::Prefix;
using policy::Set;
using policy::SetTable;
using policy::SetType;
using policy::to_text;

using Trie4 = kernel::LpmMap<bl_lpm4, bl_set_entry>;
using Trie6 = kernel::LpmMap<bl_lpm6, bl_set_entry>;
using Members = kernel::Map<bl_set_key, bl_set_entry>;
using Timed = kernel::Map<std::uint32_t, std::uint64_t>;

constexpr std::uint64_t kSecond = 1'000'000'000;

std::uint64_t monotonic_ns() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * kSecond + static_cast<std::uint64_t>(time.tv_nsec);
}

template <class Trie>
Result<Trie> trie_of(const SetPlace &set, int outer_fd) {
    BL_TRY(const auto outer, kernel::MapInMap::share(outer_fd));
    BL_TRY(auto inner, outer.lookup(set.index));
    if (!inner)
        return fail(Kind::state, 0, "set @" + set.name + " has no map");
    return Trie::adopt(std::move(*inner));
}

/// Calls f(map, belongs) for each map that holds entries of the set; belongs(key) tells which keys are the set's.
template <class F>
Result<> with_maps(const SetPlace &set, const SetMaps &maps, F &&f) {
    if (set.type == SetType::prefix) {
        BL_TRY(auto four, trie_of<Trie4>(set, maps.sets4));
        BL_CHECK(f(four, [](const bl_lpm4 &) { return true; }));
        BL_TRY(auto six, trie_of<Trie6>(set, maps.sets6));
        return f(six, [](const bl_lpm6 &) { return true; });
    }
    BL_TRY(auto members, Members::share(maps.members));
    return f(members, [&](const bl_set_key &key) { return key.set == set.index; });
}

/// The same key in a set of another place.
bl_lpm4 at(const bl_lpm4 &key, std::uint32_t) {
    return key;
}
bl_lpm6 at(const bl_lpm6 &key, std::uint32_t) {
    return key;
}
bl_set_key at(bl_set_key key, std::uint32_t index) {
    key.set = index;
    return key;
}

Prefix prefix_of(Family family, std::uint32_t bits, const void *address, std::size_t size) {
    Prefix prefix{.family = family, .bits = static_cast<std::uint8_t>(bits)};
    std::memcpy(prefix.address.data(), address, size);
    return prefix;
}

std::string text_of(const bl_lpm4 &key, SetType) {
    return to_text(prefix_of(Family::v4, key.bits, &key.address, sizeof key.address));
}
std::string text_of(const bl_lpm6 &key, SetType) {
    return to_text(prefix_of(Family::v6, key.bits, key.address, sizeof key.address));
}
std::string text_of(const bl_set_key &key, SetType type) {
    if (type == SetType::port)
        return std::to_string(key.data);
    Mac mac{};
    std::memcpy(mac.data(), &key.data, mac.size());
    return to_text(mac);
}

/// The keys that a text stands for: a range of ports is several.
Result<SetTable> parse_entry(const SetPlace &place, const std::string &entry) {
    Set set{.name = place.name, .type = place.type, .prefixes = {}, .ports = {}, .macs = {}};
    BL_CHECK(policy::add_entry(set, entry));
    return policy::set_table(set, place.index);
}

Result<> count_timed(const SetMaps &maps, std::uint32_t index, std::uint64_t more) {
    BL_TRY(auto timed, Timed::share(maps.timed));
    BL_TRY(const auto count, timed.lookup(index));
    return timed.update(index, count.value_or(0) + more);
}

template <class Key>
const std::vector<Key> &keys_of(const SetTable &table) {
    if constexpr (std::is_same_v<Key, bl_lpm4>)
        return table.prefixes4;
    else if constexpr (std::is_same_v<Key, bl_lpm6>)
        return table.prefixes6;
    else
        return table.members;
}

/// Keys by their bytes.
template <class Key>
class KeySet {
public:
    explicit KeySet(const std::vector<Key> &keys) {
        for (const Key &key : keys)
            bytes_.emplace(view(key));
    }
    [[nodiscard]] bool contains(const Key &key) const { return bytes_.contains(std::string(view(key))); }

private:
    static std::string_view view(const Key &key) { return {reinterpret_cast<const char *>(&key), sizeof key}; }
    std::unordered_set<std::string> bytes_;
};

/// Calls f(map, key) for each key of the table.
template <class F>
Result<> with_keys(const SetTable &table, const SetPlace &set, const SetMaps &maps, F &&f) {
    return with_maps(set, maps, [&](auto &map, auto &&) -> Result<> {
        using Key = typename std::remove_reference_t<decltype(map)>::Key;
        for (const Key &key : keys_of<Key>(table))
            BL_CHECK(f(map, key));
        return {};
    });
}

template <class Key>
Result<> fill_trie(int outer_fd, const char *name, std::uint32_t index, const std::vector<Key> &keys) {
    BL_TRY(auto outer, kernel::MapInMap::share(outer_fd));
    BL_TRY(UniqueFd fd, kernel::create_map({.type = BPF_MAP_TYPE_LPM_TRIE,
                                            .name = name,
                                            .key_size = sizeof(Key),
                                            .value_size = sizeof(bl_set_entry),
                                            .max_entries = static_cast<std::uint32_t>(keys.size()) + kSetRoom,
                                            .flags = BPF_F_NO_PREALLOC}));
    const int raw = fd.get();
    BL_TRY(auto trie, (kernel::LpmMap<Key, bl_set_entry>::adopt(std::move(fd))));
    for (const Key &key : keys)
        BL_CHECK(trie.update(key, bl_set_entry{}));
    return outer.update(index, raw);
}

} // namespace

Result<> fill_set(const SetTable &set, const SetMaps &maps) {
    if (set.type == SetType::prefix) {
        BL_CHECK(fill_trie(maps.sets4, maps.name, set.index, set.prefixes4));
        return fill_trie(maps.sets6, maps.name, set.index, set.prefixes6);
    }
    BL_TRY(auto members, Members::share(maps.members));
    for (const bl_set_key &key : set.members)
        BL_CHECK(members.update(key, bl_set_entry{}));
    return {};
}

Result<> clear_set(const SetPlace &set, const SetMaps &maps) {
    if (set.type == SetType::prefix) {
        for (const int fd : {maps.sets4, maps.sets6}) {
            BL_TRY(auto outer, kernel::MapInMap::share(fd));
            BL_CHECK(outer.erase(set.index));
        }
        return {};
    }
    BL_TRY(auto members, Members::share(maps.members));
    BL_TRY(const auto keys, members.keys());
    for (const bl_set_key &key : keys)
        if (key.set == set.index)
            BL_CHECK(members.erase(key));
    return {};
}

Result<> carry_runtime_entries(const std::vector<SetPlace> &before, const SetMaps &from,
                               const std::vector<SetTable> &sets, const SetMaps &to) {
    const std::uint64_t time = monotonic_ns();
    for (const SetTable &table : sets) {
        const auto was = std::find_if(before.begin(), before.end(), [&](const SetPlace &other) {
            return other.name == table.name && other.type == table.type;
        });
        if (was == before.end())
            continue;
        const SetPlace place{table.name, table.type, table.index, 0};
        std::uint64_t timed = 0;
        BL_CHECK(with_maps(*was, from, [&](auto &old, auto &&belongs) -> Result<> {
            using Key = typename std::remove_reference_t<decltype(old)>::Key;
            BL_TRY(const auto entries, old.entries());
            const KeySet listed(keys_of<Key>(table));
            return with_maps(place, to, [&](auto &fresh, auto &&) -> Result<> {
                if constexpr (std::is_same_v<decltype(old), decltype(fresh)>)
                    for (const auto &[key, value] : entries) {
                        const bool over = value.expires_ns != 0 && value.expires_ns <= time;
                        const Key moved = at(key, place.index);
                        // What the file says now stays, for ever.
                        if (!belongs(key) || (value.flags & BL_SET_RUNTIME) == 0 || over || listed.contains(moved))
                            continue;
                        timed += value.expires_ns != 0 ? 1 : 0;
                        BL_CHECK(fresh.update(moved, value));
                    }
                return {};
            });
        }));
        if (timed != 0)
            BL_CHECK(count_timed(to, place.index, timed));
    }
    return {};
}

Result<> add_entry(const SetPlace &set, const SetMaps &maps, const std::string &entry,
                   std::optional<std::chrono::seconds> lifetime) {
    BL_TRY(const SetTable table, parse_entry(set, entry));
    bl_set_entry value{.expires_ns = 0, .flags = BL_SET_RUNTIME, .bits = 0};
    if (lifetime)
        value.expires_ns = monotonic_ns() + static_cast<std::uint64_t>(lifetime->count()) * kSecond;
    if (lifetime) // before the entry: sweep() must know that there is something to look for
        BL_CHECK(count_timed(maps, set.index, 1));
    return with_keys(table, set, maps, [&](auto &map, const auto &key) {
        if constexpr (requires { key.bits; })
            value.bits = lifetime ? key.bits : 0;
        return map.update(key, value);
    });
}

Result<StoredEntry> stored_entry(const SetPlace &set, const SetMaps &maps, const std::string &entry) {
    BL_TRY(const SetTable table, parse_entry(set, entry));
    StoredEntry stored;
    BL_CHECK(with_keys(table, set, maps, [&](auto &map, const auto &key) -> Result<> {
        // An LPM trie answers with the longest prefix that covers the key, which may be another one.
        BL_TRY(const auto entries, map.entries());
        std::optional<bl_set_entry> value;
        for (const auto &[known, one] : entries)
            if (std::memcmp(&known, &key, sizeof key) == 0)
                value = one;
        stored.values.push_back(value);
        return {};
    }));
    return stored;
}

Result<> restore_entry(const SetPlace &set, const SetMaps &maps, const std::string &entry, const StoredEntry &stored) {
    BL_TRY(const SetTable table, parse_entry(set, entry));
    std::size_t next = 0;
    return with_keys(table, set, maps, [&](auto &map, const auto &key) -> Result<> {
        const std::optional<bl_set_entry> &value = stored.values.at(next++);
        if (value)
            return map.update(key, *value);
        BL_TRY([[maybe_unused]] const bool erased, map.erase(key));
        return {};
    });
}

Result<bool> del_entry(const SetPlace &set, const SetMaps &maps, const std::string &entry) {
    BL_TRY(const SetTable table, parse_entry(set, entry));
    bool found = false;
    BL_CHECK(with_keys(table, set, maps, [&](auto &map, const auto &key) -> Result<> {
        BL_TRY(const bool erased, map.erase(key));
        found |= erased;
        return {};
    }));
    return found;
}

Result<std::vector<SetEntry>> list_entries(const SetPlace &set, const SetMaps &maps) {
    const std::uint64_t time = monotonic_ns();
    std::vector<SetEntry> list;
    BL_CHECK(with_maps(set, maps, [&](auto &map, auto &&belongs) -> Result<> {
        return map.for_each([&](const auto &key, const bl_set_entry &value) {
            if (!belongs(key) || (value.expires_ns != 0 && value.expires_ns <= time))
                return;
            SetEntry entry{.text = text_of(key, set.type),
                           .runtime = (value.flags & BL_SET_RUNTIME) != 0,
                           .expires_in = std::nullopt};
            if (value.expires_ns != 0)
                entry.expires_in = std::chrono::seconds((value.expires_ns - time + kSecond - 1) / kSecond);
            list.push_back(std::move(entry));
        });
    }));
    return list;
}

Result<std::uint64_t> count_entries(const SetPlace &set, const SetMaps &maps) {
    std::uint64_t count = 0;
    BL_CHECK(with_maps(set, maps, [&](auto &map, auto &&belongs) -> Result<> {
        BL_TRY(const auto keys, map.keys());
        count += static_cast<std::uint64_t>(std::count_if(keys.begin(), keys.end(), belongs));
        return {};
    }));
    return count;
}

Result<std::uint64_t> sweep_entries(const std::vector<SetPlace> &sets, const SetMaps &maps) {
    const std::uint64_t time = monotonic_ns();
    std::uint64_t removed = 0;
    BL_TRY(auto timed, Timed::share(maps.timed));
    for (const SetPlace &set : sets) {
        BL_TRY(const auto ends, timed.lookup(set.index));
        if (ends.value_or(0) == 0)
            continue;
        std::uint64_t left = 0;
        BL_CHECK(with_maps(set, maps, [&](auto &map, auto &&belongs) -> Result<> {
            BL_TRY(const auto entries, map.entries());
            for (const auto &[key, value] : entries) {
                if (!belongs(key) || value.expires_ns == 0)
                    continue;
                if (value.expires_ns > time) {
                    ++left;
                    continue;
                }
                BL_TRY(const bool erased, map.erase(key));
                removed += erased ? 1 : 0;
            }
            return {};
        }));
        BL_CHECK(timed.update(set.index, left));
    }
    return removed;
}

} // namespace beeline::live
