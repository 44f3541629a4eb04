// SPDX-License-Identifier: Apache-2.0
//
// The maps and programs of one BPF object by name: taken from what was loaded, or opened from their pins.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <utility>

#include <bpf/libbpf.h>

#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

namespace beeline::kernel {

class [[nodiscard]] ObjectSet {
public:
    ObjectSet() = default;
    /// Descriptors of its own for these maps and programs of a loaded object. Aborts on a name that is none of them,
    /// and when the object has maps (other than its sections) that are not named: one that was forgotten would be
    /// nobody's.
    [[nodiscard]] static Result<ObjectSet> of(bpf_object *object, std::span<const char *const> maps,
                                              std::span<const char *const> programs);
    /// Kind::state when something else is pinned under a name.
    [[nodiscard]] static Result<ObjectSet> from_pins(const std::filesystem::path &directory,
                                                     std::span<const char *const> names);
    /// One more, which the BPF object does not have.
    void add(const std::string &name, UniqueFd fd) { objects_[name] = std::move(fd); }
    /// Each under its name.
    [[nodiscard]] Result<> pin(const std::filesystem::path &directory) const;

    /// Stays here. Aborts on a name that is none.
    [[nodiscard]] int fd(const std::string &name) const;
    /// That map, typed: M is kernel::Map<K, V> and the like.
    template <class M>
    [[nodiscard]] Result<M> map(const std::string &name) const {
        return M::share(fd(name));
    }

private:
    std::map<std::string, UniqueFd> objects_;
};

} // namespace beeline::kernel
