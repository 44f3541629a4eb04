// SPDX-License-Identifier: Apache-2.0
//
// A hundred threads that share sockets: every combination of one or two writers and readers at either end.
#include <netns/local/row.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <list>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

namespace beeline::conformance {
namespace {

constexpr std::size_t kEach = 12000; ///< Bytes of a writer.
constexpr std::size_t kPiece = 300;

/// One direction of a connection. Which reader gets which byte is chance; how many there are of each is not.
struct Direction {
    const End *from, *to;
    std::size_t writers, readers;
    std::atomic<std::size_t> writing = writers;
    std::array<std::atomic<std::size_t>, 256> got{};
    std::atomic<std::size_t> odd_sends = 0, odd_ends = 0;

    Direction(const End &a, const End &b, std::size_t w, std::size_t r) : from(&a), to(&b), writers(w), readers(r) {}

    void write(std::size_t writer) {
        const std::string piece(kPiece, static_cast<char>('a' + writer));
        for (std::size_t sent = 0; sent < kEach; sent += kPiece)
            if (!from->all(piece))
                ++odd_sends;
        if (--writing == 0 && ::shutdown(from->fd(), SHUT_WR) != 0)
            ++odd_sends;
    }

    void read() {
        std::array<char, 700> buffer{};
        ssize_t n = 0;
        while ((n = to->some(buffer.data(), buffer.size())) > 0)
            for (ssize_t i = 0; i < n; ++i)
                ++got[static_cast<unsigned char>(buffer[static_cast<std::size_t>(i)])];
        odd_ends += n == 0 ? 0 : 1;
    }

    void start(std::vector<std::jthread> &threads) {
        for (std::size_t i = 0; i < writers; ++i)
            threads.emplace_back([this, i] { write(i); });
        for (std::size_t i = 0; i < readers; ++i)
            threads.emplace_back([this] { read(); });
    }

    [[nodiscard]] std::string text() const {
        std::string text = fmt::format("{} writers, {} readers: {} sends failed, {} reads failed, got", writers,
                                       readers, odd_sends.load(), odd_ends.load());
        for (std::size_t i = 0; i < got.size(); ++i)
            if (got[i] != 0)
                text += fmt::format(" {} x {}", got[i].load(), static_cast<char>(i));
        return text;
    }
};

void hundred_threads(Stage &stage) {
    std::vector<Pair> pairs;
    std::list<Direction> directions;
    pairs.reserve(17);
    for (unsigned i = 0; i < 17; ++i) { // 16 combinations of 4 to 8 threads, 96 in all, and 4 more
        pairs.push_back(stage.settled());
        const auto one_or_two = [i](unsigned bit) -> std::size_t { return (i >> bit & 1U) + 1; };
        directions.emplace_back(pairs.back().client, pairs.back().server, one_or_two(0), one_or_two(1));
        directions.emplace_back(pairs.back().server, pairs.back().client, one_or_two(2), one_or_two(3));
    }
    {
        std::vector<std::jthread> threads;
        for (Direction &direction : directions)
            direction.start(threads);
        stage.notes.note(fmt::format("{} threads", threads.size()));
    }
    for (const Direction &direction : directions)
        stage.notes.note(direction.text());
}

} // namespace

std::vector<Row> thread_rows() {
    return {{.name = "hundred_threads", .run = hundred_threads, .naive = Naive::either}};
}

} // namespace beeline::conformance
