// SPDX-License-Identifier: Apache-2.0
#include <beeline/edge/program.hpp>

#include <algorithm>
#include <array>
#include <cstring>

#include <beeline/kernel/map.hpp>
#include <beeline/kernel/prog.hpp>
#include <beeline/kernel/skeleton.hpp>
#include <beeline/kernel/typed_map.hpp>

#include "edge/state.hpp"
#include "live/record.hpp"

#include "edge.skel.h"

namespace beeline::edge {
namespace {

using kernel::UniqueFd;

constexpr std::array kKeptMaps = {"edge_progs", "edge_hits", "edge_reasons", "edge_rates", "edge_sources",
                                  "edge_cpus",  "edge_xsks", "edge_events",  "edge_modes", "edge_chunk"};
constexpr std::array kKeptPrograms = {"edge_root", "edge_hold"};
constexpr std::array kOwnMaps = {"edge_entries", "edge_extras",  "edge_rules", "edge_sets4",
                                 "edge_sets6",   "edge_members", "edge_devs"};
/// Own as well, for user space alone: entries with an end that each set was given since it was last swept.
constexpr std::array kBesides = {"edge_timed"};
constexpr std::array kOwnPrograms = {"edge_policy"};
/// Two programs for it; one is loaded, under the name of the first.
constexpr std::array kPolicyPrograms = {"edge_policy", "edge_policy_lean"};

/// Frames are copied into one page with head and tail room (net/bpf/test_run.c), less the trace record in front.
constexpr std::size_t kMaxTestFrame = 3400;

template <std::size_t N>
Result<> collect_maps(bpf_object *object, const std::array<const char *, N> &names, Objects &objects) {
    for (const char *name : names) {
        BL_TRY(UniqueFd fd, kernel::duplicate(bpf_map__fd(bpf_object__find_map_by_name(object, name))));
        objects[name] = std::move(fd);
    }
    return {};
}

template <std::size_t N>
Result<> collect_programs(bpf_object *object, const std::array<const char *, N> &names, Objects &objects) {
    for (const char *name : names) {
        BL_TRY(UniqueFd fd, kernel::duplicate(bpf_program__fd(bpf_object__find_program_by_name(object, name))));
        objects[name] = std::move(fd);
    }
    return {};
}

Result<> pin_all(const Objects &objects, const std::filesystem::path &directory) {
    for (const auto &[name, fd] : objects)
        BL_CHECK(kernel::pin_object(fd.get(), directory / name));
    return {};
}

/// Fails unless the object has the name that it is pinned under: whoever put another one there knows why, we do not.
Result<> check_name(int fd, const std::string &name) {
    std::string found;
    if (const auto map = kernel::map_info(fd))
        found = map->name;
    else if (const auto program = kernel::prog_info(fd))
        found = program->name;
    if (!found.starts_with(name.substr(0, BPF_OBJ_NAME_LEN - 1))) // edge_policy_lean is an edge_policy
        return fail(Kind::state, 0, "under the name " + name + " is '" + found + "'");
    return {};
}

template <std::size_t N>
Result<> open_pins(const std::filesystem::path &directory, const std::array<const char *, N> &names, Objects &objects) {
    for (const char *name : names) {
        auto fd = kernel::pinned_object(directory / name);
        if (!fd)
            return std::unexpected(live::damaged(std::move(fd).error(), directory));
        if (auto checked = check_name(fd->get(), name); !checked)
            return std::unexpected(live::damaged(std::move(checked).error(), directory));
        objects[name] = *std::move(fd);
    }
    return {};
}

int find(const Objects &objects, const std::string &name) {
    const auto object = objects.find(name);
    if (object == objects.end())
        std::abort();
    return object->second.get();
}

template <class T>
Result<> fill_array(int fd, const std::vector<T> &rows) {
    BL_TRY(auto map, (kernel::Map<std::uint32_t, T>::share(fd)));
    for (std::uint32_t i = 0; i < rows.size(); ++i)
        BL_CHECK(map.update(i, rows[i]));
    return {};
}

/// edge_entries is one value: an array element is padded to 8 bytes only, so the rows lie as in the vector.
Result<> fill_entries(int fd, const std::vector<bl_entry> &entries) {
    BL_TRY(const kernel::MapInfo info, kernel::map_info(fd));
    const std::uint32_t zero = 0;
    return kernel::raw::update(fd, info, &zero, entries.data(), kernel::Update::any);
}

Result<> fill_targets(const Tables &tables, const Objects &objects, const Kept &kept) {
    for (std::uint32_t i = 0; i < tables.redirects.size(); ++i) {
        BL_TRY(auto devices, (kernel::Map<std::uint32_t, std::uint32_t>::share(find(objects, "edge_devs"))));
        BL_CHECK(devices.update(i, tables.redirects[i]));
    }
    for (const std::uint32_t cpu : tables.cpus) {
        // The frames a CPU's queue holds: 192 keeps page recycling at work (samples/bpf/xdp_redirect_cpu). The value
        // may end behind the queue size (kernel/bpf/cpumap.c); the kernel then runs no second program there.
        BL_TRY(const kernel::MapInfo info, kernel::map_info(kept.fd("edge_cpus")));
        const std::uint32_t value[2] = {192, 0};
        if (auto done = kernel::raw::update(kept.fd("edge_cpus"), info, &cpu, value, kernel::Update::any); !done)
            return std::unexpected(std::move(done).error().within("cpu " + std::to_string(cpu)));
    }
    return {};
}

std::uint32_t member_count(const Tables &tables) {
    std::size_t count = 0;
    for (const SetTable &set : tables.sets)
        count += set.members.size();
    return static_cast<std::uint32_t>(count);
}

/// A CPU map must not be larger than the kernel's NR_CPUS; the possible CPUs are enough for everybody.
Result<> size_cpu_map(edge_bpf &object) {
    BL_TRY(const unsigned cpus, kernel::possible_cpus());
    bpf_map__set_max_entries(object.maps.edge_cpus, std::min<unsigned>(cpus, BL_EDGE_MAX_CPUS));
    return {};
}

} // namespace

Result<Kept> Kept::create() {
    BL_TRY(auto opened, kernel::Opened<edge_bpf>::open());
    BL_CHECK(size_cpu_map(*opened.operator->()));
    for (const char *name : kPolicyPrograms)
        bpf_program__set_autoload(bpf_object__find_program_by_name(opened.object(), name), false);
    for (const char *name : kOwnMaps)
        bpf_map__set_autocreate(bpf_object__find_map_by_name(opened.object(), name), false);
    BL_TRY(auto loaded, std::move(opened).load());
    Objects objects;
    BL_CHECK(collect_maps(loaded.object(), kKeptMaps, objects));
    BL_CHECK(collect_programs(loaded.object(), kKeptPrograms, objects));
    return Kept(std::move(objects));
}

Result<Kept> Kept::from_pins(const std::filesystem::path &directory) {
    Objects objects;
    BL_CHECK(open_pins(directory, kKeptMaps, objects));
    BL_CHECK(open_pins(directory, kKeptPrograms, objects));
    return Kept(std::move(objects));
}

Result<> Kept::pin(const std::filesystem::path &directory) const {
    return pin_all(objects_, directory);
}

int Kept::fd(const std::string &name) const {
    return find(objects_, name);
}

Result<Program> Program::load(const Tables &tables, const Kept &kept) {
    BL_TRY(auto opened, kernel::Opened<edge_bpf>::open());
    std::memcpy(const_cast<bl_edge_config *>(&opened.rodata()->cfg), &tables.config, sizeof tables.config);
    if (!(tables.config.needs & BL_NEEDS_FAR_SCAN))
        std::memcpy(const_cast<bl_entry *>(opened.rodata()->near_entries), tables.entries.data(),
                    tables.entries.size() * sizeof(bl_entry));
    for (const char *name : kKeptPrograms)
        bpf_program__set_autoload(bpf_object__find_program_by_name(opened.object(), name), false);
    const bool lean = tables.config.needs == 0;
    bpf_program__set_autoload(bpf_object__find_program_by_name(opened.object(), kPolicyPrograms[lean ? 0 : 1]), false);
    for (const char *name : kKeptMaps)
        if (const int error = bpf_map__reuse_fd(bpf_object__find_map_by_name(opened.object(), name), kept.fd(name)))
            return fail_errno(-error, std::string("share map ") + name);
    auto &maps = opened.maps();
    bpf_map__set_value_size(maps.edge_entries, static_cast<std::uint32_t>(tables.entries.size() * sizeof(bl_entry)));
    bpf_map__set_max_entries(maps.edge_extras,
                             std::max<std::uint32_t>(1, static_cast<std::uint32_t>(tables.extras.size())));
    bpf_map__set_max_entries(maps.edge_rules, static_cast<std::uint32_t>(tables.rules.size()));
    bpf_map__set_max_entries(maps.edge_members, member_count(tables) + live::kSetRoom / 16);
    BL_TRY(auto loaded, std::move(opened).load());

    Objects objects;
    BL_CHECK(collect_maps(loaded.object(), kOwnMaps, objects));
    const bpf_program *policy = bpf_object__find_program_by_name(loaded.object(), kPolicyPrograms[lean ? 1 : 0]);
    BL_TRY(objects[kOwnPrograms.front()], kernel::duplicate(bpf_program__fd(policy)));
    BL_TRY(objects[kBesides.front()], kernel::create_map({.type = BPF_MAP_TYPE_ARRAY,
                                                          .name = kBesides.front(),
                                                          .value_size = sizeof(std::uint64_t),
                                                          .max_entries = BL_EDGE_MAX_SETS}));
    BL_CHECK(fill_entries(find(objects, "edge_entries"), tables.entries));
    BL_CHECK(fill_array(find(objects, "edge_extras"), tables.extras));
    BL_CHECK(fill_array(find(objects, "edge_rules"), tables.rules));
    BL_CHECK(fill_targets(tables, objects, kept));
    Program made(std::move(objects));
    for (const SetTable &set : tables.sets)
        BL_CHECK(live::fill_set(set, set_maps(made)));
    return made;
}

Result<Program> Program::from_pins(const std::filesystem::path &directory) {
    Objects objects;
    BL_CHECK(open_pins(directory, kOwnMaps, objects));
    BL_CHECK(open_pins(directory, kBesides, objects));
    BL_CHECK(open_pins(directory, kOwnPrograms, objects));
    return Program(std::move(objects));
}

Result<> Program::pin(const std::filesystem::path &directory) const {
    return pin_all(objects_, directory);
}

live::SetMaps set_maps(const Program &program) {
    return {.name = "edge_set",
            .sets4 = program.fd("edge_sets4"),
            .sets6 = program.fd("edge_sets6"),
            .members = program.fd("edge_members"),
            .timed = program.fd("edge_timed")};
}

int Program::fd(const std::string &name) const {
    return find(objects_, name);
}

Result<Judgement> Program::judge(std::span<const std::byte> frame, std::uint32_t ifindex) const {
    return edge::judge(fd("edge_policy"), frame, ifindex);
}

Result<Judgement> judge(int prog_fd, std::span<const std::byte> frame, std::uint32_t ifindex) {
    if (frame.size() > kMaxTestFrame)
        return fail(Kind::usage, 0, "a frame of " + std::to_string(frame.size()) + " bytes",
                    "the kernel runs programs on frames of at most " + std::to_string(kMaxTestFrame) + " bytes");
    bl_edge_trace trace{};
    trace.magic = BL_EDGE_TRACE_MAGIC;
    std::vector<std::byte> data(sizeof trace + frame.size());
    std::memcpy(data.data(), &trace, sizeof trace);
    std::copy(frame.begin(), frame.end(), data.begin() + sizeof trace);

    kernel::TestRun run{.data = data};
    run.ctx = xdp_md{};
    run.ctx->data = sizeof trace; // metadata first
    run.ctx->data_end = static_cast<std::uint32_t>(data.size());
    run.ctx->ingress_ifindex = ifindex;
    BL_TRY(kernel::TestResult result, kernel::test_run(prog_fd, run));
    if (result.data_out.size() < sizeof trace)
        return fail(Kind::state, 0, "the program gave no answer", "is it a policy of this version?");
    std::memcpy(&trace, result.data_out.data(), sizeof trace);
    if (trace.generation == 0)
        return fail(Kind::state, 0, "the program has no policy to ask");
    return Judgement{.rule = trace.rule,

                     .xdp = result.retval,
                     .reason = trace.reason,
                     .outcome = trace.outcome,
                     .facts = trace.facts,
                     .generation = trace.generation,
                     .frame = {result.data_out.begin() + sizeof trace, result.data_out.end()}};
}

} // namespace beeline::edge
