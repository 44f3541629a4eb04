// SPDX-License-Identifier: Apache-2.0
//
// What an edge policy means, as plain values: the checker makes it out of rules and config, the compiler turns it into
// tables for the kernel, and the reference model judges packets with it. Nothing here knows about BPF.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <beeline/policy/rule.hpp>

namespace beeline::edge {

// What every part's rules are made of; the edge has all of it.
using policy::Action;
using policy::Family;
using policy::Fragment;
using policy::Mac;
using policy::Match;
using policy::OneOf;
using policy::Prefix;
using policy::Range;
using policy::Rate;
using policy::RateKey;
using policy::Rewrite;
using policy::Rule;
using policy::Set;
using policy::SetType;
using policy::TcpFlags;
using policy::Verdict;

enum class Mode : std::uint8_t { automatic, native, generic, offload };

/// A checked edge policy. rules never is empty: the last one is the fallback, which matches everything.
struct Policy {
    std::vector<std::string> devices;
    Mode mode = Mode::automatic;
    bool replace = false; ///< Take the hook from somebody else's program.
    std::vector<Set> sets;
    std::vector<Rule> rules;
};

} // namespace beeline::edge
