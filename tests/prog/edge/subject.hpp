// SPDX-License-Identifier: Apache-2.0
//
// Rules as text, loaded; packets put through; what the program counted.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/edge/program.hpp>
#include <harness/assert.hpp>
#include <harness/packet.hpp>

namespace beeline::edge {

using harness::Bytes;

inline constexpr std::uint32_t kLo = 1;          ///< ifindex of lo in every network namespace: "lo".
inline constexpr std::uint32_t kAbsent = 424242; ///< ifindex of no device: every other name.

struct Outcome {
    std::uint32_t xdp = 0;
    Bytes frame;
};

/// A policy in the kernel, with maps of its own that start empty.
class [[nodiscard]] Subject {
public:
    /// Warnings of the checker do not matter here; errors do. generation: what events carry.
    [[nodiscard]] static Result<Subject> load(const std::vector<std::string> &rules, std::vector<Set> sets = {});
    [[nodiscard]] static Result<Subject> load(const Policy &policy);

    /// As traffic: counters count. repeat runs the program that often; the frame is what the last run left.
    [[nodiscard]] Result<Outcome> run(const Bytes &frame, std::uint32_t ifindex = 0, std::uint32_t repeat = 1) const;
    /// As explain.
    [[nodiscard]] Result<Judgement> judge(const Bytes &frame, std::uint32_t ifindex = 0) const {
        return program_.judge(frame, ifindex);
    }

    /// Of one rule, all CPUs together.
    [[nodiscard]] Result<bl_hits> hits(std::size_t rule) const;
    /// What is not 0, by name.
    [[nodiscard]] Result<std::map<std::string, std::uint64_t>> reasons() const;

    /// What the program logged since the last time.
    [[nodiscard]] Result<std::vector<bl_edge_event>> events() const;

    [[nodiscard]] const Policy &policy() const { return policy_; }
    [[nodiscard]] const Tables &tables() const { return tables_; }
    [[nodiscard]] const Program &program() const { return program_; }
    [[nodiscard]] const Kept &kept() const { return kept_; }

private:
    Subject(Policy policy, Tables tables, Kept kept, Program program)
        : policy_(std::move(policy)), tables_(std::move(tables)), kept_(std::move(kept)), program_(std::move(program)) {
    }
    Policy policy_;
    Tables tables_;
    Kept kept_;
    Program program_;
};

[[nodiscard]] Result<Policy> policy_of(const std::vector<std::string> &rules, std::vector<Set> sets);
[[nodiscard]] Binding binding_to_lo();

/// One line of a table: a packet that was put through rules, and all that must come of it.
struct Case {
    const char *sentence;
    std::vector<std::string> rules; ///< `fallback -> pass` follows.
    Bytes packet;
    std::size_t rule;                               ///< That decides, from 0.
    std::uint32_t xdp;                              ///< XDP_*.
    std::map<std::string, std::uint64_t> counted{}; ///< Reason counters; all others stay 0.
    std::optional<Bytes> after{};                   ///< Absent: the frame is unchanged.
    std::vector<Set> sets{};
};

/// Runs each case as traffic and as explain, with the reference model's opinion on it, too.
void check(std::span<const Case> cases);

/// Only that program and model agree on one frame.
void check_like_model(const Subject &subject, const Bytes &frame);

} // namespace beeline::edge
