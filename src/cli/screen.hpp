// SPDX-License-Identifier: Apache-2.0
//
// A full-screen terminal.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <beeline/result.hpp>

namespace beeline::cli {

class [[nodiscard]] Screen {
public:
    /// Kind::usage when the terminal is not known (TERM).
    [[nodiscard]] static Result<Screen> open();
    Screen(Screen &&) noexcept;
    Screen &operator=(Screen &&) = delete;
    ~Screen(); ///< The terminal is as it was.

    [[nodiscard]] std::size_t height() const;
    /// Lines longer than the screen are cut. The first one is emphasised.
    void draw(const std::vector<std::string> &lines);
    enum class Key { none, quit, resized, other };
    /// Waits for a key.
    [[nodiscard]] Key wait(std::chrono::milliseconds timeout);

private:
    struct State;
    explicit Screen(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace beeline::cli
