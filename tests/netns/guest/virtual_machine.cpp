// SPDX-License-Identifier: Apache-2.0
#include "virtual_machine.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <beeline/kernel/rtnetlink.hpp>

namespace beeline::guest {
namespace {

using kernel::UniqueFd;

/// Gone with its descriptor.
Result<UniqueFd> make_tap(const std::string &name) {
    UniqueFd fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
    if (!fd.valid())
        return fail_errno(errno, "open /dev/net/tun");
    ifreq request{};
    std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (::ioctl(fd.get(), TUNSETIFF, &request) != 0)
        return fail_errno(errno, "make the tap " + name);
    BL_TRY(auto links, kernel::RtNetlink::open());
    BL_TRY(const auto device, links.device(name));
    BL_CHECK(links.set_up(device.ifindex));
    return fd;
}

/// A frame that finds no room is lost, as on any wire.
void pass(int from, int to) {
    std::array<char, 65536> frame{};
    for (ssize_t size = 0; (size = ::read(from, frame.data(), frame.size())) > 0;)
        (void)!::write(to, frame.data(), static_cast<std::size_t>(size));
}

} // namespace

Result<std::unique_ptr<VirtualMachine>> VirtualMachine::start(const lab::Node &host, const std::string &tap,
                                                              const lab::Node &machine) {
    BL_TRY(UniqueFd outer, host.within([&] { return make_tap(tap); }));
    BL_TRY(UniqueFd inner, machine.within([&] { return make_tap("eth0"); }));
    UniqueFd stop(::eventfd(0, EFD_CLOEXEC));
    if (!stop.valid())
        return fail_errno(errno, "make an eventfd");
    return std::make_unique<VirtualMachine>(std::move(outer), std::move(inner), std::move(stop));
}

VirtualMachine::VirtualMachine(UniqueFd host, UniqueFd inside, UniqueFd stop)
    : host_(std::move(host)), inside_(std::move(inside)), stop_(std::move(stop)), carrier_([this] { carry(); }) {}

VirtualMachine::~VirtualMachine() {
    const std::uint64_t one = 1;
    (void)!::write(stop_.get(), &one, sizeof one);
    carrier_.join();
}

void VirtualMachine::carry() const {
    std::array<pollfd, 3> wait = {{{host_.get(), POLLIN, 0}, {inside_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
    while (::poll(wait.data(), wait.size(), -1) >= 0 && wait[2].revents == 0) {
        pass(host_.get(), inside_.get());
        pass(inside_.get(), host_.get());
    }
}

} // namespace beeline::guest
