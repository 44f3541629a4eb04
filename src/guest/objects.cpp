// SPDX-License-Identifier: Apache-2.0
#include "guest/objects.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include <beeline/kernel/prog.hpp>
#include <beeline/kernel/skeleton.hpp>

#include "live/record.hpp"

#include "guest.skel.h"

namespace beeline::guest {
namespace {

using kernel::UniqueFd;

constexpr std::array kMaps = {"guest_settings", "guest_list",  "guest_near",    "guest_addresses", "guest_tables",
                              "guest_sets4",    "guest_sets6", "guest_members", "guest_flows",     "guest_fragments",
                              "guest_uplinks",  "guest_ports", "guest_progs",   "guest_hits",      "guest_reasons",
                              "guest_events",   "guest_work"};
/// For user space alone: entries with an end that each set was given since it was last swept.
constexpr const char *kTimed = "guest_timed";
/// In the order of BL_GUEST_PROG_*; those of the wire are in no slot.
constexpr std::array kPrograms = {"guest_out",  "guest_in",           "guest_answer",
                                  "guest_wire", "guest_wire_explain", "guest_across"};
constexpr std::array kStubs = {"guest_out_stub", "guest_in_stub"};
/// What others' programs never share: all that packets change, and who is there.
constexpr std::array kOwnMaps = {"guest_list", "guest_flows",   "guest_fragments", "guest_progs",
                                 "guest_hits", "guest_reasons", "guest_events",    "guest_work"};

template <std::size_t N>
void leave_out(bpf_object *object, const std::array<const char *, N> &programs) {
    for (const char *name : programs)
        bpf_program__set_autoload(bpf_object__find_program_by_name(object, name), false);
}

Result<> share_map(bpf_object *object, const char *name, int fd) {
    if (const int error = bpf_map__reuse_fd(bpf_object__find_map_by_name(object, name), fd))
        return fail_errno(-error, std::string("share map ") + name);
    return {};
}

Result<UniqueFd> program(bpf_object *object, const char *name) {
    return kernel::duplicate(bpf_program__fd(bpf_object__find_program_by_name(object, name)));
}

/// Every map is shared: one that was forgotten here would be each guest's own.
void check_maps(bpf_object *object) {
    std::size_t count = 0;
    bpf_map *map = nullptr;
    bpf_object__for_each_map(map, object) count += bpf_map__is_internal(map) ? 0 : 1;
    if (count != kMaps.size())
        std::abort();
}

/// Whoever put another object under this name knows why, we do not.
Result<> check_name(int fd, const std::string &name) {
    std::string found;
    if (const auto map = kernel::map_info(fd))
        found = map->name;
    else if (const auto known = kernel::prog_info(fd))
        found = known->name;
    if (found != name.substr(0, BPF_OBJ_NAME_LEN - 1))
        return fail(Kind::state, 0, "under the name " + name + " is '" + found + "'");
    return {};
}

} // namespace

Result<Objects> Objects::create(std::uint32_t flows) {
    return load(flows, nullptr);
}

Result<Objects> Objects::beside(const Objects &others, std::uint32_t flows) {
    return load(flows, &others);
}

Result<Objects> Objects::load(std::uint32_t flows, const Objects *others) {
    BL_TRY(auto opened, kernel::Opened<guest_bpf>::open());
    check_maps(opened.object());
    leave_out(opened.object(), kStubs);
    bpf_map__set_max_entries(opened.maps().guest_flows, flows);
    for (const char *name : kMaps)
        if (others && std::ranges::count(kOwnMaps, std::string_view(name)) == 0)
            BL_CHECK(share_map(opened.object(), name, others->fd(name)));
    BL_TRY(auto loaded, std::move(opened).load());
    std::map<std::string, UniqueFd> objects;
    for (const char *name : kMaps) {
        BL_TRY(objects[name], kernel::duplicate(bpf_map__fd(bpf_object__find_map_by_name(loaded.object(), name))));
    }
    for (const char *name : kPrograms) {
        BL_TRY(objects[name], program(loaded.object(), name));
    }
    BL_TRY(objects[kTimed], kernel::create_map({.type = BPF_MAP_TYPE_ARRAY,
                                                .name = kTimed,
                                                .value_size = sizeof(std::uint64_t),
                                                .max_entries = BL_GUEST_MAX_SETS}));
    Objects made(std::move(objects));
    BL_TRY(auto progs, (made.map<kernel::Map<std::uint32_t, std::uint32_t>>("guest_progs")));
    for (std::uint32_t slot = 0; slot < BL_GUEST_PROGS; ++slot)
        BL_CHECK(progs.update(slot, static_cast<std::uint32_t>(made.fd(kPrograms[slot]))));
    return made;
}

Result<Objects> Objects::from_pins(const std::filesystem::path &directory) {
    std::map<std::string, UniqueFd> objects;
    const auto open = [&](const char *name) -> Result<> {
        auto fd = kernel::pinned_object(directory / name);
        if (!fd)
            return std::unexpected(live::damaged(std::move(fd).error(), directory));
        if (auto checked = check_name(fd->get(), name); !checked)
            return std::unexpected(live::damaged(std::move(checked).error(), directory));
        objects[name] = *std::move(fd);
        return {};
    };
    for (const char *name : kMaps)
        BL_CHECK(open(name));
    for (const char *name : kPrograms)
        BL_CHECK(open(name));
    BL_CHECK(open(kTimed));
    return Objects(std::move(objects));
}

Result<> Objects::pin(const std::filesystem::path &directory) const {
    for (const auto &[name, fd] : objects_)
        BL_CHECK(kernel::pin_object(fd.get(), directory / name));
    return {};
}

Result<Stubs> Objects::load_stubs(std::uint32_t slot) const {
    BL_TRY(auto opened, kernel::Opened<guest_bpf>::open());
    leave_out(opened.object(), kPrograms);
    const_cast<__u32 &>(opened.rodata()->guest_slot) = slot;
    for (const char *name : kMaps)
        BL_CHECK(share_map(opened.object(), name, fd(name)));
    BL_TRY(auto loaded, std::move(opened).load());
    Stubs stubs;
    BL_TRY(stubs.out, program(loaded.object(), kStubs[0]));
    BL_TRY(stubs.in, program(loaded.object(), kStubs[1]));
    return stubs;
}

int Objects::fd(const std::string &name) const {
    const auto object = objects_.find(name);
    if (object == objects_.end())
        std::abort();
    return object->second.get();
}

Result<> Objects::next_generation() const {
    BL_TRY(auto map, this->map<SettingsMap>("guest_settings"));
    BL_TRY(const auto settings, map.lookup(0));
    bl_guest_settings next = settings.value_or(bl_guest_settings{});
    ++next.generation;
    return map.update(0, next);
}

} // namespace beeline::guest
