// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <beeline/edge.h>
#include <beeline/edge/parse.hpp>
#include <beeline/policy/names.hpp>
#include <beeline/policy/words.hpp>
#include <beeline/rules/words.hpp>

namespace beeline::edge {

namespace {

using policy::number_spec;
using rules::ActionWord;
using rules::MatchWord;
using rules::Parameter;
using rules::ValueKind;
using rules::ValueSpec;
namespace action = policy::action;
namespace parameter = policy::parameter;

constexpr std::size_t kMaxXskName = 31;

Result<> check_xsk(std::string_view name) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    if (name.empty() || name.size() > kMaxXskName || !std::all_of(name.begin(), name.end(), good))
        return fail(Kind::config, 0, rules::in_quotes(name) + " cannot be a name",
                    "letters, digits, '-' and '_', at most 31");
    return {};
}

constexpr std::string_view kNoSocket = "a frame is judged before anybody knows its socket; rules of [local] have it";
constexpr rules::AbsentWord kAbsent[] = {{"cgroup", kNoSocket}, {"process", kNoSocket}, {"user", kNoSocket}};

/// A driver has received what it shows to the edge: there is one direction.
std::vector<MatchWord> make_matches() {
    std::vector<MatchWord> words = policy::match_words();
    std::erase_if(words, [](const MatchWord &w) {
        return w.id == policy::word::in || w.id == policy::word::out ||
               std::any_of(std::begin(kAbsent), std::end(kAbsent), [&](const auto &a) { return a.name == w.name; });
    });
    return words;
}

std::vector<Parameter> make_rewrite() {
    const ValueSpec address{.kind = ValueKind::address, .expected = "an address"};
    const ValueSpec port = number_spec("a port from 1 to 65535", {1, 65535}, rules::services());
    const ValueSpec mac{.kind = ValueKind::mac, .expected = "a MAC address"};
    return {
        {"src", address, parameter::src},
        {"dst", address, parameter::dst},
        {"sport", port, parameter::sport},
        {"dport", port, parameter::dport},
        {"dscp", number_spec("a DSCP by name or number (0 to 63)", {0, 63}, policy::dscps()), parameter::dscp},
        {"ttl", number_spec("a number from 1 to 255", {1, 255}), parameter::ttl},
        {"mac src", mac, parameter::mac_src},
        {"mac dst", mac, parameter::mac_dst},
    };
}

} // namespace

const rules::Vocabulary &vocabulary() {
    static const std::vector<MatchWord> matches = make_matches();
    static const std::vector<Parameter> rewrite = make_rewrite();
    static const Parameter every[] = {{"every", number_spec("a number of packets", {1, 0xffffffff}), parameter::every}};
    static const Parameter device[] = {
        {"", {.kind = ValueKind::name, .expected = "the name of a device", .check = check_device}, parameter::target}};
    static const Parameter cpu[] = {
        {"", number_spec("the number of a CPU", {0, BL_EDGE_MAX_CPUS - 1}), parameter::target}};
    static const Parameter xsk[] = {
        {"",
         {.kind = ValueKind::name, .expected = "a name for the AF_XDP sockets", .check = check_xsk},
         parameter::target}};
    static const ActionWord actions[] = {
        {.name = "pass", .help = "on to the kernel", .id = action::pass},
        {.name = "drop", .help = "away with it", .id = action::drop},
        {.name = "abort", .help = "away with it, seen by the tracepoint xdp:xdp_exception", .id = action::abort},
        {.name = "tx", .help = "back out of the device, addresses and ports swapped", .id = action::tx},
        {.name = "redirect", .parameters = device, .help = "out of another device", .id = action::redirect},
        {.name = "cpu", .parameters = cpu, .help = "on to the kernel on another CPU", .id = action::cpu},
        {.name = "xsk", .parameters = xsk, .help = "to an AF_XDP socket", .id = action::xsk},
        {.name = "log", .parameters = every, .verdict = false, .help = "shows the packet in `top`", .id = action::log},
        {.name = "rewrite",
         .parameters = rewrite,
         .needs_parameter = true,
         .verdict = false,
         .implies = "pass",
         .help = "sets header fields, checksums included",
         .id = action::rewrite},
    };
    static const std::string_view keys[] = {"src"};
    static const rules::Vocabulary words{
        .part = "edge", .matches = matches, .actions = actions, .absent = kAbsent, .rate = true, .rate_keys = keys};
    return words;
}

ParsedRules parse_rules(std::span<const rules::SourceString> sources, std::span<const Set> sets,
                        rules::Diagnostics &diagnostics) {
    return policy::parse_rules(sources, {vocabulary(), BL_EDGE_MAX_RULES, "fallback -> pass"}, sets, diagnostics);
}

} // namespace beeline::edge
