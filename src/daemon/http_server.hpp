// SPDX-License-Identifier: Apache-2.0
//
// One HTTP server of the daemon in a thread of its own: the control socket (Unix) or the metrics (TCP).
#pragma once

#include <memory>
#include <string>

#include <beeline/config/config.hpp>
#include <beeline/result.hpp>

#include "daemon/service.hpp"

namespace beeline::daemon {

/// Bound when opened, so that whatever is wrong with the address is known before anything else happens and while all
/// capabilities are there; served from serve() on.
class [[nodiscard]] HttpServer {
public:
    /// The control socket, mode 0660, of the configured group; docs/control.md has the endpoints. A socket file that
    /// nobody answers on is replaced; Kind::conflict when a daemon answers.
    [[nodiscard]] static Result<HttpServer> open_control(const config::Control &control, Service &service);
    /// GET /metrics for Prometheus.
    [[nodiscard]] static Result<HttpServer> open_metrics(const config::Metrics &metrics, Service &service);

    HttpServer(HttpServer &&) noexcept;
    HttpServer &operator=(HttpServer &&) = delete;
    /// Stops, waits for answers under way, removes the socket file.
    ~HttpServer();

    /// Starts the thread.
    [[nodiscard]] Result<> serve();

private:
    struct State;
    explicit HttpServer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace beeline::daemon
