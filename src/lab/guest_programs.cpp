// SPDX-License-Identifier: Apache-2.0
#include "lab/guest_programs.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <linux/bpf.h>

#include <beeline/config/config.hpp>
#include <beeline/guest/guest.hpp>
#include <beeline/kernel/map.hpp>
#include <beeline/kernel/prog.hpp>

#include "lab/figures.hpp"
#include "lab/frames.hpp"

namespace beeline::lab {
namespace {

constexpr std::uint32_t kNext = 0xffffffff, kPass = 0, kRedirect = 7; // tcx and netkit alike
/// A packet that comes in by the uplink has one hop less after each run of a call: 255 are enough for so many.
constexpr std::uint32_t kRepeat = 200;
constexpr unsigned kCalls = 20;       ///< Of kRepeat, and of one packet that begins a flow, for one figure.
constexpr std::size_t kTtl = 22;      ///< Offset in an untagged frame.
constexpr std::uint16_t kPort = 2000; ///< No rule but the last one knows it.
const std::string kOne = "10.88.0.2", kTwo = "10.88.0.3", kHost = "10.9.0.1", kWorld = "10.9.0.2";

/// What runs and what it is given.
struct Case {
    std::string name;    ///< Of its figures, before "-known" and "-first".
    const char *program; ///< As pinned.
    std::string source, destination;
    std::uint32_t verdict;
};

const std::array<Case, 3> &cases() {
    static const std::array<Case, 3> all{{{"out", "guest_out", kOne, kTwo, kRedirect},
                                          {"in", "guest_in", kHost, kOne, kNext},
                                          {"wire", "guest_wire", kWorld, kOne, kRedirect}}};
    return all;
}

std::string config_of(const Node &one, const Node &two, unsigned rules) {
    std::string list;
    for (unsigned i = 0; i + 1 < rules; ++i)
        list += fmt::format("'in udp dport {} src 198.51.{}.0/24 -> drop', ", 1000 + i, i);
    list += "'in udp -> pass', 'in -> drop'";
    std::string text = "[guests]\nuplinks = ['up0']\n";
    for (const auto &[node, address] : {std::pair(&one, kOne), std::pair(&two, kTwo)})
        text += fmt::format("[[guest]]\nname = '{0}'\nnetns = '{1}'\naddress = '{2}/24'\nrules = [{3}]\n", node->name(),
                            node->netns().name(), address, list);
    return text;
}

Result<kernel::UniqueFd> load_empty() {
    const std::array<bpf_insn, 2> insns{
        {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = -1},
         {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}}};
    return kernel::load_program({.type = BPF_PROG_TYPE_SCHED_CLS, .insns = insns, .name = "bl_empty"});
}

} // namespace

struct GuestLab::State {
    const Node *host;
    guest::Guests guests;
    kernel::UniqueFd empty;
    std::array<kernel::UniqueFd, 3> programs; ///< In the order of cases().
    std::string wiring = {};
    std::uint32_t slot = 0, device = 0, uplink = 0; ///< Of guest one.
    std::uint32_t flows = 0;                        ///< How many were begun: each has ports of its own.

    /// ns of one run, over repeat.
    Result<double> time(int program, const Case &of, std::uint16_t sport, std::uint16_t dport, std::uint32_t repeat,
                        std::uint32_t verdict) const {
        BL_TRY(
            auto frame,
            build(
                {.source = of.source, .destination = of.destination, .source_port = sport, .destination_port = dport}));
        frame[kTtl] = std::byte{255}; // the programs do not verify the header's checksum, only keep it true
        kernel::TestRun run{.data = frame, .repeat = repeat};
        run.skb.emplace();
        run.skb->cb[0] = slot;
        run.skb->ifindex = of.name == "wire" ? uplink : device;
        BL_TRY(const auto result, host->within([&] { return kernel::test_run(program, run); }));
        if (result.retval != verdict)
            return fail(Kind::state, 0, fmt::format("{} answers {} instead of {}", of.program, result.retval, verdict));
        return static_cast<double>(result.duration_ns);
    }

    /// From netkit a packet passes, marked for the next program.
    [[nodiscard]] std::uint32_t verdict(const Case &of) const {
        return of.name == "out" && wiring.starts_with("netkit") ? kPass : of.verdict;
    }

