// SPDX-License-Identifier: Apache-2.0
#include "lab/two_ends.hpp"

#include <algorithm>
#include <csignal>
#include <new>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/figures.hpp"
#include "lab/two_ends_work.hpp"

namespace beeline::lab {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{1};
constexpr std::chrono::seconds kPatience{30}, kPatienceToWarmUp{3};
constexpr std::uint64_t kFewRoundTrips = 300; ///< Fill caches, open windows.

struct Unmap {
    void operator()(Board *board) const { ::munmap(board, sizeof(Board)); }
};
using SharedBoard = std::unique_ptr<Board, Unmap>;

Result<SharedBoard> make_board() {
    void *memory = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) // NOLINT(performance-no-int-to-ptr)
        return fail_errno(errno, "map memory that processes share");
    SharedBoard board(new (memory) Board);
    std::minstd_rand random(1);
    for (std::byte &byte : board->pattern)
        byte = std::byte(random() >> 8 & 0xff);
    return board;
}

} // namespace

struct TwoEnds::State {
    SharedBoard board;
    Talk talk;
    std::array<pid_t, 2> pids{-1, -1};

    State(SharedBoard shared, const Talk &what) : board(std::move(shared)), talk(what) {}
    State(const State &) = delete;
    State &operator=(const State &) = delete;
    ~State() {
        for (const pid_t pid : pids)
            if (pid > 0) {
                ::kill(pid, SIGKILL);
                ::waitpid(pid, nullptr, 0);
            }
    }

    /// Until both ends have finished the step.
    [[nodiscard]] Result<> wait_for(std::uint32_t step) {
        const auto until = std::chrono::steady_clock::now() + kPatience;
        while (std::ranges::any_of(board->finished, [step](const auto &finished) { return finished < step; })) {
            for (pid_t &pid : pids)
                if (pid > 0 && ::waitpid(pid, nullptr, WNOHANG) == pid) {
                    pid = -1;
                    return fail(Kind::host, 0, "an end of the conversation broke off");
                }
            if (std::chrono::steady_clock::now() > until)
                return fail(Kind::host, ETIMEDOUT, "the conversation does not come to an end");
            std::this_thread::sleep_for(kTick);
        }
        return {};
    }
};

TwoEnds::TwoEnds(std::unique_ptr<State> state) : state_(std::move(state)) {}
TwoEnds::TwoEnds(TwoEnds &&) noexcept = default;
TwoEnds::~TwoEnds() = default;

Result<TwoEnds> TwoEnds::start(std::array<kernel::UniqueFd, 2> fds, const Talk &talk) {
    BL_TRY(auto board, make_board());
    auto state = std::make_unique<State>(std::move(board), talk);
    for (std::size_t i = 0; i < fds.size(); ++i) {
        state->pids[i] = ::fork();
        if (state->pids[i] < 0)
            return fail_errno(errno, "start a process");
        if (state->pids[i] == 0) {
            ::close(fds[1 - i].get());
            work(fds[i].get(), i == 0, state->talk, *state->board);
        }
    }
    return TwoEnds(std::move(state));
}

Result<> TwoEnds::warm_up(const std::function<Result<bool>()> &ready) {
    Board &board = *state_->board;
    board.leave = Board::warm;
    const auto until = std::chrono::steady_clock::now() + kPatienceToWarmUp;
    while (std::chrono::steady_clock::now() < until) {
        BL_TRY(const bool now, ready());
        if (now && board.round_trips >= kFewRoundTrips)
            break;
        std::this_thread::sleep_for(kTick);
    }
    return {};
}

Result<Heard> TwoEnds::talk() {
    Board &board = *state_->board;
    board.leave = Board::talked;
    if (state_->talk.kind != Talk::Kind::flood)
        std::this_thread::sleep_for(state_->talk.time); // who looks meanwhile takes their CPU
    BL_CHECK(state_->wait_for(Board::talked));
    Heard heard{.figure = 0, .bytes = board.total};
    switch (state_->talk.kind) {
    case Talk::Kind::ping_pong:
        heard.figure = spread({board.round_trip_us.begin(), board.round_trip_us.begin() + board.samples}).median;
        break;
    case Talk::Kind::stream:
        heard.figure = static_cast<double>(heard.bytes) / 1e6 / (board.ended - board.began);
        break;
    case Talk::Kind::flood:
        heard.figure = static_cast<double>(heard.bytes) / 1024;
        break;
    }
    return heard;
}

Result<> TwoEnds::check() {
    Board &board = *state_->board;
    board.leave = Board::checked;
    BL_CHECK(state_->wait_for(Board::checked));
    if (board.damaged != 0)
        return fail(Kind::host, 0, "bytes arrived that were not sent, or not in this order");
    return {};
}

} // namespace beeline::lab
