// SPDX-License-Identifier: Apache-2.0
#include "local/tend.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "local/objects.hpp"

namespace beeline::local {

namespace {

/// The directory, flock()ed. It is unlocked in so many words: a child that was forked meanwhile has the descriptor,
/// too.
class Locked {
public:
    explicit Locked(const std::filesystem::path &directory)
        : fd_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
          held_(fd_.valid() && ::flock(fd_.get(), LOCK_EX) == 0) {}
    Locked(const Locked &) = delete;
    Locked &operator=(const Locked &) = delete;
    ~Locked() {
        if (held_)
            (void)::flock(fd_.get(), LOCK_UN);
    }
    [[nodiscard]] bool held() const { return held_; }

private:
    kernel::UniqueFd fd_;
    bool held_;
};

} // namespace

Result<bl_local_tended> run_tend(const kernel::ObjectSet &objects, const std::filesystem::path &directory) {
    // One at a time: what a run did stands in one map, and down() must not read that of another's.
    const Locked lock(directory);
    if (!lock.held())
        return fail_errno(errno, "lock " + directory.string());
    BL_TRY(auto map, objects.map<TendedMap>("local_tended"));
    BL_TRY(const auto before, map.lookup(0));
    BL_CHECK(map.update(0, {.pass = before.value_or(bl_local_tended{}).pass + 1}));
    const std::filesystem::path pin = directory / kTendPin;
    const kernel::UniqueFd run(::open(pin.c_str(), O_RDONLY | O_CLOEXEC));
    if (!run.valid())
        return fail_errno(errno, "open " + pin.string());
    std::array<char, 64> nothing{}; // the program writes none; reading makes it run
    ssize_t got = 0;
    do
        got = ::read(run.get(), nothing.data(), nothing.size());
    while (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)));
    if (got < 0)
        return fail_errno(errno, "run local_tend");
    BL_TRY(const auto did, map.lookup(0));
    return did.value_or(bl_local_tended{});
}

} // namespace beeline::local
