// SPDX-License-Identifier: Apache-2.0
//
// The control socket from the other side.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include <beeline/result.hpp>

namespace beeline::daemon {

using Json = nlohmann::ordered_json;

/// Each call is one connection.
class Client {
public:
    explicit Client(std::string socket) : socket_(std::move(socket)) {}

    /// Kind::host with ECONNREFUSED or ENOENT when no daemon is there. The daemon's own errors come back as they are.
    [[nodiscard]] Result<Json> get(const std::string &path) const;
    [[nodiscard]] Result<Json> post(const std::string &path, const Json &body) const;
    [[nodiscard]] Result<Json> post(const std::string &path) const;
    [[nodiscard]] Result<Json> remove(const std::string &path) const;

    /// A daemon answers.
    [[nodiscard]] bool reachable() const;
    [[nodiscard]] const std::string &socket() const { return socket_; }

private:
    [[nodiscard]] Result<Json> request(const std::string &method, const std::string &path,
                                       const std::string &body) const;
    std::string socket_;
};

/// text as part of a query.
[[nodiscard]] std::string url_encoded(const std::string &text);

} // namespace beeline::daemon
