// SPDX-License-Identifier: Apache-2.0
#include "daemon/notify.hpp"

#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>

#include <beeline/kernel/fd.hpp>

namespace beeline::daemon {

void notify_systemd(std::string_view state) {
    const char *path = std::getenv("NOTIFY_SOCKET");
    if (path == nullptr || (path[0] != '/' && path[0] != '@'))
        return;
    const std::string_view name(path);
    sockaddr_un address{};
    if (name.size() >= sizeof address.sun_path)
        return;
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, name.size());
    if (address.sun_path[0] == '@') // an abstract socket
        address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    const kernel::UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (fd.valid())
        (void)sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr *>(&address),
                     length);
}

void notify_reloading() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    notify_systemd("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.tv_sec * 1'000'000 + now.tv_nsec / 1000));
}

} // namespace beeline::daemon
