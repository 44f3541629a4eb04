// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/skeleton.hpp>

#include <fmt/format.h>

#include <beeline/kernel/capabilities.hpp>

namespace beeline::kernel {

namespace {
constexpr std::size_t kLogTailLines = 40;
}

std::unexpected<Error> skeleton_error(std::string_view verb, std::string_view object, int code, const LibbpfLog &log) {
    std::string what = fmt::format("{} {}", verb, object);
    std::unexpected<Error> failure{Error{}};
    if (const std::string message = log.verifier_message(); !message.empty()) {
        // The verifier refuses with EACCES or EINVAL; neither word would help, and it is no matter of permissions.
        failure = fail(Kind::unsupported, 0, fmt::format("{}: this kernel's verifier refuses it: {}", what, message));
    } else {
        if (const std::string said = log.summary(); !said.empty())
            what += ": " + said;
        failure = fail_errno(code == 0 ? EINVAL : code, std::move(what));
        if (const auto allowed = require_root_or_caps(); !allowed && failure.error().kind == Kind::permission)
            failure = std::unexpected(Error(allowed.error()).within(fmt::format("{} {}", verb, object)));
    }
    failure.error().detail = log.tail(kLogTailLines);
    return failure;
}

} // namespace beeline::kernel
