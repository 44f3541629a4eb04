// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <vector>

#include <pwd.h>

#include <beeline/policy/words.hpp>
#include <beeline/rules/words.hpp>

#include "policy/lower.hpp"

namespace beeline::policy {

Result<rules::Interval> read_user(const std::string &text) {
    if (!text.empty() && text[0] >= '0' && text[0] <= '9')
        return rules::read_interval(text, {0, kMaxUser}, {});
    constexpr std::size_t kMaxEntry = std::size_t{1} << 20; // more is no line of a passwd file
    std::vector<char> buffer(1024);
    passwd entry{}, *found = nullptr;
    int failed = 0;
    while ((failed = ::getpwnam_r(text.c_str(), &entry, buffer.data(), buffer.size(), &found)) == ERANGE &&
           buffer.size() < kMaxEntry)
        buffer.resize(2 * buffer.size());
    if (found != nullptr)
        return rules::Interval{found->pw_uid, found->pw_uid};
    // What there is to say of a name that is not there differs from source to source of names (getpwnam(3)).
    if (failed != 0 && failed != ENOENT && failed != ESRCH && failed != EBADF && failed != EPERM)
        return fail(Kind::host, 0, "look up the user " + rules::in_quotes(text) + ": " + std::strerror(failed),
                    "write the number");
    return fail(Kind::config, 0, "unknown user " + rules::in_quotes(text), "expected one of this host's, or a number");
}

} // namespace beeline::policy
