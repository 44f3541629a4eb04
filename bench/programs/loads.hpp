// SPDX-License-Identifier: Apache-2.0
//
// Loads that other people's programs are put under, and what they say about their rate.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "netns/programs/servers.hpp"

namespace beeline::programs {

/// How the two ends talk. Beeline: by TCP as well, with `[local]` up.
enum class Way { tcp, beeline, unix };

struct Load {
    std::string name;
    std::string unit;
    bool speaks_unix = true;
    std::vector<std::string> trusted = {}; ///< In [local].
    /// One short run; operations a second.
    std::function<Result<double>(Way)> run;
};

/// All of them, their servers running.
class Loads {
public:
    [[nodiscard]] static Result<std::unique_ptr<Loads>> start(Scene &scene);

    [[nodiscard]] std::vector<Load> all() const;
    /// Rule texts that choose their connections.
    [[nodiscard]] static std::vector<std::string> rules();

private:
    explicit Loads(Scene &scene) : scene_(scene) {}
    [[nodiscard]] Result<double> redis(const std::vector<std::string> &to, std::vector<std::string> arguments) const;
    [[nodiscard]] Result<double> wrk(std::vector<std::string> arguments) const;
    [[nodiscard]] Result<double> pgbench(Way way, std::vector<std::string> arguments) const;
    [[nodiscard]] Result<double> memcached(Way way) const;

    Scene &scene_;
    std::vector<Server> servers_;
};

} // namespace beeline::programs
