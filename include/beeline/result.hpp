// SPDX-License-Identifier: Apache-2.0
//
// Errors as values. A function that the kernel or the user can make fail returns Result<T>; nothing in Beeline throws
// across a module. Every hop may add context; the error is printed once, by main() or by the daemon's event loop.
//
//     Result<Link> attach(...) {
//         BL_TRY(auto fd, create_link(...));            // returns the error to the caller
//         ...
//         return fail(Kind::host, EBUSY, "eth0 has an XDP program already", "detach it, or say replace = true");
//     }
#pragma once

#include <cerrno>
#include <cstring>
#include <expected>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace beeline {

/// What went wrong in general; also the exit status of the command line (docs/operations.md lists them).
enum class Kind : int {
    host = 1,        ///< The host refused: a system call failed, a device is missing or went away.
    usage = 2,       ///< The command line makes no sense.
    config = 3,      ///< The config file, a rule or another input file is wrong.
    unsupported = 4, ///< This kernel or this device lacks a feature.
    permission = 5,  ///< Not root, or a capability is missing.
    conflict = 6,    ///< Somebody else holds the hook, the lock or the name.
    state = 7,       ///< What is pinned is not ours, is of another version, or is damaged.
};

/// One error: what happened (with the place in it) and what the user can do about it.
struct Error {
    Kind kind = Kind::host;
    int code = 0;            ///< errno value, or 0 where no system call is behind it.
    std::string what = {};   ///< One line: the place and the cause, outermost context first.
    std::string remedy = {}; ///< One line, or empty: what to do.
    std::string detail = {}; ///< Several lines for --verbose, or empty: the end of the verifier's log, for one.

    bool operator==(const Error &) const = default;

    /// The error as one line: "what: strerror(code); remedy".
    [[nodiscard]] std::string message() const {
        std::string text = what;
        if (code != 0)
            text.append(": ").append(std::strerror(code));
        if (!remedy.empty())
            text.append("; ").append(remedy);
        return text;
    }

    /// Puts the caller's context in front: "attach edge to eth0: ...".
    [[nodiscard]] Error within(std::string_view context) && {
        what.insert(0, std::string(context) + ": ");
        return std::move(*this);
    }
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Kind kind, int code, std::string what, std::string remedy = {}) {
    return std::unexpected(Error{kind, code, std::move(what), std::move(remedy)});
}

/// An error from errno: EPERM and EACCES become Kind::permission, EBUSY Kind::conflict, the rest Kind::host.
[[nodiscard]] inline std::unexpected<Error> fail_errno(int code, std::string what, std::string remedy = {}) {
    const Kind kind = code == EPERM || code == EACCES ? Kind::permission : code == EBUSY ? Kind::conflict : Kind::host;
    return fail(kind, code, std::move(what), std::move(remedy));
}

} // namespace beeline

#define BL_CONCAT_(a, b) a##b
#define BL_CONCAT(a, b) BL_CONCAT_(a, b)

/// BL_TRY(auto x, expr): x is the value of expr, or the enclosing function returns expr's error.
#define BL_TRY(declaration, expression) BL_TRY_(BL_CONCAT(bl_try_, __LINE__), declaration, expression)
#define BL_TRY_(result, declaration, expression)                                                                       \
    auto result = (expression);                                                                                        \
    if (!result)                                                                                                       \
        return std::unexpected(std::move(result).error());                                                             \
    declaration = *std::move(result)

/// The same for Result<void>.
#define BL_CHECK(expression)                                                                                           \
    if (auto BL_CONCAT(bl_check_, __LINE__) = (expression); !BL_CONCAT(bl_check_, __LINE__))                           \
    return std::unexpected(std::move(BL_CONCAT(bl_check_, __LINE__)).error())
