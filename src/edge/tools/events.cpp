// SPDX-License-Identifier: Apache-2.0
#include <beeline/edge/events.hpp>

#include <algorithm>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <net/if.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <beeline/edge.h>
#include <beeline/edge/judge.hpp>
#include <beeline/edge/packet.hpp>
#include <beeline/kernel/map.hpp>
#include <beeline/kernel/ring_buffer.hpp>

#include "edge/transition.hpp"

namespace beeline::edge {
namespace {

/// Generations whose rule texts are remembered: events of the one before arrive after a reload.
constexpr std::size_t kRememberedGenerations = 4;

std::chrono::nanoseconds now(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// The lock of the one reader: an own directory, for the lock on the pins themselves is that of changes.
class ReaderLock {
public:
    static Result<ReaderLock> take(const std::filesystem::path &pins) {
        const std::filesystem::path path = pins / kReader;
        for (int attempt = 0; attempt < 8; ++attempt) {
            if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
                return fail_errno(errno, "make " + path.string());
            kernel::UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            if (!fd.valid() && errno == ENOENT)
                continue; // the reader before us removed it just now
            if (!fd.valid())
                return fail_errno(errno, "open " + path.string());
            if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
                return fail(Kind::conflict, 0, "the log of " + pins.string() + " is read by another process",
                            "one reader is all a BPF ring buffer bears; stop the other `beeline top` or daemon");
            struct stat held {
            }, there{};
            if (fstat(fd.get(), &held) == 0 && stat(path.c_str(), &there) == 0 && held.st_ino == there.st_ino)
                return ReaderLock(path, std::move(fd));
        }
        return fail(Kind::conflict, 0, "lock " + path.string(), "try again");
    }
    ReaderLock(ReaderLock &&other) noexcept = default;
    ReaderLock &operator=(ReaderLock &&) = delete;
    ~ReaderLock() {
        if (!fd_.valid())
            return;
        rmdir(path_.c_str());
        // While we were in it, `down` had to leave the directory above. Its lock says that nobody makes an edge there
        // just now; rmdir fails unless it is empty.
        const std::string pins = path_.parent_path();
        const kernel::UniqueFd above(open(pins.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (above.valid() && flock(above.get(), LOCK_EX | LOCK_NB) == 0)
            rmdir(pins.c_str());
    }

private:
    ReaderLock(std::filesystem::path path, kernel::UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
    std::filesystem::path path_;
    kernel::UniqueFd fd_;
};

std::string device_name(std::uint32_t ifindex) {
    char name[IF_NAMESIZE] = {};
    return if_indextoname(ifindex, name) != nullptr ? name : fmt::format("if{}", ifindex);
}

} // namespace

std::string comment(const LogEvent &event) {
    return fmt::format("rule {}{}: {}", event.rule + 1,
                       event.rule_text.empty() ? "" : fmt::format(" ({})", event.rule_text),
                       verdict_name(event.verdict));
}

std::string one_line(const LogEvent &event) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(event.time);
    const std::time_t time = seconds.count();
    std::tm local{};
    localtime_r(&time, &local);
    char clock[16] = {};
    std::strftime(clock, sizeof clock, "%H:%M:%S", &local);
    return fmt::format("{}.{:06} {} #{} {} {}", clock, (event.time - seconds).count() / 1000, event.device,
                       event.rule + 1, verdict_name(event.verdict), describe(event.bytes, event.length));
}

PcapngWriter::Packet packet_of(const LogEvent &event) {
    return {.time = event.time,
            .device = event.device,
            .length = event.length,
            .bytes = event.bytes,
            .comment = comment(event)};
}

struct EventReader::State {
    ReaderLock lock;
    Callback callback;
    std::optional<kernel::RingBuffer> ring = {};
    std::uint32_t map_id = 0;
    std::uint32_t generation = 0;                                 ///< Live when last looked.
    std::map<std::uint32_t, std::vector<std::string>> texts = {}; ///< Rule texts by generation.
    std::uint64_t received = 0;

    void learn(const Edge::Live &live) {
        generation = live.generation;
        texts[live.generation] = live.texts;
        while (texts.size() > kRememberedGenerations)
            texts.erase(texts.begin());
    }

    void receive(std::span<const std::byte> record) {
        const auto raw = kernel::event_as<bl_edge_event>(record);
        if (!raw)
            return;
        LogEvent event;
        event.number = ++received;
        event.time = std::chrono::nanoseconds(raw->time_ns) + now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC);
        event.device = device_name(raw->ifindex);
        event.rule = raw->rule;
        event.generation = raw->generation;
        event.verdict = raw->verdict;
        event.length = raw->length;
        if (const auto rules = texts.find(raw->generation); rules != texts.end() && raw->rule < rules->second.size())
            event.rule_text = rules->second[raw->rule];
        const auto *data = reinterpret_cast<const std::byte *>(raw->data);
        event.bytes.assign(data, data + std::min<std::size_t>(raw->captured, sizeof raw->data));
        callback(std::move(event));
    }
};

EventReader::EventReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
EventReader::EventReader(EventReader &&) noexcept = default;
EventReader &EventReader::operator=(EventReader &&) noexcept = default;
EventReader::~EventReader() = default;

Result<EventReader> EventReader::open(const Edge &edge, const std::filesystem::path &pins, Callback callback) {
    BL_TRY(const Edge::Live live, edge.live());
    const int fd = live.kept.fd("edge_events");
    BL_TRY(const kernel::MapInfo info, kernel::map_info(fd));
    BL_TRY(ReaderLock lock, ReaderLock::take(pins));
    auto state = std::make_unique<State>(State{.lock = std::move(lock), .callback = std::move(callback)});
    state->map_id = info.id;
    state->learn(live);
    State *raw = state.get();
    BL_TRY(auto ring, kernel::RingBuffer::open(fd, [raw](std::span<const std::byte> record) { raw->receive(record); }));
    state->ring = std::move(ring);
    return EventReader(std::move(state));
}

Result<unsigned> EventReader::consume() {
    return state_->ring->consume();
}

int EventReader::epoll_fd() const {
    return state_->ring->epoll_fd();
}

Result<bool> EventReader::refresh(const Edge &edge) {
    BL_TRY(const bool up, edge.is_up());
    if (!up)
        return false;
    BL_TRY(const Edge::Live live, edge.live());
    BL_TRY(const kernel::MapInfo info, kernel::map_info(live.kept.fd("edge_events")));
    if (info.id != state_->map_id)
        return false;
    if (live.generation != state_->generation)
        state_->learn(live);
    return true;
}

} // namespace beeline::edge
