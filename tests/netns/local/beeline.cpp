// SPDX-License-Identifier: Apache-2.0
#include "beeline.hpp"

#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>
#include <vector>

#include <bpf/bpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <beeline/kernel/link.hpp>
#include <beeline/kernel/map.hpp>
#include <beeline/kernel/skeleton.hpp>
#include <beeline/kernel/typed_map.hpp>
#include <beeline/local.h>
#include <local.skel.h>

namespace beeline::conformance {
namespace {

using kernel::Link;

constexpr std::array<const char *, BL_LOCAL_REASONS> kReasons = BL_LOCAL_REASON_NAMES;
constexpr std::chrono::milliseconds kTick{2};

/// Whether this very program, whose children are all that is in the cgroup, can call splice(2).
bool splices() {
    std::ifstream file("/proc/self/exe", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    std::string symbol = "(splice)"; // The symbol itself must not stand here.
    symbol.front() = symbol.back() = '\0';
    return bytes.find(symbol) != std::string::npos;
}

class Beeline : public Accelerator {
public:
    Beeline(kernel::Loaded<local_bpf> object, std::vector<Link> links, Link iterator)
        : object_(std::move(object)), links_(std::move(links)), tend_(std::move(iterator)),
          answer_(splices() ? BL_PROGRAM_SPLICES : BL_PROGRAM_SAFE), thread_([this](const std::stop_token &stop) {
              for (; !stop.stop_requested(); std::this_thread::sleep_for(kTick)) {
                  answer();
                  tend();
              }
          }) {}

    [[nodiscard]] bool has_short_cut() const override { return true; }

    [[nodiscard]] bool on_short_cut(int fd) const override {
        const auto found = find(fd);
        return found && found->pair.state == BL_PAIR_ON &&
               (found->pair.end[0].flags & found->pair.end[1].flags & BL_END_SAFE) != 0;
    }

    [[nodiscard]] std::string reason(int fd) const override {
        const auto found = find(fd);
        if (!found)
            return "unknown";
        if (found->pair.state == BL_PAIR_TCP)
            return kReasons.at(found->pair.reason);
        // It stays watched for the case that it changes its mind.
        return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0 ? kReasons[BL_LOCAL_R_BLOCKING] : "watched";
    }

    [[nodiscard]] std::uint64_t redirected(int fd) const override {
        const auto found = find(fd);
        return found ? found->pair.end[found->flow.side].short_bytes : 0;
    }

private:
    struct Found {
        bl_local_flow flow{};
        bl_local_pair pair{};
    };

    [[nodiscard]] std::optional<Found> find(int fd) const {
        Found found;
        if (bpf_map_lookup_elem(bpf_map__fd(object_.maps().local_flows), &fd, &found.flow) != 0 ||
            bpf_map_lookup_elem(bpf_map__fd(object_.maps().local_pairs), &found.flow.pair, &found.pair) != 0)
            return std::nullopt;
        return found;
    }

    /// Of every program that the kernel side asks about.
    void answer() const {
        const int programs = bpf_map__fd(object_.maps().local_programs);
        bl_local_program key{};
        for (void *previous = nullptr; bpf_map_get_next_key(programs, previous, &key) == 0; previous = &key)
            bpf_map_update_elem(programs, &key, &answer_, BPF_EXIST);
    }

    void tend() const {
        const kernel::UniqueFd run(bpf_iter_create(tend_.fd()));
        std::array<char, 64> output{};
        while (run.valid() && ::read(run.get(), output.data(), output.size()) > 0)
            continue;
    }

    kernel::Loaded<local_bpf> object_;
    std::vector<Link> links_;
    Link tend_;
    std::uint32_t answer_;
    std::jthread thread_;
};

/// The rules and the numbers that the product has by default.
Result<> set_up(const kernel::Loaded<local_bpf> &object) {
    bpf_map_create_opts options{};
    options.sz = sizeof options;
    options.map_flags = BPF_F_INNER_MAP;
    const kernel::UniqueFd table(
        bpf_map_create(BPF_MAP_TYPE_ARRAY, "local_rows", sizeof(__u32), sizeof(bl_local_row), 1, &options));
    bl_local_row everything{};
    everything.entry.sport_span = everything.entry.dport_span = 0xffff;
    everything.entry.verdict = BL_LOCAL_ACCELERATE;
    everything.entry.counter = 1;
    const bl_local_settings settings{.limit = 2U << 20,
                                     .draining = 0,
                                     .lowat = 65536,
                                     .run_length = 32,
                                     .min_mean = 4096,
                                     .min_turns = 8,
                                     .min_receives = 32,
                                     .generation = 0,
                                     ._pad = 0};
    constexpr __u32 kZero = 0;
    const int fd = table.get();
    if (!table.valid() || bpf_map_update_elem(fd, &kZero, &everything, BPF_ANY) != 0 ||
        bpf_map_update_elem(bpf_map__fd(object.maps().local_tables), &kZero, &fd, BPF_ANY) != 0 ||
        bpf_map_update_elem(bpf_map__fd(object.maps().local_settings), &kZero, &settings, BPF_ANY) != 0)
        return fail_errno(errno, "set up the rules of local");
    return {};
}

/// A link made by bpf(BPF_LINK_CREATE) that kernel::Link has no name for.
Result<Link> link_of(int prog_fd, bpf_attach_type type, const bpf_link_create_opts *options, const char *what) {
    const int fd = bpf_link_create(prog_fd, 0, type, options);
    if (fd < 0)
        return fail_errno(-fd, std::string("attach ") + what);
    return Link::adopt(kernel::UniqueFd(fd));
}

} // namespace

Result<std::unique_ptr<Accelerator>> start_beeline(const kernel::Cgroup &cgroup) {
    BL_TRY(auto opened, kernel::Opened<local_bpf>::open());
    BL_TRY(auto object, std::move(opened).load());
    BL_CHECK(set_up(object));
    const auto &progs = object.progs();
    std::vector<Link> links;
    BL_TRY(Link verdict, Link::attach_sockmap(bpf_program__fd(progs.local_verdict),
                                              bpf_map__fd(object.maps().local_socks), BPF_SK_MSG_VERDICT));
    BL_TRY(Link sockets, Link::attach_cgroup(bpf_program__fd(progs.local_sockets), cgroup.fd(), BPF_CGROUP_SOCK_OPS));
    BL_TRY(Link option, Link::attach_cgroup(bpf_program__fd(progs.local_option), cgroup.fd(), BPF_CGROUP_SETSOCKOPT));
    BL_TRY(Link received, link_of(bpf_program__fd(progs.local_received), BPF_TRACE_RAW_TP, nullptr, "local_received"));
    links.push_back(std::move(verdict));
    links.push_back(std::move(sockets));
    links.push_back(std::move(option));
    links.push_back(std::move(received));

    bpf_iter_link_info flows{};
    flows.map.map_fd = static_cast<__u32>(bpf_map__fd(object.maps().local_flows));
    bpf_link_create_opts options{};
    options.sz = sizeof options;
    options.iter_info = &flows;
    options.iter_info_len = sizeof flows;
    BL_TRY(Link tend, link_of(bpf_program__fd(progs.local_tend), BPF_TRACE_ITER, &options, "local_tend"));
    return std::make_unique<Beeline>(std::move(object), std::move(links), std::move(tend));
}

} // namespace beeline::conformance
