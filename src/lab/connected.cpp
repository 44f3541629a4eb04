// SPDX-License-Identifier: Apache-2.0
#include "lab/connected.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include "lab/socket.hpp"

namespace beeline::lab {
namespace {

constexpr std::chrono::seconds kPatience(10);

Result<> do_not_block(int fd) {
    if (::fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        return fail_errno(errno, "set O_NONBLOCK");
    return {};
}

} // namespace

Result<Connected> connect_unix() {
    std::array<int, 2> fds{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds.data()) != 0)
        return fail_errno(errno, "make a pair of AF_UNIX sockets");
    return Connected{.fds = {kernel::UniqueFd(fds[0]), kernel::UniqueFd(fds[1])}};
}

Result<Connected> connect_tcp(const Node &client_node, const Node &server_node, const std::string &address,
                              std::uint16_t port) {
    BL_TRY(const auto at, SocketAddress::make(address, port));
    BL_TRY(const auto listener, server_node.within([&] { return open_server(at, Transport::tcp, kPatience); }));
    BL_TRY(auto client, client_node.within([&] { return open_socket(at.family(), Transport::tcp, kPatience); }));
    if (::connect(client.get(), at.get(), at.length) != 0)
        return fail_errno(errno, "connect to " + address);
    kernel::UniqueFd server(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!server.valid())
        return fail_errno(errno, "accept");
    BL_CHECK(do_not_block(client.get()));
    BL_CHECK(do_not_block(server.get()));
    sockaddr_in own{};
    socklen_t length = sizeof own;
    if (::getsockname(client.get(), reinterpret_cast<sockaddr *>(&own), &length) != 0)
        return fail_errno(errno, "getsockname");
    return Connected{.fds = {std::move(client), std::move(server)}, .client_port = ntohs(own.sin_port)};
}

} // namespace beeline::lab
