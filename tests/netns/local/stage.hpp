// SPDX-License-Identifier: Apache-2.0
//
// What a row works with, in its own process: connections of the way it runs in.
#pragma once

#include <netinet/in.h>

#include <netns/local/accelerator.hpp>
#include <netns/local/end.hpp>
#include <netns/local/world.hpp>

namespace beeline::conformance {

struct Address {
    sockaddr_storage bytes{};
    socklen_t size = 0;

    [[nodiscard]] const sockaddr *get() const { return reinterpret_cast<const sockaddr *>(&bytes); }
    [[nodiscard]] static Address of(const std::string &text, std::uint16_t port);
    [[nodiscard]] static Address local_of(int fd);
    [[nodiscard]] static Address remote_of(int fd);
    [[nodiscard]] std::uint16_t port() const;
};

/// The namespaces of the ends, where a row wants others than its way's.
enum class Where : std::uint8_t { as_ever, both_at_client, both_at_server };

/// How a connection is made; 0 and false: as ever.
struct Options {
    int receive_buffer = 0; ///< SO_RCVBUF of both ends, before they connect.
    int send_buffer = 0;    ///< SO_SNDBUF.
    bool late_ack = false;  ///< The third ACK rides on the first data (TCP_QUICKACK 0).
    bool defer = false;     ///< TCP_DEFER_ACCEPT on the listener; accepting is left to the row then.
    bool service = false;   ///< To the service address: DNAT and masquerade on the way. Ways that are apart.
    int protocol = 0;       ///< IPPROTO_MPTCP.
    std::string to = {};    ///< Another address of the server.
    std::uint16_t port = 0; ///< The server's port.
    std::uint16_t from = 0; ///< The client's port.
    Where where = Where::as_ever;
    bool share_port = false; ///< SO_REUSEPORT on the listener.
};

struct Pair {
    End client, server;
};

class Stage {
public:
    Stage(const Way &this_way, const World &world, const Accelerator &accelerator, Notes &written)
        : way(this_way), notes(written), world_(&world), accelerator_(&accelerator) {}

    const Way &way;
    Notes &notes;

    /// A new connection, nothing sent.
    [[nodiscard]] Pair connect(const Options &options = {});
    /// One that is on the short cut, where this mode and the way allow it.
    [[nodiscard]] Pair settled(const Options &options = {});
    /// Requests and replies until there is nothing more to wait for; notes the path that was reached.
    void settle(Pair &pair);

    // The steps of connect(), for rows that put something between them.
    [[nodiscard]] kernel::UniqueFd listen(const Options &options = {});
    [[nodiscard]] End dial(const Address &to, const Options &options = {});
    [[nodiscard]] End accept(int listener);
    /// A socket in the client's namespace, or in the server's.
    [[nodiscard]] kernel::UniqueFd socket(bool server, const Options &options = {}) const;

    /// Until everything sent is in the queue of the other end. Without an effect on either.
    void arrived(const Pair &pair);
    [[nodiscard]] const Accelerator &accelerator() const { return *accelerator_; }
    /// Of this way: each number 0..9 belongs to one.
    [[nodiscard]] std::uint16_t own_port(std::uint16_t base) const;

private:
    [[nodiscard]] End end(bool server, kernel::UniqueFd fd) const;
    [[nodiscard]] Address target(const Options &options) const;
    bool exchange(Pair &pair);

    const World *world_;
    const Accelerator *accelerator_;
};

} // namespace beeline::conformance
