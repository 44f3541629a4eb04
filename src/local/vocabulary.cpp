// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <beeline/local.h>
#include <beeline/local/parse.hpp>
#include <beeline/policy/names.hpp>
#include <beeline/policy/words.hpp>

namespace beeline::local {

namespace {

using rules::AbsentWord;
using rules::MatchWord;
namespace word = policy::word;

constexpr std::uint8_t kTcp = 6;

constexpr std::string_view kNoPackets =
    "rules choose connections, not packets: ask addresses, ports, cgroup, process, user";
constexpr std::string_view kTcpOnly = "every connection that can take the short cut is of TCP: leave it out";
constexpr std::string_view kNoDirection =
    "rules judge both ends of a connection: dst and dport are of the end that accepted it";
constexpr std::string_view kNoDevice = "a connection within the host goes through no device";
constexpr std::string_view kNoRate = "rules choose connections as they begin; rates are for rules of the edge";

/// What the short cut has instead of the words for packets. The rest of the language is in absent().
struct Word {
    std::uint16_t id;
    std::string_view help;
};
constexpr Word kWords[] = {
    {word::ip, "connections over IPv4"},
    {word::ipv6, "connections over IPv6"},
    {word::protocol + kTcp, "every connection"},
    {word::src, "address of the end that connected"},
    {word::dst, "address of the end that accepted"},
    {word::sport, "port of the end that connected"},
    {word::dport, "port of the end that accepted"},
    {word::cgroup, "cgroup of either end's socket, or one above it"},
    {word::process, "process that reads the socket of either end"},
    {word::user, "owner of either end's socket"},
};

std::string_view why_absent(std::uint16_t id) {
    if (id == word::proto || id >= word::protocol)
        return kTcpOnly;
    if (id == word::in || id == word::out)
        return kNoDirection;
    return id == word::device ? kNoDevice : kNoPackets;
}

const Word *known(const MatchWord &match) {
    const auto found =
        std::find_if(std::begin(kWords), std::end(kWords), [&](const Word &w) { return w.id == match.id; });
    return found == std::end(kWords) ? nullptr : found;
}

std::vector<MatchWord> make_matches() {
    std::vector<MatchWord> words = policy::match_words();
    std::erase_if(words, [](const MatchWord &match) { return known(match) == nullptr; });
    for (MatchWord &match : words)
        match.help = known(match)->help;
    return words;
}

std::vector<AbsentWord> make_absent() {
    std::vector<AbsentWord> absent{{"rate", kNoRate}};
    for (const MatchWord &match : policy::match_words())
        if (known(match) == nullptr)
            absent.push_back({match.name, why_absent(match.id)});
    return absent;
}

} // namespace

const rules::Vocabulary &vocabulary() {
    static const std::vector<MatchWord> matches = make_matches();
    static const std::vector<AbsentWord> absent = make_absent();
    static const rules::ActionWord actions[] = {
        {.name = "accelerate", .help = "by the short cut, where that is safe", .id = policy::action::accelerate},
        {.name = "tcp", .help = "by TCP, always", .id = policy::action::tcp},
    };
    static const rules::Vocabulary words{.part = "local", .matches = matches, .actions = actions, .absent = absent};
    return words;
}

policy::ParsedRules parse_rules(std::span<const rules::SourceString> sources, std::span<const policy::Set> sets,
                                rules::Diagnostics &diagnostics) {
    return policy::parse_rules(sources, {vocabulary(), BL_LOCAL_MAX_RULES, "fallback -> tcp"}, sets, diagnostics);
}

} // namespace beeline::local
