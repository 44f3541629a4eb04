// SPDX-License-Identifier: Apache-2.0
//
// What libbpf would print to stderr. Beeline prints none of it; a LibbpfLog keeps it for the error.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace beeline::kernel {

/// Collects what libbpf says in this thread while it lives; an inner one hides the outer. Must be destroyed in the
/// thread and order it was made in. Once one was made, libbpf is quiet everywhere.
class [[nodiscard]] LibbpfLog {
public:
    LibbpfLog();
    ~LibbpfLog();
    LibbpfLog(const LibbpfLog &) = delete;
    LibbpfLog &operator=(const LibbpfLog &) = delete;

    /// Makes libbpf quiet without collecting.
    static void silence();

    [[nodiscard]] const std::string &text() const noexcept { return text_; }
    /// The last lines.
    [[nodiscard]] std::string tail(std::size_t lines) const;
    /// The verifier's last message before its statistics; empty when no program was refused by it.
    [[nodiscard]] std::string verifier_message() const;
    /// The one line to show: the verifier's last message, else libbpf's last; without the "libbpf: " prefix.
    [[nodiscard]] std::string summary() const;

    void append(std::string_view text) { text_.append(text); }

private:
    std::string text_;
    LibbpfLog *outer_;
};

} // namespace beeline::kernel
