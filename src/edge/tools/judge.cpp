// SPDX-License-Identifier: Apache-2.0
#include <beeline/edge/judge.hpp>

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include <beeline/edge.h>
#include <beeline/edge/tables.hpp>
#include <beeline/kernel/rtnetlink.hpp>
#include <beeline/kernel/typed_map.hpp>

namespace beeline::edge {
namespace {

constexpr std::array<std::string_view, BL_EDGE_VERDICTS> kVerdicts = {"pass",     "drop", "abort", "tx",
                                                                      "redirect", "cpu",  "xsk"};
constexpr std::array<std::string_view, 5> kXdp = {"XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX", "XDP_REDIRECT"};
constexpr std::array<std::string_view, BL_EDGE_REASONS> kReasons = BL_EDGE_REASON_NAMES;
constexpr std::array<std::string_view, BL_EDGE_REASONS> kReasonTexts = {
    "nothing odd",
    "no policy in the slot",
    "less than an Ethernet header",
    "VLAN tag cut short",
    "IP header cut short",
    "IP version is not what the ethertype says",
    "IPv4 header length below 20 bytes",
    "IP length is more than the frame holds, or less than the header",
    "IPv6 extension header cut short",
    "more IPv6 extension headers than are looked through",
    "TCP, UDP or ICMP header cut short",
    "TCP header length wrong",
    "UDP length wrong",
    "a header to rewrite is not there",
    "partial checksum finished in software",
    "partial checksum that cannot be finished",
    "the device to redirect to is gone",
    "no such CPU",
    "nobody listens on this queue",
    "too many sources for the rate",
    "the rate's bucket was contended",
    "the log was full",
    "broken table",
};

constexpr std::array<std::string_view, 4> kModes = {"auto", "native", "generic", "offload"};

/// What the program returns when nothing comes between (XDP_*), by BL_EDGE_* verdict.
constexpr std::array<std::uint32_t, BL_EDGE_VERDICTS> kExpectedXdp = {2, 1, 0, 3, 4, 4, 4};

/// All devices a policy names.
std::set<std::string> named_devices(const Policy &policy, const std::vector<std::string> &extra) {
    std::set<std::string> names(policy.devices.begin(), policy.devices.end());
    names.insert(extra.begin(), extra.end());
    for (const Rule &rule : policy.rules) {
        if (rule.match.device)
            names.insert(rule.match.device->any_of.begin(), rule.match.device->any_of.end());
        if (rule.action.verdict == Verdict::redirect)
            names.insert(rule.action.target);
    }
    names.erase("lo"); // every namespace has one
    names.erase("");
    return names;
}

/// One end of a veth pair each: every kernel that runs containers has that driver. The kernel numbers the other ends.
Result<std::map<std::string, std::uint32_t>> make_stand_ins(const std::set<std::string> &names) {
    BL_TRY(auto netlink, kernel::RtNetlink::open());
    std::map<std::string, std::uint32_t> indexes = {{"lo", 1}}; // LOOPBACK_IFINDEX of the kernel
    for (const std::string &name : names) {
        if (auto made = netlink.create_veth({.name = name}, {.name = ".beeline%d"}); !made)
            return std::unexpected(std::move(made).error().within("stand-in for device " + name));
        BL_TRY(const kernel::Device device, netlink.device(name));
        indexes[name] = static_cast<std::uint32_t>(device.ifindex);
    }
    return indexes;
}

} // namespace

std::string_view verdict_name(std::uint32_t verdict) {
    return verdict < kVerdicts.size() ? kVerdicts[verdict] : "unknown";
}
std::string_view mode_name(Mode mode) {
    return kModes[static_cast<std::size_t>(mode)];
}
std::string_view xdp_name(std::uint32_t xdp) {
    return xdp < kXdp.size() ? kXdp[xdp] : "unknown";
}
std::uint32_t expected_xdp(std::uint32_t verdict) {
    return verdict < kExpectedXdp.size() ? kExpectedXdp[verdict] : 0;
}
std::string_view reason_name(std::uint32_t reason) {
    return reason < kReasons.size() ? kReasons[reason] : "unknown";
}
std::string_view reason_text(std::uint32_t reason) {
    return reason < kReasonTexts.size() ? kReasonTexts[reason] : "unknown";
}

Result<std::vector<std::uint32_t>> rule_verdicts(const Program &program, std::size_t rules) {
    BL_TRY(auto map, (kernel::Map<std::uint32_t, bl_edge_rule>::share(program.fd("edge_rules"))));
    std::vector<std::uint32_t> verdicts(rules);
    for (std::uint32_t i = 0; i < rules; ++i) {
        BL_TRY(const auto rule, map.lookup(i));
        if (!rule)
            return fail(Kind::state, 0, fmt::format("rule {} is not in the loaded policy", i + 1));
        verdicts[i] = rule->verdict;
    }
    return verdicts;
}

struct Judge::State {
    Program program;
    Kept kept;
    std::optional<kernel::NetNs> netns;           ///< Where the stand-ins are.
    std::map<std::string, std::uint32_t> devices; ///< Of the stand-ins, by name.
    std::vector<RuleInfo> rules;
    std::uint32_t generation = 0;
};

Judge::Judge(std::unique_ptr<State> state) : state_(std::move(state)) {}
Judge::Judge(Judge &&) noexcept = default;
Judge &Judge::operator=(Judge &&) noexcept = default;
Judge::~Judge() = default;

Result<Judge> Judge::of_live(const Edge &edge) {
    BL_TRY(Edge::Live live, edge.live());
    BL_TRY(const auto verdicts, rule_verdicts(live.program, live.texts.size()));
    BL_TRY(const Status status, edge.status());
    std::vector<RuleInfo> rules;
    for (std::size_t i = 0; i < live.texts.size(); ++i) {
        RuleInfo rule{.text = live.texts[i], .place = {}, .verdict = verdicts[i]};
        // Another generation may have gone live between the two questions.
        if (status.generation == live.generation && i < status.rules.size() && status.rules[i].line != 0)
            rule.place = fmt::format("{}:{}", status.file, status.rules[i].line);
        rules.push_back(std::move(rule));
    }
    return Judge(std::make_unique<State>(State{.program = std::move(live.program),
                                               .kept = std::move(live.kept),
                                               .netns = std::nullopt,
                                               .devices = {},
                                               .rules = std::move(rules),
                                               .generation = live.generation}));
}

Result<Judge> Judge::of_policy(const Policy &policy, const std::vector<std::string> &extra_devices) {
    BL_TRY(auto netns, kernel::NetNs::anonymous());
    BL_TRY(const auto guard, netns.enter());
    BL_TRY(const auto devices, make_stand_ins(named_devices(policy, extra_devices)));
    Binding binding;
    binding.ifindex = [&devices](const std::string &name) -> Result<std::uint32_t> {
        const auto device = devices.find(name);
        if (device == devices.end())
            return fail(Kind::host, ENODEV, "device " + name);
        return device->second;
    };
    BL_TRY(const Tables tables, compile(policy, binding));
    BL_TRY(Kept kept, Kept::create());
    BL_TRY(Program program, Program::load(tables, kept));
    BL_TRY(const auto verdicts, rule_verdicts(program, policy.rules.size()));
    std::vector<RuleInfo> rules;
    for (std::size_t i = 0; i < policy.rules.size(); ++i) {
        const Rule &rule = policy.rules[i];
        rules.push_back({.text = rule.text,
                         .place = rule.where.line == 0 ? "" : fmt::format("{}:{}", rule.where.file, rule.where.line),
                         .verdict = verdicts[i]});
    }
    return Judge(std::make_unique<State>(State{.program = std::move(program),
                                               .kept = std::move(kept),
                                               .netns = std::move(netns),
                                               .devices = devices,
                                               .rules = std::move(rules),
                                               .generation = 0}));
}

Result<Judgement> Judge::judge(std::span<const std::byte> frame, const std::string &device) const {
    std::uint32_t ifindex = 0;
    if (state_->netns) {
        if (const auto known = state_->devices.find(device); known != state_->devices.end())
            ifindex = known->second;
        else if (!device.empty())
            return fail(Kind::usage, ENODEV, "device " + device, "the policy does not name it");
        // The kernel looks the receiving device up in the network namespace of the caller.
        return state_->netns->within([&] { return state_->program.judge(frame, ifindex); });
    }
    if (!device.empty()) {
        BL_TRY(auto netlink, kernel::RtNetlink::open());
        BL_TRY(const kernel::Device found, netlink.device(device));
        ifindex = static_cast<std::uint32_t>(found.ifindex);
    }
    return state_->program.judge(frame, ifindex);
}

const std::vector<RuleInfo> &Judge::rules() const {
    return state_->rules;
}
std::uint32_t Judge::generation() const {
    return state_->generation;
}

std::string Judge::verdict_text(const Judgement &judgement) const {
    if (judgement.rule >= state_->rules.size())
        return std::string(xdp_name(judgement.xdp));
    const std::uint32_t verdict = state_->rules[judgement.rule].verdict;
    const std::string name(verdict_name(verdict));
    if (verdict < kExpectedXdp.size() && judgement.xdp == kExpectedXdp[verdict])
        return name;
    if (verdict == BL_EDGE_XSK && judgement.xdp == kExpectedXdp[BL_EDGE_PASS])
        return "pass (xsk: nobody listens on queue 0)";
    if (verdict == BL_EDGE_CPU && judgement.xdp == kExpectedXdp[BL_EDGE_PASS])
        return "pass (cpu: there is no such CPU)";
    if (judgement.xdp == kExpectedXdp[BL_EDGE_DROP])
        return fmt::format("drop ({}: a header to rewrite is not there, its checksum cannot be made right, or the "
                           "device is gone)",
                           name);
    return fmt::format("{} instead of {}", xdp_name(judgement.xdp), name);
}

} // namespace beeline::edge
