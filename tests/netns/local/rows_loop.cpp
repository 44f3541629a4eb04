// SPDX-License-Identifier: Apache-2.0
//
// Edge-triggered loops to which less than they asked for is the end of what there is: bytes behind it, which came by
// TCP, must be told of again.
#include <netns/local/loop.hpp>
#include <netns/local/row.hpp>

#include <unistd.h>

namespace beeline::conformance {
namespace {

bool short_read(int /*fd*/, std::size_t got, std::size_t asked) {
    return got == asked;
}

/// As much as is taken: the last bytes by TCP.
void much_in_odd_pieces(End &client, Stream &sent) {
    static_cast<void>(client.flood(sent, 60001));
}

/// So many small messages in a row that the rest goes by TCP.
void many_small(End &client, Stream &sent) {
    for (int i = 0; i < 200; ++i)
        client.give(sent, 100, 100);
    ::usleep(50000);
}

void drained_by_short_reads(Stage &stage) {
    drained_by(stage, short_read, much_in_odd_pieces);
}

void small_drained_by_short_reads(Stage &stage) {
    drained_by(stage, short_read, many_small);
}

} // namespace

std::vector<Row> loop_rows() {
    return {{.name = "drained_by_short_reads", .run = drained_by_short_reads, .naive = Naive::either},
            {.name = "small_drained_by_short_reads", .run = small_drained_by_short_reads, .naive = Naive::either}};
}

} // namespace beeline::conformance
