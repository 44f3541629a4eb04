// SPDX-License-Identifier: Apache-2.0
//
// XDP programs that do one thing: the limits that Beeline is held against, and the far sides of experiments.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <beeline/kernel/hooks.hpp>
#include <beeline/kernel/link.hpp>

#include "lab/lab.hpp"

namespace beeline::lab {

/// A device of a node.
struct Place {
    const Node *node = nullptr;
    std::string device;
};

/// The programs of bpf/lab/bare.bpf.c, one link a device; kept while anything is attached.
class [[nodiscard]] Bare {
public:
    [[nodiscard]] static Result<Bare> load();
    Bare(Bare &&) noexcept;
    Bare &operator=(Bare &&) = delete;
    ~Bare();

    enum class Program : std::uint8_t { drop, pass, tx, count, spoil };
    [[nodiscard]] int fd(Program program) const;
    [[nodiscard]] Result<kernel::Link> attach(Program program, const Place &place,
                                              kernel::XdpMode mode = kernel::XdpMode::native) const;
    /// Packets that Program::count has seen, on all devices together.
    [[nodiscard]] Result<std::uint64_t> counted() const;

private:
    struct State;
    explicit Bare(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace beeline::lab
