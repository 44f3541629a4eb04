// SPDX-License-Identifier: Apache-2.0
#include <harness/test_net.hpp>

#include <array>

#include <beeline/kernel/capabilities.hpp>
#include <harness/assert.hpp>
#include <harness/names.hpp>

namespace beeline::harness {

Result<> need_root() {
    BL_CHECK(kernel::require_root_or_caps());
    constexpr std::array kAdmin{kernel::Capability::sys_admin};
    return kernel::require_capabilities(kAdmin);
}

Result<TestNet> TestNet::create(std::string_view suffix) {
    const std::string name = unique_name(suffix);
    OnExit cleanup(Leftover::netns, "/run/netns/" + name);
    BL_TRY(kernel::NetNs netns, kernel::NetNs::create(name));
    Result<kernel::RtNetlink> links = netns.within([] { return kernel::RtNetlink::open(); });
    if (!links)
        return std::unexpected(std::move(links).error());
    BL_CHECK(links->set_up(1)); // lo
    return TestNet(std::move(netns), *std::move(links), std::move(cleanup));
}

Result<int> TestNet::ifindex(std::string_view device) {
    BL_TRY(const kernel::Device found, links_.device(device));
    return found.ifindex;
}

Result<> TestNet::add_address(std::string_view device, std::string_view address) {
    BL_TRY(const int index, ifindex(device));
    BL_TRY(const kernel::IpPrefix prefix, kernel::IpPrefix::parse(address));
    return links_.add_address(index, prefix);
}

Result<> connect(TestNet &a, const std::string &name_a, TestNet &b, const std::string &name_b,
                 const VethOptions &options) {
    const auto end = [&options](const TestNet &net, const std::string &name) {
        return kernel::VethEnd{.name = name,
                               .netns_fd = net.netns().fd(),
                               .mtu = options.mtu,
                               .rx_queues = options.queues,
                               .tx_queues = options.queues};
    };
    BL_CHECK(a.links().create_veth(end(a, name_a), end(b, name_b)));
    BL_TRY(const int index_a, a.ifindex(name_a));
    BL_TRY(const int index_b, b.ifindex(name_b));
    BL_CHECK(a.links().set_up(index_a));
    return b.links().set_up(index_b);
}

} // namespace beeline::harness
