// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <ctime>
#include <map>

#include <sys/epoll.h>
#include <sys/stat.h>

#include <beeline/kernel/ring_buffer.hpp>
#include <beeline/local/local.hpp>

#include "local/cgroups.hpp"
#include "local/objects.hpp"
#include "local/program_file.hpp"
#include "local/record.hpp"
#include "local/tend.hpp"
#include "local/wake.hpp"

namespace beeline::local {

using kernel::ObjectSet;

namespace {

/// Events may be lost, and who wants to leave may have been read empty without one.
constexpr std::chrono::seconds kLookAnyway{1};
/// A run looks at every socket: many sockets and many events are not to take a whole CPU.
constexpr int kRest = 4;

/// Readable when one of them is.
Result<kernel::UniqueFd> epoll_over(std::initializer_list<int> descriptors) {
    kernel::UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{.events = EPOLLIN, .data = {}};
    for (const int fd : descriptors)
        if (!epoll.valid() || ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0)
            return fail_errno(errno, "epoll");
    return epoll;
}

/// That of the calling thread, which the programs of a run count to.
std::chrono::nanoseconds cpu_time() {
    timespec used{};
    (void)::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

} // namespace

struct Tender::State {
    std::filesystem::path directory;
    struct stat identity {};
    ObjectSet objects;
    std::optional<kernel::RingBuffer> ring;
    std::optional<CgroupWatch> cgroups;
    kernel::UniqueFd ready;               ///< epoll(7) over both.
    std::vector<bl_local_event> programs; ///< Asked for.
    std::vector<bl_local_event> behind;   ///< Ends that may not know of what TCP has for them.
    bool run = true;                      ///< Some pair waits.
    std::chrono::steady_clock::time_point last{}, not_before{};

    void take(const bl_local_event &event) {
        if (event.what == BL_LOCAL_EVENT_PROGRAM)
            programs.push_back(event);
        else if (event.what == BL_LOCAL_EVENT_BEHIND)
            behind.push_back(event);
        else
            run = true;
    }

    Result<> vet(const bl_local_event &event, const std::vector<std::string> &trusted, Tended &done) {
        const auto file = inspect_program(static_cast<pid_t>(event.tgid));
        if (!file)
            return {}; // it is gone; another one that runs the same file will ask again
        const bool trust = std::ranges::count(trusted, file->path.string()) != 0;
        const bool counts = file->reads == Reads::maybe_counted;
        const bool safe = trust || file->reads == Reads::by_receiving;
        if (!safe)
            (counts ? done.counters : done.splicers).push_back(file->path.string());
        ++done.programs;
        BL_TRY(auto map, objects.map<ProgramMap>("local_programs"));
        return map.update(event.program, safe ? BL_PROGRAM_SAFE : counts ? BL_PROGRAM_COUNTS : BL_PROGRAM_SPLICES);
    }

    Result<> wake_all(Tended &done);

    Result<> vet_all(Tended &done) {
        if (programs.empty())
            return {};
        BL_TRY(const Record record, read_record(directory)); // a reload may trust others
        std::vector<bl_local_event> asked = std::exchange(programs, {});
        const auto same = [](const bl_local_event &a, const bl_local_event &b) {
            return a.program.inode == b.program.inode && a.program.device == b.program.device;
        };
        for (std::size_t i = 0; i < asked.size(); ++i)
            if (std::none_of(asked.begin(), asked.begin() + static_cast<std::ptrdiff_t>(i),
                             [&](const bl_local_event &other) { return same(other, asked[i]); }))
                BL_CHECK(vet(asked[i], record.trusted, done));
        return {};
    }
};

/// Who reads on knows what there is.
Result<> Tender::State::wake_all(Tended &done) {
    BL_TRY(const auto pairs, objects.map<PairMap>("local_pairs"));
    for (const bl_local_event &event : std::exchange(behind, {})) {
        BL_TRY(const auto pair, pairs.lookup(event.pair));
        if ((!pair || pair->end[event.side & 1].read == event.read) && // a pair that has left may be forgotten
            wake_reader(static_cast<pid_t>(event.tgid), event.inode))
            ++done.woken;
    }
    return {};
}

Tender::Tender(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tender::Tender(Tender &&) noexcept = default;
Tender &Tender::operator=(Tender &&) noexcept = default;
Tender::~Tender() = default;

Result<Tender> Tender::open(const std::filesystem::path &pins) {
    auto state = std::make_unique<State>();
    state->directory = pins / kLive;
    if (::stat(state->directory.c_str(), &state->identity) != 0)
        return fail(Kind::state, 0, "no short cut between sockets is up in " + pins.string(), "beeline up FILE");
    BL_TRY([[maybe_unused]] const Record record, read_record(state->directory)); // is it of our version?
    BL_TRY(state->objects, open_pinned(state->directory));
    BL_TRY(state->ring, kernel::RingBuffer::open_typed<bl_local_event>(
                            state->objects.fd("local_events"),
                            [at = state.get()](const bl_local_event &event) { at->take(event); }));
    BL_TRY(state->cgroups, CgroupWatch::open());
    BL_TRY(state->ready, epoll_over({state->ring->epoll_fd(), state->cgroups->fd()}));
    return Tender(std::move(state));
}

bool Tender::current() const {
    struct stat now {};
    return ::stat(state_->directory.c_str(), &now) == 0 && now.st_ino == state_->identity.st_ino &&
           now.st_dev == state_->identity.st_dev;
}

int Tender::fd() const {
    return state_->ready.get();
}

Result<Tended> Tender::tend() {
    Tended done;
    BL_CHECK(state_->ring->consume());
    BL_CHECK(state_->wake_all(done));
    BL_CHECK(state_->vet_all(done));
    const auto now = std::chrono::steady_clock::now();
    const bool anyway = now - state_->last >= kLookAnyway;
    if (state_->cgroups->noticed() || anyway)
        BL_CHECK(state_->cgroups->follow(state_->objects, state_->directory));
    if (!state_->run && !anyway)
        return done;
    if (now < state_->not_before) {
        done.waiting = 1;
        return done;
    }
    state_->last = now;
    const auto before = cpu_time();
    BL_TRY(const bl_local_tended did, run_tend(state_->objects, state_->directory));
    done.filed = did.filed;
    done.left = did.left;
    done.waiting = did.waiting_to_file + did.waiting_to_leave;
    done.ends = did.filed_now + did.filed;
    state_->run = done.waiting != 0;
    state_->not_before = std::chrono::steady_clock::now() + (cpu_time() - before) * kRest;
    return done;
}

} // namespace beeline::local
