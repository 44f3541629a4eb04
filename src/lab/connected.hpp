// SPDX-License-Identifier: Apache-2.0
//
// Stream connections with both ends in this process, as event loops have them: non-blocking.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

#include "lab/lab.hpp"

namespace beeline::lab {

struct Connected {
    std::array<kernel::UniqueFd, 2> fds; ///< The client's, the server's.
    std::uint16_t client_port = 0;       ///< Of TCP.
};

[[nodiscard]] Result<Connected> connect_unix();
/// To an IPv4 address of server's.
[[nodiscard]] Result<Connected> connect_tcp(const Node &client, const Node &server, const std::string &address,
                                            std::uint16_t port);

} // namespace beeline::lab