    /// The median of the calls, so that the one that was interrupted does not count.
    template <class F>
    static Result<double> median(F &&call) {
        std::vector<double> all;
        for (unsigned i = 0; i < kCalls; ++i) {
            BL_TRY(const double ns, call());
            all.push_back(ns);
        }
        return spread(std::move(all)).median;
    }

    Result<double> empty_run(std::uint32_t repeat) const {
        return median([&] { return time(empty.get(), cases()[0], kPort, kPort, repeat, kNext); });
    }
    Result<double> known(std::size_t i) const {
        return median([&] { return time(programs[i].get(), cases()[i], kPort, kPort, kRepeat, verdict(cases()[i])); });
    }
    Result<double> first(std::size_t i) {
        return median([&] {
            const std::uint32_t n = flows++;
            return time(programs[i].get(), cases()[i], static_cast<std::uint16_t>(3000 + n % 60000),
                        static_cast<std::uint16_t>(kPort + 1 + n / 60000), 1, verdict(cases()[i]));
        });
    }
};

GuestLab::GuestLab(std::unique_ptr<State> state) : state_(std::move(state)) {}
GuestLab::~GuestLab() = default;

const std::string &GuestLab::wiring() const {
    return state_->wiring;
}

Result<std::unique_ptr<GuestLab>> GuestLab::create(Lab &lab, unsigned rules) {
    BL_TRY(const Node *host, lab.add("host"));
    BL_TRY(const Node *world, lab.add("world"));
    BL_TRY(const Node *one, lab.add("one"));
    BL_TRY(const Node *two, lab.add("two"));
    BL_CHECK(lab.cable({.node = host, .device = "up0", .addresses = {kHost + "/24"}},
                       {.node = world, .device = "w0", .addresses = {kWorld + "/24"}}));
    const auto pins = lab.bpffs() / "beeline";
    BL_TRY(auto guests, guest::Guests::open(pins));
    BL_TRY(auto empty, load_empty());
    auto state = std::make_unique<State>(State{host, std::move(guests), std::move(empty), {}});
    const auto [config, diagnostics] = config::parse(config_of(*one, *two, rules), "bench.toml");
    if (!config)
        return fail(Kind::config, 0, diagnostics.front().one_line());
    BL_CHECK(host->within([&]() -> Result<> {
        BL_TRY([[maybe_unused]] const auto report, state->guests.up(config->guest_settings, config->guests));
        BL_TRY(const auto status, state->guests.status());
        for (const guest::GuestStatus &guest : status.guests)
            if (guest.name == "one") {
                state->slot = guest.slot;
                state->device = guest.ifindex;
                state->wiring = guest::name(guest.wiring);
            }
        return {};
    }));
    BL_TRY(const auto up, host->device("up0"));
    state->uplink = static_cast<std::uint32_t>(up.ifindex);
    for (std::size_t i = 0; i < cases().size(); ++i) {
        BL_TRY(state->programs[i], kernel::pinned_object(pins / "guest" / cases()[i].program));
    }
    return std::unique_ptr<GuestLab>(new GuestLab(std::move(state)));
}

std::vector<std::string> GuestLab::names() {
    std::vector<std::string> all;
    for (const Case &one : cases())
        for (const char *kind : {"-known", "-first"})
            all.push_back(one.name + kind);
    return all;
}

Result<GuestCosts> GuestLab::measure(unsigned runs) {
    GuestCosts costs;
    for (const std::string &name : names())
        costs.programs.push_back({.name = name, .runs = {}});
    for (std::size_t i = 0; i < cases().size(); ++i) // begins what is known later
        BL_CHECK(state_->known(i));
    for (unsigned run = 0; run < runs; ++run) {
        BL_TRY(const double many, state_->empty_run(kRepeat));
        BL_TRY(const double single, state_->empty_run(1));
        costs.empty.push_back(many);
        for (std::size_t i = 0; i < cases().size(); ++i) {
            BL_TRY(const double known, state_->known(i));
            BL_TRY(const double first, state_->first(i));
            costs.programs[2 * i].runs.push_back(known - many);
            costs.programs[2 * i + 1].runs.push_back(first - single);
        }
    }
    return costs;
}

} // namespace beeline::lab
