// SPDX-License-Identifier: Apache-2.0
//
// The guests' programs alone: what BPF_PROG_TEST_RUN says they take for a packet, an empty program's share taken off.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lab/lab.hpp"

namespace beeline::lab {

/// One program and one kind of packet, by run.
struct ProgramCost {
    std::string name; ///< "out-known": of a flow that is there; "out-first": of one that begins.
    std::vector<double> runs;
};

struct GuestCosts {
    std::vector<double> empty; ///< The loop and a program that is `return next`.
    std::vector<ProgramCost> programs;
};

/// A host with an uplink and two guests, wired as the kernel can. UDP in and out of them is allowed by the last of so
/// many rules.
class [[nodiscard]] GuestLab {
public:
    [[nodiscard]] static Result<std::unique_ptr<GuestLab>> create(Lab &lab, unsigned rules);
    GuestLab(GuestLab &&) = delete;
    GuestLab &operator=(GuestLab &&) = delete;
    ~GuestLab();

    [[nodiscard]] const std::string &wiring() const; ///< "netkit-l3", "veth".
    /// Names as in ProgramCost; the programs take turns.
    [[nodiscard]] static std::vector<std::string> names();
    [[nodiscard]] Result<GuestCosts> measure(unsigned runs);

private:
    struct State;
    explicit GuestLab(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace beeline::lab
