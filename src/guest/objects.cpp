// SPDX-License-Identifier: Apache-2.0
#include "guest/objects.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

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

} // namespace

Result<Objects> Objects::create(std::uint32_t flows) {
    return load(flows, nullptr);
}

Result<Objects> Objects::beside(const Objects &others, std::uint32_t flows) {
    return load(flows, &others);
}

Result<Objects> Objects::load(std::uint32_t flows, const Objects *others) {
    BL_TRY(auto opened, kernel::Opened<guest_bpf>::open());
    leave_out(opened.object(), kStubs);
    bpf_map__set_max_entries(opened.maps().guest_flows, flows);
    for (const char *name : kMaps)
        if (others && std::ranges::count(kOwnMaps, std::string_view(name)) == 0)
            BL_CHECK(share_map(opened.object(), name, others->fd(name)));
    BL_TRY(auto loaded, std::move(opened).load());
    // Every map is shared: ObjectSet aborts for one that was forgotten in kMaps, which would be each guest's own.
    BL_TRY(auto objects, kernel::ObjectSet::of(loaded.object(), kMaps, kPrograms));
    BL_TRY(UniqueFd timed, kernel::create_map({.type = BPF_MAP_TYPE_ARRAY,
                                               .name = kTimed,
                                               .value_size = sizeof(std::uint64_t),
                                               .max_entries = BL_GUEST_MAX_SETS}));
    objects.add(kTimed, std::move(timed));
    Objects made(std::move(objects));
    BL_TRY(auto progs, (made.map<kernel::Map<std::uint32_t, std::uint32_t>>("guest_progs")));
    for (std::uint32_t slot = 0; slot < BL_GUEST_PROGS; ++slot)
        BL_CHECK(progs.update(slot, static_cast<std::uint32_t>(made.fd(kPrograms[slot]))));
    return made;
}

Result<Objects> Objects::from_pins(const std::filesystem::path &directory) {
    std::vector<const char *> names(kMaps.begin(), kMaps.end());
    names.insert(names.end(), kPrograms.begin(), kPrograms.end());
    names.push_back(kTimed);
    auto objects = kernel::ObjectSet::from_pins(directory, names);
    if (!objects)
        return std::unexpected(live::damaged(std::move(objects).error(), directory));
    return Objects(*std::move(objects));
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

Result<> Objects::next_generation() const {
    BL_TRY(auto map, this->map<SettingsMap>("guest_settings"));
    BL_TRY(const auto settings, map.lookup(0));
    bl_guest_settings next = settings.value_or(bl_guest_settings{});
    ++next.generation;
    return map.update(0, next);
}

} // namespace beeline::guest
