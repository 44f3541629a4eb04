// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <beeline/guest.h>
#include <beeline/guest/parse.hpp>
#include <beeline/policy/words.hpp>

namespace beeline::guest {

namespace {

using rules::ActionWord;
using rules::MatchWord;

constexpr std::string_view kVaries =
    "a rule judges the packet that begins a flow and all of the flow follows, so it asks "
    "only what is the same in all packets of a flow";
constexpr std::string_view kNoLink = "a rule judges the packet that begins a flow, and flows are of IP: ask addresses, "
                                     "protocols, ports, ICMP types";
constexpr std::string_view kNoDevice = "the rules are of one guest with one device: write in or out";
constexpr std::string_view kNoSocket =
    "the host does not see the guest's sockets, only packets; rules of [local] have it";
constexpr std::string_view kNoRate =
    "a rule judges the packet that begins a flow and all of the flow follows; rates are "
    "for rules of the edge";

constexpr rules::AbsentWord kAbsent[] = {
    {"flags", kVaries},     {"ttl", kVaries},      {"dscp", kVaries},       {"length", kVaries},
    {"fragment", kVaries},  {"options", kVaries},  {"malformed", kVaries},  {"arp", kNoLink},
    {"ethertype", kNoLink}, {"vlan", kNoLink},     {"inner-vlan", kNoLink}, {"mac src", kNoLink},
    {"mac dst", kNoLink},   {"device", kNoDevice}, {"rate", kNoRate},       {"cgroup", kNoSocket},
    {"process", kNoSocket}, {"user", kNoSocket},
};

std::vector<MatchWord> make_matches() {
    std::vector<MatchWord> words = policy::match_words();
    std::erase_if(words, [](const MatchWord &word) {
        return std::any_of(std::begin(kAbsent), std::end(kAbsent), [&](const auto &a) { return a.name == word.name; });
    });
    return words;
}

} // namespace

const rules::Vocabulary &vocabulary() {
    static const std::vector<MatchWord> matches = make_matches();
    static const rules::Parameter every[] = {
        {"every", policy::number_spec("a number of flows", {1, 0xffffffff}), policy::parameter::every}};
    static const ActionWord actions[] = {
        {.name = "pass", .help = "the flow goes on", .id = policy::action::pass},
        {.name = "drop", .help = "away with the packet", .id = policy::action::drop},
        {.name = "log",
         .parameters = every,
         .verdict = false,
         .help = "shows the packet that begins the flow in `top`",
         .id = policy::action::log},
    };
    static const rules::Vocabulary words{.part = "guest", .matches = matches, .actions = actions, .absent = kAbsent};
    return words;
}

policy::ParsedRules parse_rules(std::span<const rules::SourceString> sources, std::span<const policy::Set> sets,
                                rules::Diagnostics &diagnostics) {
    return policy::parse_rules(sources, {vocabulary(), BL_GUEST_MAX_RULES, "fallback -> pass"}, sets, diagnostics);
}

} // namespace beeline::guest
