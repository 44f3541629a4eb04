// SPDX-License-Identifier: Apache-2.0
#include "lab/bench_edge.hpp"

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include <beeline/edge/program.hpp>
#include <beeline/kernel/prog.hpp>

#include "lab/frames.hpp"
#include "lab/running_edge.hpp"
#include "lab/stack_counters.hpp"

namespace beeline::lab {
namespace {

struct Verdict {
    std::string name;
    std::vector<std::string> last_rules; ///< Take the place of the tenth rule.
    std::uint32_t xdp;                   ///< What the program must answer.
};

/// The frame is not put back between the runs of one call, so each rule set goes on matching what it has made of it:
/// the rewrite goes back and forth, and what tx turns round is still UDP.
std::vector<Verdict> verdicts(const std::string &device) {
    return {{"pass", {"udp dport 7999 -> pass"}, XDP_PASS},
            {"drop", {"udp dport 7999 -> drop"}, XDP_DROP},
            {"rewrite",
             {"udp dport 7999 -> rewrite dport 7998 pass", "udp dport 7998 -> rewrite dport 7999 pass"},
             XDP_PASS},
            {"tx", {"udp -> tx"}, XDP_TX},
            {"redirect", {"udp dport 7999 -> redirect " + device}, XDP_REDIRECT}};
}

} // namespace

Result<edge::Program> load_policy(const std::vector<std::string> &rules, const Place &place, const edge::Kept &kept) {
    BL_TRY(const edge::Policy policy, policy_of(rules, {place.device}));
    const edge::Binding binding{.ifindex = [&](const std::string &name) -> Result<std::uint32_t> {
                                    BL_TRY(const auto device, place.node->device(name));
                                    return static_cast<std::uint32_t>(device.ifindex);
                                },
                                .counters = {},
                                .xsks = {},
                                .generation = 1};
    BL_TRY(const edge::Tables tables, edge::compile(policy, binding));
    // Redirect targets are looked up in the namespace of the calling thread.
    return place.node->within([&] { return edge::Program::load(tables, kept); });
}

Result<double> time_program(int fd, const DropLab &lab, std::uint32_t repeat, std::uint32_t expected) {
    return lab.receiver().node->within([&]() -> Result<double> {
        BL_TRY(const auto result, kernel::test_run(fd, {.data = lab.frame(), .repeat = repeat}));
        if (result.retval != expected)
            return fail(Kind::state, 0, fmt::format("the program answers {} instead of {}", result.retval, expected));
        return static_cast<double>(result.duration_ns);
    });
}

Result<std::unique_ptr<DropLab>> DropLab::create(Lab &lab) {
    BL_TRY(const Node *a, lab.add("sender"));
    BL_TRY(const Node *b, lab.add("receiver"));
    for (const Node *node : {a, b}) {
        BL_CHECK(node->set_sysctl("ipv6/conf/all/disable_ipv6", "1"));
        BL_CHECK(node->set_sysctl("ipv6/conf/default/disable_ipv6", "1"));
    }
    // GRO: veth takes frames from XDP only when the far end polls (NAPI); it makes no difference to native programs.
    BL_CHECK(lab.cable({.node = a, .device = "va", .addresses = {"10.9.0.1/24"}},
                       {.node = b, .device = "vb", .addresses = {"10.9.0.2/24"}}, {.gro = true}));
    BL_TRY(const auto vb, b->device("vb"));
    BL_TRY(auto frame, build({.to = vb.mac}));
    BL_TRY(auto send, Generator::open({.node = a, .device = "va", .frame = frame}));
    BL_TRY(auto drop, Generator::open({.node = a, .device = "va", .frame = frame, .transmit = false}));
    return std::unique_ptr<DropLab>(
        new DropLab(*a, {.node = b, .device = "vb"}, std::move(frame), std::move(send), std::move(drop)));
}

Result<Sent> DropLab::send_nowhere(std::uint64_t frames) const {
    return drop_.run(frames);
}

Result<DropLab::Run> DropLab::measure(const Subject &subject) const {
    auto made = subject.make();
    if (!made)
        return std::unexpected(std::move(made.error()).within(subject.label));
    Receiver &receiver = **made;
    const auto arrived = [&] { return receiver_.node->within([&] { return received_frames(receiver_.device); }); };
    // What attaching has set off (RCU callbacks, link events) is not the packets' cost.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    BL_TRY(const std::uint64_t arrived_before, arrived());
    BL_TRY(const std::uint64_t dropped_before, receiver.dropped());
    Run run;
    BL_TRY(run.sent, send_.run(subject.frames));
    BL_TRY(run.arrived, arrived());
    BL_TRY(run.dropped, receiver.dropped());
    run.arrived -= arrived_before;
    run.dropped -= dropped_before;
    return run;
}

Result<VerdictCosts> measure_verdicts(const DropLab &lab, unsigned rounds, std::uint32_t repeat) {
    struct Loaded {
        Verdict verdict;
        edge::Program program;
    };
    BL_TRY(const edge::Kept kept, edge::Kept::create());
    BL_TRY(const auto empty, kernel::load_xdp_constant(XDP_PASS));
    std::vector<Loaded> programs;
    for (Verdict &verdict : verdicts(lab.receiver().device)) {
        std::vector<std::string> rules = ten_rules();
        rules.erase(rules.end() - 2, rules.end()); // The tenth and the fallback.
        rules.insert(rules.end(), verdict.last_rules.begin(), verdict.last_rules.end());
        rules.emplace_back("fallback -> abort");
        BL_TRY(auto program, load_policy(rules, lab.receiver(), kept));
        programs.push_back({.verdict = std::move(verdict), .program = std::move(program)});
    }
    VerdictCosts costs;
    for (unsigned round = 0; round < rounds; ++round) {
        BL_TRY(const double base, time_program(empty.get(), lab, repeat, XDP_PASS));
        costs.empty.push_back(base);
        for (const Loaded &loaded : programs) {
            BL_TRY(const double took, time_program(loaded.program.fd("edge_policy"), lab, repeat, loaded.verdict.xdp));
            costs.net[loaded.verdict.name].push_back(took - base);
        }
    }
    return costs;
}

} // namespace beeline::lab
