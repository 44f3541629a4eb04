// SPDX-License-Identifier: Apache-2.0
//
// Whoever watches the tracepoint xdp:xdp_exception: a program on it that counts.
#pragma once

#include <cstdint>
#include <string>

#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

namespace beeline::edge {

class [[nodiscard]] Exceptions {
public:
    /// Counts from here on, on the whole host. Kind::unsupported where the kernel has no BTF.
    [[nodiscard]] static Result<Exceptions> watch();
    /// Exceptions with that XDP code on devices of that name, in whatever namespace.
    [[nodiscard]] Result<std::uint64_t> seen(const std::string &device, std::uint32_t code) const;

private:
    Exceptions(kernel::UniqueFd counts, kernel::UniqueFd link) : counts_(std::move(counts)), link_(std::move(link)) {}
    kernel::UniqueFd counts_, link_;
};

} // namespace beeline::edge
