// SPDX-License-Identifier: Apache-2.0
//
// A virtual machine as the host sees it: a process that holds a tap device open and whose frames come from a network
// stack of its own. That stack is the kernel's, in a namespace, behind a second tap.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

#include "lab/lab.hpp"

namespace beeline::guest {

class [[nodiscard]] VirtualMachine {
public:
    /// Makes `tap` on the host and eth0 in the machine's node, both up, and carries frames between them until the end.
    [[nodiscard]] static Result<std::unique_ptr<VirtualMachine>> start(const lab::Node &host, const std::string &tap,
                                                                       const lab::Node &machine);
    VirtualMachine(kernel::UniqueFd host, kernel::UniqueFd inside, kernel::UniqueFd stop);
    VirtualMachine(const VirtualMachine &) = delete;
    VirtualMachine &operator=(const VirtualMachine &) = delete;
    ~VirtualMachine();

private:
    void carry() const;
    kernel::UniqueFd host_, inside_, stop_;
    std::thread carrier_;
};

} // namespace beeline::guest
