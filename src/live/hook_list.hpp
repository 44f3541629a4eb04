// SPDX-License-Identifier: Apache-2.0
//
// The programs on devices, in order, ours and others'.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <beeline/kernel/hooks.hpp>
#include <beeline/live/status.hpp>
#include <beeline/result.hpp>

namespace beeline::live {

class HookList {
public:
    /// own: ids of our programs.
    explicit HookList(std::set<std::uint32_t> own) : own_(std::move(own)) {}

    /// id 0: nothing is there.
    void add(const std::string &device, const std::string &hook, std::uint32_t prog_id);
    /// Nothing, where the device is gone or the kernel has no such hook.
    void add(const std::string &device, const std::string &hook, const Result<kernel::HookState> &state);
    void add_xdp(const std::string &device, int ifindex);
    void add_netkit(const std::string &device, int ifindex);
    void add_tcx(const std::string &device, int ifindex);

    std::vector<HookProgram> programs;

private:
    std::set<std::uint32_t> own_;
};

} // namespace beeline::live
