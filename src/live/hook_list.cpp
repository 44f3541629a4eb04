// SPDX-License-Identifier: Apache-2.0
#include "live/hook_list.hpp"

#include <beeline/kernel/prog.hpp>

namespace beeline::live {

void HookList::add(const std::string &device, const std::string &hook, std::uint32_t prog_id) {
    if (prog_id != 0)
        programs.push_back({device, hook, prog_id, kernel::describe_prog(prog_id), own_.contains(prog_id)});
}

void HookList::add(const std::string &device, const std::string &hook, const Result<kernel::HookState> &state) {
    if (state)
        for (const auto &entry : state->entries)
            add(device, hook, entry.prog_id);
}

void HookList::add_xdp(const std::string &device, int ifindex) {
    const auto xdp = kernel::xdp_query(ifindex);
    if (!xdp)
        return;
    for (const kernel::XdpMode mode : {kernel::XdpMode::native, kernel::XdpMode::generic, kernel::XdpMode::offload})
        add(device, "xdp " + std::string(name(mode)), xdp->id(mode));
}

void HookList::add_netkit(const std::string &device, int ifindex) {
    for (const kernel::NetkitHook hook : {kernel::NetkitHook::peer, kernel::NetkitHook::primary})
        add(device, "netkit " + std::string(name(hook)), kernel::netkit_query(ifindex, hook));
}

void HookList::add_tcx(const std::string &device, int ifindex) {
    for (const kernel::TcxHook hook : {kernel::TcxHook::ingress, kernel::TcxHook::egress})
        add(device, "tcx " + std::string(name(hook)), kernel::tcx_query(ifindex, hook));
}

} // namespace beeline::live
