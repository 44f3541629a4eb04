// SPDX-License-Identifier: Apache-2.0
//
// The maps and programs that all guests share, and the stubs of one guest.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include <beeline/guest.h>
#include <beeline/kernel/fd.hpp>
#include <beeline/kernel/map_in_map.hpp>
#include <beeline/kernel/object_set.hpp>
#include <beeline/kernel/typed_map.hpp>
#include <beeline/result.hpp>

namespace beeline::guest {

using GuestList = kernel::Map<std::uint32_t, bl_guest>;
using AddressMap = kernel::Map<bl_guest_address, std::uint32_t>;
using NearMap = kernel::Map<std::uint32_t, std::uint32_t>;
using PortMap = kernel::Map<bl_port_key, bl_port>;
using UplinkMap = kernel::Map<std::uint32_t, bl_uplink>;
using FlowMap = kernel::Map<bl_tuple, bl_flow>;
using SettingsMap = kernel::Map<std::uint32_t, bl_guest_settings>;

/// The two programs of one guest's device. Whoever attaches them keeps them alive by the links.
struct Stubs {
    kernel::UniqueFd out, in;
};

class [[nodiscard]] Objects {
public:
    /// Fresh ones; flows: size of the flow table.
    [[nodiscard]] static Result<Objects> create(std::uint32_t flows);
    /// Programs of their own that go by the same rules, addresses, ports and uplinks, with everything else their own:
    /// flows, counters, events and the list of guests, which is empty.
    [[nodiscard]] static Result<Objects> beside(const Objects &others, std::uint32_t flows);
    [[nodiscard]] static Result<Objects> from_pins(const std::filesystem::path &directory);
    [[nodiscard]] Result<> pin(const std::filesystem::path &directory) const { return objects_.pin(directory); }

    [[nodiscard]] Result<Stubs> load_stubs(std::uint32_t slot) const;

    /// The descriptor of a map ("guest_hits") or program ("guest_wire"); stays here. Aborts on a name that is none.
    [[nodiscard]] int fd(const std::string &name) const { return objects_.fd(name); }
    /// That map, typed.
    template <class M>
    [[nodiscard]] Result<M> map(const std::string &name) const {
        return objects_.map<M>(name);
    }

    /// Flows that were judged before are judged anew from the next packet on.
    [[nodiscard]] Result<> next_generation() const;

private:
    explicit Objects(kernel::ObjectSet objects) : objects_(std::move(objects)) {}
    [[nodiscard]] static Result<Objects> load(std::uint32_t flows, const Objects *others);
    kernel::ObjectSet objects_;
};

} // namespace beeline::guest
