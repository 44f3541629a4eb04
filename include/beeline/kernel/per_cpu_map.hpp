// SPDX-License-Identifier: Apache-2.0
//
// Maps that keep a value for every possible CPU.
#pragma once

#include <beeline/kernel/typed_map.hpp>

namespace beeline::kernel {

namespace raw {
/// Fails unless the map is one of the per-CPU types.
[[nodiscard]] Result<> check_per_cpu(const MapInfo &map);
/// Bytes between the values of two CPUs (the kernel rounds up to 8).
[[nodiscard]] constexpr std::size_t per_cpu_stride(std::size_t value_size) {
    return (value_size + 7) / 8 * 8;
}
} // namespace raw

/// A per-CPU hash or array. A lookup gives as many values as the machine has possible CPUs, by CPU number.
template <AbiType K, AbiType V>
class [[nodiscard]] PerCpuMap {
public:
    using Key = K;
    using Value = V;
    using Values = std::vector<V>;

    [[nodiscard]] static Result<PerCpuMap> adopt(UniqueFd fd) {
        BL_TRY(MapInfo info, map_info(fd.get()));
        BL_CHECK(raw::check_sizes(info, sizeof(K), sizeof(V)));
        BL_CHECK(raw::check_per_cpu(info));
        BL_TRY(const unsigned cpus, possible_cpus());
        return PerCpuMap(std::move(fd), std::move(info), cpus);
    }
    [[nodiscard]] static Result<PerCpuMap> share(int fd) {
        BL_TRY(UniqueFd own, duplicate(fd));
        return adopt(std::move(own));
    }
    [[nodiscard]] static Result<PerCpuMap> from_pin(const std::filesystem::path &path) {
        BL_TRY(UniqueFd fd, pinned_object(path));
        return adopt(std::move(fd));
    }

    [[nodiscard]] Result<std::optional<Values>> lookup(const K &key) const {
        std::vector<std::byte> bytes(cpus_ * kStride);
        BL_TRY(const bool found, raw::lookup(fd(), info_, &key, bytes));
        return found ? std::optional<Values>(unpack(bytes.data())) : std::nullopt;
    }
    /// The values of all CPUs added up by V's +=, or by f(total, value). No such key: V{}.
    [[nodiscard]] Result<V> sum(const K &key) const {
        return sum(key, [](V &total, const V &value) { total += value; });
    }
    template <class F>
    [[nodiscard]] Result<V> sum(const K &key, F &&f) const {
        BL_TRY(const std::optional<Values> values, lookup(key));
        V total{};
        if (values)
            for (const V &value : *values)
                f(total, value);
        return total;
    }
    /// Every key with the values of all CPUs.
    [[nodiscard]] Result<std::vector<std::pair<K, Values>>> entries() const {
        BL_TRY(const raw::Entries found, raw::entries(fd(), info_, cpus_ * kStride));
        std::vector<std::pair<K, Values>> entries(found.count);
        for (std::size_t i = 0; i < found.count; ++i) {
            std::memcpy(&entries[i].first, found.keys.data() + i * sizeof(K), sizeof(K));
            entries[i].second = unpack(found.values.data() + i * cpus_ * kStride);
        }
        return entries;
    }
    /// values has one element per possible CPU.
    [[nodiscard]] Result<> update(const K &key, const Values &values, Update flags = Update::any) {
        if (values.size() != cpus_)
            return fail(Kind::host, EINVAL,
                        "update " + raw::describe(info_) + ": one value per possible CPU is needed");
        std::vector<std::byte> bytes(cpus_ * kStride);
        for (std::size_t cpu = 0; cpu < cpus_; ++cpu)
            std::memcpy(bytes.data() + cpu * kStride, &values[cpu], sizeof(V));
        return raw::update(fd(), info_, &key, bytes.data(), flags);
    }
    /// The same value on every CPU.
    [[nodiscard]] Result<> fill(const K &key, const V &value) { return update(key, Values(cpus_, value)); }
    [[nodiscard]] Result<bool> erase(const K &key) { return raw::erase(fd(), info_, &key); }

    [[nodiscard]] unsigned cpus() const noexcept { return cpus_; }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] const MapInfo &info() const noexcept { return info_; }
    [[nodiscard]] Result<> pin(const std::filesystem::path &path) const { return pin_object(fd(), path); }

private:
    static constexpr std::size_t kStride = raw::per_cpu_stride(sizeof(V));
    PerCpuMap(UniqueFd fd, MapInfo info, unsigned cpus) : fd_(std::move(fd)), info_(std::move(info)), cpus_(cpus) {}

    Values unpack(const std::byte *bytes) const {
        Values values(cpus_);
        for (std::size_t cpu = 0; cpu < cpus_; ++cpu)
            std::memcpy(&values[cpu], bytes + cpu * kStride, sizeof(V));
        return values;
    }

    UniqueFd fd_;
    MapInfo info_;
    unsigned cpus_;
};

} // namespace beeline::kernel
