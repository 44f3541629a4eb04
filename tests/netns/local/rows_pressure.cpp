// SPDX-License-Identifier: Apache-2.0
//
// A reader that does not keep up stops the writer, about where TCP would.
#include <netns/local/row.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <thread>

#include <fmt/format.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace beeline::conformance {
namespace {

/// The reader sleeps; the writer is stopped, says so by poll(), and all is there when the reader wakes up.
void stopped_with(Stage &stage, const Options &options, std::size_t piece) {
    Pair pair = stage.settled(options);
    Stream sent(1), received(1);
    const std::size_t size = pair.client.flood(sent, piece);
    stage.notes.amount(fmt::format("accepted by pieces of {}", piece), size);
    if (options.send_buffer != 0) // Else TCP may make it larger while we look.
        pair.client.look(POLLOUT);
    int queued = -1;
    const int r = ::ioctl(pair.client.fd(), SIOCOUTQ, &queued);
    pair.client.note(fmt::format("SIOCOUTQ {}, {}", r, queued > 0 ? "more than 0" : "0"));
    pair.server.here();
    const std::string got = pair.server.collect(received, size, 100000);
    pair.server.note(got.find("intact, open") != std::string::npos ? "takes all" : "takes " + got);
    pair.client.await(POLLOUT);
    pair.client.send("more");
    pair.server.next(64);
}

void stopped_reader(Stage &stage) {
    stopped_with(stage, {}, 65536);
}

/// Both buffers are set, so TCP does not tune them.
void stopped_reader_set_buffers(Stage &stage) {
    stopped_with(stage, {.receive_buffer = 65536, .send_buffer = 300000}, 65536);
}

void stopped_reader_small_writes(Stage &stage) {
    stopped_with(stage, {}, 1024);
}

/// The writer is always ahead of the reader.
void slow_reader(Stage &stage) {
    Pair pair = stage.settled({.receive_buffer = 65536});
    constexpr std::size_t kSize = 2'000'000;
    std::string wrote = "all";
    {
        const std::jthread writer([&] {
            Stream sent(2);
            pair.client.here();
            for (std::size_t left = kSize; left > 0 && wrote == "all";) {
                const std::string_view data = sent.ahead(std::min<std::size_t>(left, 20000));
                if (!pair.client.all(data))
                    wrote = error_name(errno);
                sent.advance(data.size());
                left -= data.size();
            }
        });
        Stream received(2);
        pair.server.here();
        std::string state;
        for (std::size_t got = 0; got < kSize; got += 20000) {
            state = pair.server.collect(received, 20000, 3000);
            ::usleep(1000);
        }
        pair.server.note("takes at last " + state);
    }
    pair.client.note("wrote " + wrote);
}

/// A blocked writer gets on when the reader reads, and no earlier.
void blocked_writer(Stage &stage) {
    Pair pair = stage.settled({.receive_buffer = 65536});
    constexpr std::size_t kSize = 24'000'000;
    std::string wrote;
    std::atomic<bool> ended = false;
    {
        const std::jthread writer([&] {
            Stream sent(3);
            pair.client.here();
            wrote = "all";
            for (std::size_t left = kSize; left > 0 && wrote == "all";) {
                const std::string_view data = sent.ahead(std::min<std::size_t>(left, 500000));
                if (!pair.client.all(data))
                    wrote = error_name(errno);
                sent.advance(data.size());
                left -= data.size();
            }
            ended = true;
        });
        ::usleep(150000);
        pair.client.note(ended ? "has ended before anything was read" : "waits");
        Stream received(3);
        pair.server.take(received, kSize);
    }
    pair.client.note("wrote " + wrote);
}

} // namespace

std::vector<Row> pressure_rows() {
    return {{.name = "stopped_reader",
             .run = stopped_reader,
             .naive = Naive::differs,
             .tuned = true,
             .limit = "more is taken than by TCP"},
            {.name = "stopped_reader_set_buffers", .run = stopped_reader_set_buffers, .naive = Naive::differs},
            {.name = "stopped_reader_small_writes",
             .run = stopped_reader_small_writes,
             .naive = Naive::differs,
             .tuned = true},
            {.name = "slow_reader", .run = slow_reader, .naive = Naive::either},
            {.name = "blocked_writer", .run = blocked_writer, .naive = Naive::differs}};
}

} // namespace beeline::conformance
