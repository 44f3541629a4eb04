// SPDX-License-Identifier: Apache-2.0
//
// A loaded policy to ask: the live one, or one loaded aside that no packet ever meets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/edge/edge.hpp>
#include <beeline/edge/policy.hpp>
#include <beeline/edge/program.hpp>
#include <beeline/kernel/netns.hpp>
#include <beeline/result.hpp>

namespace beeline::edge {

/// Names by BL_EDGE_* verdict number: "pass", "drop"...
[[nodiscard]] std::string_view verdict_name(std::uint32_t verdict);
/// "native", "generic", "offload", "auto".
[[nodiscard]] std::string_view mode_name(Mode mode);
/// Names by XDP_* number: "XDP_PASS"...
[[nodiscard]] std::string_view xdp_name(std::uint32_t xdp);
/// What the program returns (XDP_*) for a verdict (BL_EDGE_*) when nothing comes between.
[[nodiscard]] std::uint32_t expected_xdp(std::uint32_t verdict);
/// Names by BL_EDGE_R_* number.
[[nodiscard]] std::string_view reason_name(std::uint32_t reason);
/// What that odd thing is, for people.
[[nodiscard]] std::string_view reason_text(std::uint32_t reason);

struct RuleInfo {
    std::string text;
    std::string place;         ///< "beeline.toml:12"; empty: not known.
    std::uint32_t verdict = 0; ///< BL_EDGE_*
};

/// The verdict of every rule by number, read from the loaded program.
[[nodiscard]] Result<std::vector<std::uint32_t>> rule_verdicts(const Program &program, std::size_t rules);

/// A loaded policy with the names of its rules and devices.
class [[nodiscard]] Judge {
public:
    /// What is live now. Keeps that generation, also when another one goes live meanwhile.
    [[nodiscard]] static Result<Judge> of_live(const Edge &edge);
    /// Loads a policy that is attached to nothing. The devices it names need not exist: dummies of these names stand
    /// for them in a network namespace of the judge's own (so this wants CAP_SYS_ADMIN). extra_devices: more of them.
    [[nodiscard]] static Result<Judge> of_policy(const Policy &policy,
                                                 const std::vector<std::string> &extra_devices = {});

    Judge(Judge &&) noexcept;
    Judge &operator=(Judge &&) noexcept;
    ~Judge();

    /// device: name of the receiving device; empty: none in particular.
    [[nodiscard]] Result<Judgement> judge(std::span<const std::byte> frame, const std::string &device = {}) const;

    [[nodiscard]] const std::vector<RuleInfo> &rules() const;
    [[nodiscard]] std::uint32_t generation() const; ///< 0: loaded aside.

    /// What becomes of the packet, in words: the rule's verdict, and why the program returned something else.
    [[nodiscard]] std::string verdict_text(const Judgement &judgement) const;

private:
    struct State;
    explicit Judge(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace beeline::edge
