// SPDX-License-Identifier: Apache-2.0
//
// How the programs are started, each in the scene's own directory; they end with the object. Ports are of 127.0.0.1.
#pragma once

#include "netns/programs/client.hpp"

namespace beeline::programs {

using Server = std::unique_ptr<Background>;

/// Listens on the port, and on `redis.sock`.
[[nodiscard]] Server start_redis(const Scene &scene, std::uint16_t port);

/// Four threads; listens on the port, and on `memcached.sock` when the port is 0.
[[nodiscard]] Server start_memcached(const Scene &scene, std::uint16_t port);

/// A cluster of its own in `postgres`, user `postgres`, no password; listens on the port, and in the scene's directory
/// below `sockets`. Returns when it takes connections.
[[nodiscard]] Result<Server> start_postgres(const Scene &scene, std::uint16_t port);

/// In TCP mode, from one port to another.
[[nodiscard]] Server start_haproxy(const Scene &scene, std::uint16_t from, std::uint16_t to);
/// A child for every connection.
[[nodiscard]] Server start_socat(const Scene &scene, std::uint16_t from, std::uint16_t to);

/// servers: the inside of its http block. Its files and uploads are in `www`.
[[nodiscard]] Server start_nginx(const Scene &scene, const std::string &servers);

/// The value of a line "name:value" of what redis' INFO says, or of "name value" of nginx and memcached; ~0: there is
/// none.
[[nodiscard]] std::uint64_t number(const std::string &text, const std::string &name);

} // namespace beeline::programs
